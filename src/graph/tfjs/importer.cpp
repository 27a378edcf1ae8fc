// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <set>

#include "graph/tfjs/document.hpp"
#include "graph/tfjs/operators.hpp"
#include "graph/tfjs/tfjs_model.hpp"

namespace alara::graph {
namespace tfjs {
namespace {

using nhwc::ValueId;

constexpr std::size_t kNamedOperators = 100;  // in the error that lists those that are not supported

// Constants: a few copies of each, small integers as float32. Values: no node needs fewer bytes.
nhwc::Limits limits_for(const Document& document, std::size_t json_bytes) {
  std::uint64_t stored = 0;
  for (const auto& [name, weight] : document.weights)
    stored += static_cast<std::uint64_t>(elements_of(weight.shape).value_or(0)) * bytes_of(weight.type);
  return {(std::uint64_t{1} << 20) + 8 * (stored + json_bytes), 4096 + json_bytes / 4};
}

bool is_source(const NodeDef& node) {
  return node.op == "Const" || node.op == "Placeholder" || node.op == "PlaceholderWithDefault";
}

// Those nodes that the results need, in an order in which they can be written.
class Order {
 public:
  Order(const Document& document, const std::map<std::string, std::size_t, std::less<>>& places)
      : document_(document), places_(places), states_(document.nodes.size()) {}

  // Without recursion: graphs are as deep as they are long.
  Status add(std::size_t node) {
    std::vector<std::pair<std::size_t, std::size_t>> stack;  // node, and its next input
    const auto enter = [&](std::size_t at) {
      states_[at] = State::open;
      stack.emplace_back(at, 0);
    };
    if (states_[node] == State::fresh) enter(node);
    while (!stack.empty()) {
      auto& [at, next] = stack.back();
      const std::vector<Reference>& inputs = document_.nodes[at].inputs;
      if (next == inputs.size()) {
        states_[at] = State::done;
        nodes_.push_back(at);
        stack.pop_back();
        continue;
      }
      const Reference& input = inputs[next++];
      const auto found = places_.find(input.node);
      if (found == places_.end())
        return fail(ErrorKind::corrupt, "node '{}' reads '{}', which is not there", document_.nodes[at].name,
                    input.node.substr(0, 200));
      if (states_[found->second] == State::open && circle_)
        circle_ = fail(ErrorKind::bad_input, "the graph runs in a circle through node '{}'", input.node);
      if (states_[found->second] == State::fresh) enter(found->second);
    }
    return {};
  }
  [[nodiscard]] const std::vector<std::size_t>& nodes() const { return nodes_; }
  // An error where there is no such order.
  [[nodiscard]] const Status& circle() const { return circle_; }

 private:
  enum class State : std::uint8_t { fresh, open, done };
  const Document& document_;
  const std::map<std::string, std::size_t, std::less<>>& places_;
  std::vector<State> states_;
  std::vector<std::size_t> nodes_;
  Status circle_;
};

class Importer {
 public:
  Importer(const Document& document, const ReadShard& read_shard, std::size_t json_bytes)
      : document_(document),
        outputs_(output_names(document)),
        weights_(document, read_shard),
        lowering_("graph", {outputs_.begin(), outputs_.end()}, limits_for(document, json_bytes)) {}

  Result<Model> run() && {
    for (std::size_t i = 0; i < document_.nodes.size(); ++i)
      if (!places_.emplace(document_.nodes[i].name, i).second)
        return fail(ErrorKind::corrupt, "two nodes are called '{}'", document_.nodes[i].name);
    ALARA_TRY(const std::vector<std::size_t> order, needed_nodes());
    ALARA_CHECK(add_placeholders(order));
    for (const std::size_t at : order) {
      const NodeDef& node = document_.nodes[at];
      if (values_.contains(node.name)) continue;
      Status done = add_node(node);
      if (!done) return fail(done.error().kind, "node '{}' ({}): {}", node.name, node.op, done.error().message);
    }
    return finish();
  }

 private:
  // As the signature names them, else all that nobody reads; output 0 without ":0".
  static std::vector<std::string> output_names(const Document& document) {
    std::vector<std::string> out;
    for (const std::string& name : document.outputs) {
      const Reference reference = reference_of(name);
      out.push_back(reference.output == 0 ? reference.node : name);
    }
    if (!out.empty()) return out;
    std::set<std::string> read;
    for (const NodeDef& node : document.nodes)
      for (const Reference& input : node.inputs) read.insert(input.node);
    for (const NodeDef& node : document.nodes)
      if (!read.contains(node.name) && node.op != "NoOp" && node.op != "Const") out.push_back(node.name);
    return out;
  }

  Result<std::vector<std::size_t>> needed_nodes() {
    Order order(document_, places_);
    for (const std::string& name : outputs_) {
      const auto found = places_.find(reference_of(name).node);
      if (found == places_.end()) return fail(ErrorKind::corrupt, "output '{}' is no node", name.substr(0, 200));
      ALARA_CHECK(order.add(found->second));
    }
    if (outputs_.empty()) return fail(ErrorKind::corrupt, "the graph has no outputs");
    ALARA_CHECK(check_supported(order.nodes()));  // first: loops are operators that are not supported
    ALARA_CHECK(order.circle());
    return order.nodes();
  }

  Status check_supported(const std::vector<std::size_t>& order) const {
    std::string missing;
    std::size_t count = 0;
    for (const std::size_t at : order) {
      const NodeDef& node = document_.nodes[at];
      if (is_source(node) || import_of(node.op) != nullptr || ++count > kNamedOperators) continue;
      missing += fmt::format("{}node {} ({} '{}')", missing.empty() ? "" : ", ", at, node.op, node.name);
    }
    if (count == 0) return {};
    if (count > kNamedOperators) missing += fmt::format(" and {} more", count - kNamedOperators);
    return fail(ErrorKind::bad_input, "not supported: {}", missing);
  }

  // Inputs in the file's order.
  Status add_placeholders(std::vector<std::size_t> order) {
    std::sort(order.begin(), order.end());
    for (const std::size_t at : order) {
      const NodeDef& node = document_.nodes[at];
      if (!is_source(node) || node.op == "Const") continue;
      const auto type = node.type("dtype");
      if (!type) return fail(ErrorKind::bad_input, "input '{}' has a type that is not supported", node.name);
      std::optional<Dims> dims = node.shape("shape");
      const auto declared = document_.input_shapes.find(node.name);
      if (declared != document_.input_shapes.end() && (!dims || dims->empty())) dims = declared->second;
      if (!dims) return fail(ErrorKind::bad_input, "input '{}' has no known number of axes", node.name);
      values_[node.name] = {lowering_.input(node.name, *type, std::move(*dims))};
    }
    return lowering_.status();
  }

  Result<ValueId> value(const Reference& reference) const {
    const auto found = values_.find(reference.node);
    if (found != values_.end() && reference.output < found->second.size()) return found->second[reference.output];
    return fail(ErrorKind::corrupt, "'{}' has no output {}", reference.node.substr(0, 200), reference.output);
  }

  Status add_node(const NodeDef& node) {
    if (node.op == "Const") {
      const auto weight = document_.weights.find(node.name);
      if (weight == document_.weights.end()) return fail(ErrorKind::corrupt, "the weights do not list it");
      ALARA_TRY(Tensor numbers, weights_.read(weight->second));
      values_[node.name] = {lowering_.constant(node.name, std::move(numbers))};
      return lowering_.status();
    }
    Step step{lowering_, node, {}};
    for (const Reference& input : node.inputs) {
      ALARA_TRY(const ValueId id, value(input));
      step.inputs.push_back(id);
    }
    ALARA_TRY(values_[node.name], import_of(node.op)(step));
    return lowering_.status();
  }

  Result<Model> finish() {
    std::vector<nhwc::Lowering::Output> outputs;
    for (const std::string& name : outputs_) {
      ALARA_TRY(const ValueId made, value(reference_of(name)));
      outputs.push_back({name, made});
    }
    return std::move(lowering_).finish(outputs);
  }

  const Document& document_;
  std::vector<std::string> outputs_;
  Weights weights_;
  nhwc::Lowering lowering_;
  std::map<std::string, std::size_t, std::less<>> places_;  // of nodes in the document
  std::map<std::string, std::vector<ValueId>, std::less<>> values_;
};

Result<std::vector<std::byte>> read_bytes(const std::filesystem::path& path, std::uint64_t most) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return fail(ErrorKind::not_found, "can not read {}", path.string());
  if (size > most) return fail(ErrorKind::exhausted, "{} has {} bytes; {} is the most", path.string(), size, most);
  std::vector<std::byte> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) return fail(ErrorKind::unavailable, "{} can not be read to its end", path.string());
  return bytes;
}

// A file of the model's folder, links followed.
Result<std::filesystem::path> path_within(const std::filesystem::path& folder, const std::string& name) {
  std::error_code error;
  const auto root = std::filesystem::weakly_canonical(folder.empty() ? "." : folder, error);
  const auto path = error ? std::filesystem::path{} : std::filesystem::weakly_canonical(root / name, error);
  const auto inside = path.lexically_relative(root);
  if (error || name.empty() || inside.empty() || *inside.begin() == ".." || inside == ".")
    return fail(ErrorKind::refused, "weights file '{}' does not lie in the model's folder", name.substr(0, 200));
  return path;
}

}  // namespace
}  // namespace tfjs

Result<Model> parse_tfjs(std::string_view json, const ReadShard& read_shard) {
  ALARA_TRY(const tfjs::Document document, tfjs::parse_document(json));
  return tfjs::Importer(document, read_shard, json.size()).run();
}

Result<Model> read_tfjs(const std::filesystem::path& path) {
  ALARA_TRY(const std::vector<std::byte> json, tfjs::read_bytes(path, kMaxTfjsJsonBytes));
  const std::filesystem::path folder = path.parent_path();
  const ReadShard read_shard = [&folder](const std::string& name) -> Result<std::vector<std::byte>> {
    ALARA_TRY(const std::filesystem::path shard, tfjs::path_within(folder, name));
    return tfjs::read_bytes(shard, kMaxTfjsWeightBytes);
  };
  auto model = parse_tfjs({reinterpret_cast<const char*>(json.data()), json.size()}, read_shard);
  if (!model) model.error().where.file = path.string();
  return model;
}

}  // namespace alara::graph
