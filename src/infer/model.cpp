// SPDX-License-Identifier: Apache-2.0
#include "infer/model.hpp"

#include <algorithm>
#include <filesystem>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "infer/model_operator.hpp"

namespace alara::infer {
namespace {

constexpr double kMaxHistory = 65'536;

const Property kName{"name", PropertyType::text, "a name"};
const Property kNumber{"number", PropertyType::number, "a number"};
const Property kUnit{"unit", PropertyType::unit, "a unit"};

const Schema& batch_schema() {
  static const Schema schema{"batch",
                             "How many rows share one run. A run of 100 rows costs little more than a run of one.",
                             {{.name = "max",
                               .type = PropertyType::integer,
                               .sentence = "Most rows in one run.",
                               .fallback = "100",
                               .least = 1,
                               .most = double{kMaxBatchRows}},
                              {.name = "wait",
                               .type = PropertyType::duration,
                               .sentence = "How long a row may wait for rows of other assets; it adds to the latency. "
                                           "With 0 only rows that come together share a run.",
                               .fallback = "0ms",
                               .most = 60e9}}};
  return schema;
}

const Schema& normalise_schema() {
  static const Schema schema{"normalise",
                             "Each input becomes (value - mean) / std.",
                             {{.name = "mean",
                               .type = PropertyType::list,
                               .sentence = "One number per input.",
                               .required = true,
                               .element = &kNumber},
                              {.name = "std",
                               .type = PropertyType::list,
                               .sentence = "One number per input, above 0.",
                               .required = true,
                               .element = &kNumber}}};
  return schema;
}

const Schema& model_schema() {
  static const Schema schema{
      "model",
      "Computes an ONNX model over values of the pipeline.",
      {{.name = "file",
        .type = PropertyType::text,
        .sentence = "The ONNX file; relative to the site file.",
        .required = true},
       {.name = "inputs",
        .type = PropertyType::list,
        .sentence = "Values of the pipeline, in the order of the model's inputs.",
        .required = true,
        .element = &kName},
       {.name = "outputs",
        .type = PropertyType::list,
        .sentence = "Names for the model's numbers, one for each in order; or those of its output names that are "
                    "wanted. Without it, "
                    "all outputs under their own names.",
        .element = &kName},
       {.name = "units",
        .type = PropertyType::map,
        .sentence = "The units of outputs, by their names, as in {power: kW}.",
        .element = &kUnit},
       {.name = "history",
        .type = PropertyType::integer,
        .sentence = "How many rows of an asset the model sees at once: the newest and those before it.",
        .fallback = "1",
        .least = 1,
        .most = kMaxHistory},
       {.name = "normalise",
        .type = PropertyType::object,
        .sentence = "Scaling of the inputs, for models that do not scale them themselves.",
        .fields = &normalise_schema()},
       {.name = "batch",
        .type = PropertyType::object,
        .sentence = "How many rows share one run.",
        .fields = &batch_schema()},
       {.name = "fallback",
        .type = PropertyType::any,
        .sentence = "What is given when the model fails, gives NaN or lacks an input: bad (NaN, of bad quality), "
                    "hold_last, or a value "
                    "for each output as in {health: 100}; the last two are of uncertain quality.",
        .fallback = "bad"},
       {.name = "threads",
        .type = PropertyType::integer,
        .sentence =
            "Threads within one run. More shorten the run of a large model and take cores from everything else.",
        .fallback = "1",
        .least = 1,
        .most = 64},
       {.name = "provider",
        .type = PropertyType::text,
        .sentence = "What computes: cpu, or another that `alara doctor` lists, such as cuda.",
        .fallback = "cpu"},
       {.name = "digest",
        .type = PropertyType::text,
        .sentence =
            "The file's digest, sha256:…, as `alara model inspect` prints it; a file with another one is refused."}}};
  return schema;
}

tl::unexpected<Error> placed(Error error, const Where& where) {
  if (!error.where.known()) error.where = where;
  return tl::unexpected<Error>(std::move(error));
}

// An object option that may be absent.
const Node& object_of(const Options& options, std::string_view name) {
  static const Node empty = [] {
    Node node;
    node.kind = Node::Kind::map;
    return node;
  }();
  const Node* node = options.node(name);
  return node != nullptr && node->is_map() ? *node : empty;
}

// A tensor's name as one that expressions can use.
std::string usable_name(const std::string& tensor) {
  std::string out;
  for (const char c : tensor) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    out += plain ? c : '_';
  }
  return out;
}

bool names_tensors(const std::vector<std::string>& names, const ModelInfo& info) {
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(info.outputs, name, &TensorInfo::name) != info.outputs.end();
  });
}

// Our output names and, for each, the runner's column.
struct Columns {
  std::vector<std::string> names;
  std::vector<std::size_t> index;
};

Columns own_names(const std::vector<OutputColumn>& columns, const std::vector<std::string>& tensors) {
  Columns out;
  for (const std::string& tensor : tensors)
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (columns[k].tensor != tensor) continue;
      const std::string suffix = columns[k].elements == 1 ? "" : fmt::format("_{}", columns[k].element);
      out.names.push_back(usable_name(tensor) + suffix);
      out.index.push_back(k);
    }
  return out;
}

Result<Columns> name_columns(const Options& options, const ModelSlot& slot) {
  const std::vector<std::string> names = options.texts("outputs");
  const std::vector<OutputColumn> columns = slot.columns();
  const ModelInfo& info = slot.session()->info();
  Columns out;
  if (names.empty() || names_tensors(names, info)) {
    std::vector<std::string> tensors = names;
    if (names.empty())
      for (const TensorInfo& output : info.outputs) tensors.push_back(output.name);
    out = own_names(columns, tensors);
  } else {
    if (names.size() != columns.size()) {
      std::string outputs;
      for (const TensorInfo& output : info.outputs) outputs += (outputs.empty() ? "" : ", ") + output.text();
      return fail_at(options.where("outputs"), "the model gives {} number{} per row ({}), 'outputs' has {} name{}",
                     columns.size(), columns.size() == 1 ? "" : "s", outputs, names.size(),
                     names.size() == 1 ? "" : "s");
    }
    out.names = names;
    for (std::size_t k = 0; k < columns.size(); ++k) out.index.push_back(k);
  }
  std::vector<std::string> sorted = out.names;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    return fail_at(options.where("outputs"), "two outputs would be called '{}'", *twice);
  return out;
}

Result<Fallback> read_fallback(const Options& options, const std::vector<std::string>& names) {
  Fallback out;
  const Node* node = options.node("fallback");
  if (node == nullptr || node->is_null()) return out;
  if (node->is_scalar()) {
    if (node->scalar == "bad") return out;
    out.kind = Fallback::Kind::hold_last;
    if (node->scalar == "hold_last") return out;
    return fail_at(node->where, "fallback '{}' is neither bad, hold_last nor a value for each output", node->scalar);
  }
  if (!node->is_map()) return fail_at(node->where, "fallback: write bad, hold_last or {{{}: 0}}", names.front());
  out.kind = Fallback::Kind::values;
  for (const Node::Entry& entry : node->entries)
    if (std::ranges::find(names, entry.key) == names.end()) {
      Error error{ErrorKind::bad_input, fmt::format("fallback: the step has no output '{}'", entry.key),
                  entry.key_where, nearest(entry.key, std::span<const std::string>(names))};
      if (!error.hint.empty()) error.hint = fmt::format("did you mean '{}'?", error.hint);
      return tl::unexpected<Error>(std::move(error));
    }
  for (const std::string& name : names) {
    const Node* value = node->find(name);
    if (value == nullptr) return fail_at(node->where, "fallback: no value for output '{}'", name);
    const Result<double> number = parse_number(value->scalar);
    if (!number) return placed(number.error(), value->where);
    out.values.push_back(*number);
  }
  return out;
}

Status read_normalisation(const Options& options, ModelOptions& out) {
  if (!options.has("normalise")) return {};
  const Options normalise(object_of(options, "normalise"), normalise_schema());
  for (const std::string& text : normalise.texts("mean")) out.mean.push_back(parse_number(text).value_or(0));
  for (const std::string& text : normalise.texts("std")) {
    const double deviation = parse_number(text).value_or(0);
    if (!(deviation > 0))
      return fail_at(normalise.where("std"), "normalise: a standard deviation must be above 0, not {}", text);
    out.scale.push_back(1 / deviation);
  }
  if (out.mean.size() != out.values || out.scale.size() != out.values)
    return fail_at(options.where("normalise"), "normalise: {} means and {} deviations for {} inputs", out.mean.size(),
                   out.scale.size(), out.values);
  return {};
}

Result<std::shared_ptr<ModelSlot>> open_slot(const Options& options, const ModelOptions& model,
                                             const std::string& directory) {
  SessionOptions session_options;
  session_options.threads = static_cast<int>(options.integer("threads"));
  session_options.provider = options.text("provider");
  const auto loader = [session_options](const std::string& path) { return load_session(path, session_options); };

  const std::filesystem::path file = std::filesystem::path(directory) / options.text("file");
  auto session = loader(file.string());
  if (!session) return placed(session.error(), options.where("file"));
  if (const std::string digest = options.text("digest"); !digest.empty())
    if (const Status same = check_digest(**session, digest); !same)
      return placed(same.error(), options.where("digest"));

  RunPlan plan{model.values, model.history, model.max_rows, options.texts("outputs")};
  if (!names_tensors(plan.tensors, (*session)->info())) plan.tensors.clear();
  auto slot = ModelSlot::open(std::move(*session), plan, loader);
  if (!slot) {
    Error error = std::move(slot).error();
    error.message = fmt::format("model '{}': {}", file.string(), error.message);
    return placed(std::move(error), options.where("file"));
  }
  return slot;
}

// The step's slot: another shard's, if there is one.
Result<std::shared_ptr<ModelSlot>> slot_of(const Options& options, const ModelOptions& model,
                                           const OperatorContext& context) {
  if (context.shared == nullptr) return open_slot(options, model, context.directory);
  std::shared_ptr<void>& shared = (*context.shared)[context.step_name];
  if (shared != nullptr) return std::static_pointer_cast<ModelSlot>(shared);
  ALARA_TRY(std::shared_ptr<ModelSlot> slot, open_slot(options, model, context.directory));
  shared = slot;
  return slot;
}

Result<std::vector<ValueInfo>> describe_outputs(const Options& options, const std::vector<std::string>& names,
                                                std::span<const ValueInfo> inputs) {
  // Rows come as the inputs do; where those differ, nobody knows.
  double rate_hz = inputs.front().rate_hz;
  for (const ValueInfo& input : inputs)
    if (input.rate_hz != rate_hz) rate_hz = 0;
  const Node& units = object_of(options, "units");
  for (const Node::Entry& entry : units.entries)
    if (std::ranges::find(names, entry.key) == names.end())
      return fail_at(entry.key_where, "units: the step has no output '{}'", entry.key);
  std::vector<ValueInfo> out;
  for (const std::string& name : names) {
    ValueInfo info;
    info.name = name;
    info.rate_hz = rate_hz;
    if (const Node* unit = units.find(name)) {
      ALARA_TRY(info.unit, Unit::parse(unit->scalar));
    }
    out.push_back(std::move(info));
  }
  return out;
}

class ModelKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "model"; }
  [[nodiscard]] const Schema& schema() const override { return model_schema(); }

  Result<std::vector<std::string>> inputs(const Node& options) const override {
    std::vector<std::string> names = Options(options, model_schema()).texts("inputs");
    if (names.empty()) return fail_at(options.where, "a model step needs at least one input");
    return names;
  }

  Result<Made> make(const Node& node, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    const Options options(node, model_schema());
    const Options batch(object_of(options, "batch"), batch_schema());
    ModelOptions model;
    model.values = inputs.size();
    model.history = static_cast<std::size_t>(options.integer("history"));
    model.max_rows = static_cast<std::size_t>(batch.integer("max"));
    model.wait = batch.duration("wait");
    model.slots = context.assets.size();
    ALARA_CHECK(read_normalisation(options, model));
    ALARA_TRY(const std::shared_ptr<ModelSlot> slot, slot_of(options, model, context));
    ALARA_TRY(Columns columns, name_columns(options, *slot));
    ALARA_TRY(model.fallback, read_fallback(options, columns.names));
    model.columns = std::move(columns.index);

    Made made;
    ALARA_TRY(made.outputs, describe_outputs(options, columns.names, inputs));
    ALARA_TRY(std::unique_ptr<ModelSlot::Seat> seat, slot->take_seat());
    made.code = std::make_unique<ModelOperator>(std::move(model), std::move(seat));
    made.memory_bound = made.code->memory_bytes();
    return made;
  }
};

}  // namespace

const OperatorKind& model_kind() {
  static const ModelKind kind;
  return kind;
}

std::shared_ptr<ModelSlot> model_slot(const Operator& code) {
  const auto* model = dynamic_cast<const ModelOperator*>(&code);
  return model == nullptr ? nullptr : model->slot();
}

}  // namespace alara::infer
