// SPDX-License-Identifier: Apache-2.0
#include "graph/tflite/tflite_file.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include "graph/nhwc/lowering.hpp"
#include "graph/tflite/operators.hpp"
#include "graph/tflite/tensors.hpp"

namespace alara::graph {
namespace tflite {
namespace {

using nhwc::ValueId;

constexpr std::size_t kMaxTables = 1'000'000;
constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kNamedOperators = 100;  // in the error that lists those that are not supported

// Constants: a few copies of each, float16 as float32, sparse ones dense. Values: no operator needs fewer bytes.
constexpr nhwc::Limits limits_for(std::uint64_t file_bytes) {
  return {(std::uint64_t{1} << 20) + 64 * file_bytes, 4096 + file_bytes / 4};
}

using Indices = flatbuffers::Vector<std::int32_t>;

// One graph of a verified file, operator by operator.
class Importer {
 public:
  Importer(const schema::Model& model, const schema::SubGraph& graph, Tensors tensors, std::uint64_t file_bytes)
      : model_(model),
        graph_(graph),
        tensors_(std::move(tensors)),
        lowering_(graph.name() == nullptr || graph.name()->size() == 0 ? "graph" : graph.name()->str().substr(0, 200),
                  output_names(), limits_for(file_bytes)),
        values_(tensors_.count()),
        uses_left_(file_bytes) {}

  Result<Model> run() && {
    ALARA_CHECK(check_supported());
    ALARA_CHECK(add_inputs());
    for (std::size_t i = 0; i < operators(); ++i) {
      Status done = add_operator(i);
      if (!done) return tl::unexpected(at(i, std::move(done).error()));
    }
    return finish();
  }

 private:
  std::size_t operators() const { return graph_.operators() == nullptr ? 0 : graph_.operators()->size(); }
  const schema::Operator& op(std::size_t i) const {
    return *graph_.operators()->Get(static_cast<flatbuffers::uoffset_t>(i));
  }
  const schema::OperatorCode& code(std::size_t i) const { return *model_.operator_codes()->Get(op(i).opcode_index()); }

  std::set<std::string> output_names() const {
    std::set<std::string> names;
    for (const std::int32_t index : list(graph_.outputs()))
      if (index >= 0 && static_cast<std::size_t>(index) < tensors_.count())
        names.insert(tensors_.name(static_cast<std::size_t>(index)));
    return names;
  }

  static std::span<const std::int32_t> list(const Indices* indices) {
    if (indices == nullptr) return {};
    return {indices->data(), indices->size()};
  }

  Result<std::size_t> tensor(std::int32_t index) const {
    if (index >= 0 && static_cast<std::size_t>(index) < tensors_.count()) return static_cast<std::size_t>(index);
    return fail(ErrorKind::corrupt, "tensor {} of {}", index, tensors_.count());
  }

  // "operator 12 (CONV_2D 'features')".
  std::string place(std::size_t i) const {
    const auto outputs = list(op(i).outputs());
    const auto first = outputs.empty() ? Result<std::size_t>(0) : tensor(outputs[0]);
    return fmt::format("operator {} ({}{})", i, name_of(code(i)),
                       outputs.empty() || !first ? "" : fmt::format(" '{}'", tensors_.name(*first)));
  }
  Error at(std::size_t i, Error error) const {
    error.message = fmt::format("{}: {}", place(i), error.message);
    return error;
  }

  // Every operator has a code; those that nothing here imports are named all at once.
  Status check_supported() const {
    const std::size_t codes = model_.operator_codes() == nullptr ? 0 : model_.operator_codes()->size();
    std::string missing;
    std::size_t count = 0;
    for (std::size_t i = 0; i < operators(); ++i) {
      if (op(i).opcode_index() >= codes)
        return fail(ErrorKind::corrupt, "operator {} has code {} of {}", i, op(i).opcode_index(), codes);
      if (import_of(code(i)) == nullptr && ++count <= kNamedOperators)
        missing += (missing.empty() ? "" : ", ") + place(i);
    }
    if (count == 0) return {};
    if (count > kNamedOperators) missing += fmt::format(" and {} more", count - kNamedOperators);
    return fail(ErrorKind::bad_input, "not supported: {}", missing);
  }

  Status add_inputs() {
    for (const std::int32_t index : list(graph_.inputs())) {
      ALARA_TRY(const std::size_t at, tensor(index));
      if (values_[at]) return fail(ErrorKind::corrupt, "input '{}' is there twice", tensors_.name(at));
      ALARA_TRY(const auto quantization, tensors_.quantization(at));
      values_[at] = lowering_.input(tensors_.name(at), tensors_.type(at), tensors_.dims(at), quantization);
    }
    return lowering_.status();
  }

  Result<ValueId> value(std::size_t at) {
    if (values_[at]) return *values_[at];
    if (!tensors_.is_constant(at))
      return fail(ErrorKind::corrupt, "'{}' is read before anything makes it", tensors_.name(at));
    ALARA_TRY(auto quantization, tensors_.quantization(at));
    ALARA_TRY(Tensor numbers, tensors_.constant(at));
    values_[at] = lowering_.constant(tensors_.name(at), share(std::move(numbers)), std::move(quantization));
    ALARA_CHECK(lowering_.status());
    return *values_[at];
  }

  Result<Step> step_of(std::size_t i) {
    Step step{lowering_, op(i), {}, {}};
    const auto inputs = list(op(i).inputs());
    const auto outputs = list(op(i).outputs());
    // Files share lists; one that is read more often than it could be written is refused.
    if (inputs.size() + outputs.size() > uses_left_)
      return fail(ErrorKind::exhausted, "the operators have more inputs than a file of this size can hold");
    uses_left_ -= inputs.size() + outputs.size();
    for (const std::int32_t index : inputs) {
      std::optional<ValueId> one;
      if (index != -1) {
        ALARA_TRY(const std::size_t at, tensor(index));
        ALARA_TRY(one, value(at));
      }
      step.inputs.push_back(one);
    }
    for (const std::int32_t index : outputs) {
      ALARA_TRY(const std::size_t at, tensor(index));
      if (values_[at] || tensors_.is_constant(at))
        return fail(ErrorKind::corrupt, "'{}' is made a second time", tensors_.name(at));
      ALARA_TRY(const auto quantization, tensors_.quantization(at));
      step.outputs.push_back(
          {tensors_.name(at) + (quantization ? "/float" : ""), tensors_.type(at), tensors_.dims(at)});
    }
    if (step.outputs.empty()) return fail(ErrorKind::corrupt, "it makes nothing");
    return step;
  }

  Status add_operator(std::size_t i) {
    ALARA_TRY(Step step, step_of(i));
    ALARA_TRY(const std::vector<ValueId> made, import_of(code(i))(step));
    ALARA_CHECK(lowering_.status());
    if (made.size() != step.outputs.size())
      return fail(ErrorKind::corrupt, "it makes {} values, but {} are declared", made.size(), step.outputs.size());
    for (std::size_t k = 0; k < made.size(); ++k)
      ALARA_CHECK(set_output(static_cast<std::size_t>(list(op(i).outputs())[k]), made[k], step.outputs[k]));
    return lowering_.status();
  }

  // What an operator computed becomes what its tensor declares: of that shape, and quantised where it says so.
  Status set_output(std::size_t at, ValueId made, const Declared& declared) {
    if (values_[at]) return fail(ErrorKind::corrupt, "'{}' is made a second time", tensors_.name(at));
    const Dims computed = lowering_.at(made).dims;
    if (!declared.dims.empty()) {
      ALARA_TRY(Dims dims, nhwc::agreed(computed, declared.dims));
      if (!lowering_.at(made).constant) lowering_.refine(made, std::move(dims));
    }
    ALARA_TRY(const auto quantization, tensors_.quantization(at));
    const bool widened = declared.type == DataType::float16 && lowering_.at(made).constant;  // as all constants are
    const DataType type = quantization || widened ? DataType::float32 : declared.type;
    if (lowering_.at(made).type != type)
      return fail(ErrorKind::bad_input, "it makes {}, but is declared as {}", name_of(lowering_.at(made).type),
                  name_of(type));
    if (quantization)
      values_[at] = lowering_.quantized(tensors_.name(at), made, declared.type, *quantization);
    else
      values_[at] = lowering_.unstored(made);
    return {};
  }

  Result<Model> finish() {
    std::vector<nhwc::Lowering::Output> outputs;
    for (const std::int32_t index : list(graph_.outputs())) {
      ALARA_TRY(const std::size_t at, tensor(index));
      ALARA_TRY(const ValueId made, value(at));
      outputs.push_back({tensors_.name(at), made});
    }
    if (outputs.empty()) return fail(ErrorKind::corrupt, "the graph has no outputs");
    return std::move(lowering_).finish(outputs);
  }

  const schema::Model& model_;
  const schema::SubGraph& graph_;
  Tensors tensors_;
  nhwc::Lowering lowering_;
  std::vector<std::optional<ValueId>> values_;  // of each tensor, once it is made or read
  std::size_t uses_left_;
};

Result<Model> parse_aligned(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (bytes.size() < 8 || !schema::ModelBufferHasIdentifier(data))
    return fail(ErrorKind::corrupt, "not a TensorFlow Lite file: it does not have TFL3 at byte 4");
  flatbuffers::Verifier verifier(data, bytes.size(), kMaxDepth, kMaxTables);
  if (!schema::VerifyModelBuffer(verifier))
    return fail(ErrorKind::corrupt, "a damaged TensorFlow Lite file: offsets lead out of it, or it is cut short");
  const schema::Model& model = *schema::GetModel(data);
  if (model.version() != 3) return fail(ErrorKind::bad_input, "TensorFlow Lite version {}, not 3", model.version());
  if (model.subgraphs() == nullptr || model.subgraphs()->size() == 0)
    return fail(ErrorKind::corrupt, "the file has no graph");
  const schema::SubGraph& graph = *model.subgraphs()->Get(0);
  ALARA_TRY(Tensors tensors, Tensors::of(model, graph));
  return Importer(model, graph, std::move(tensors), bytes.size()).run();
}

}  // namespace
}  // namespace tflite

Result<Model> parse_tflite(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxTfliteBytes)
    return fail(ErrorKind::exhausted, "a TensorFlow Lite file of {} bytes", bytes.size());
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::max_align_t) == 0)
    return tflite::parse_aligned(bytes);
  const std::vector<std::byte> copy(bytes.begin(), bytes.end());
  return tflite::parse_aligned(copy);
}

Result<Model> read_tflite(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return fail(ErrorKind::not_found, "can not read {}", path.string());
  if (size > kMaxTfliteBytes)
    return fail(ErrorKind::exhausted, "{} has {} bytes; {} is the most", path.string(), size, kMaxTfliteBytes);
  std::vector<std::byte> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) return fail(ErrorKind::unavailable, "{} can not be read to its end", path.string());
  auto model = parse_tflite(bytes);
  if (!model) {
    model.error().where.file = path.string();
    return model;
  }
  return model;
}

}  // namespace alara::graph
