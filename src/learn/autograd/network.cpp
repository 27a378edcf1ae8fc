// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/network.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <malloc.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "graph/upgrade.hpp"
#include "learn/autograd/learned.hpp"
#include "learn/autograd/rounding.hpp"
#include "learn/autograd/schedule.hpp"

namespace alara::learn {
namespace {

// An integer constant that is learned as the real numbers it stands for: real = (integer - zero) * scale.
struct Quantised {
  std::size_t slot = 0;
  at::Tensor scale, zero;  // in shapes that broadcast
  IntegerRange range;

  [[nodiscard]] at::Tensor integers(const at::Tensor& real) const { return rounded(real / scale, zero, range); }
};

// Symmetric signed weights keep to the levels they were quantised with: 7 bits stay 7 bits (sums of two 8-bit products
// saturate on some processors), and 8 bits never use the one level that has no opposite.
IntegerRange narrowed(IntegerRange range, const at::Tensor& integers, const at::Tensor& zero) {
  if (range.low != -128 || zero.count_nonzero().item<std::int64_t>() != 0 || integers.numel() == 0) return range;
  const auto largest = integers.to(at::kInt).abs().max().item<std::int32_t>();
  if (largest > 127) return range;
  const double level = largest <= 64 ? 64 : 127;
  range.low = -level;
  range.high = level;
  return range;
}

std::string text_of(const at::Tensor& tensor) {
  if (!tensor.defined()) return "-";
  return fmt::format("{}{}", c10::toString(tensor.scalar_type()),
                     graph::text_of(std::span<const std::int64_t>(tensor.sizes().data(), tensor.sizes().size())));
}

std::string shapes_text(std::span<const at::Tensor> tensors) {
  std::string out;
  for (const at::Tensor& tensor : tensors) out += (out.empty() ? "" : ", ") + text_of(tensor);
  return out;
}

// Why the node can not be run, or "".
std::string objection(const graph::Node& node) {
  const Operator* op = node.domain.empty() ? find_operator(node.op) : nullptr;
  if (op == nullptr) return node.domain.empty() ? "no such operator here" : fmt::format("of domain {}", node.domain);
  return op->limits != nullptr ? op->limits(node) : "";
}

Status check_operators(const graph::Graph& graph) {
  std::string all;
  for (const graph::Node& node : graph.nodes) {
    const std::string why = objection(node);
    if (!why.empty()) all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", node.label(), why);
  }
  if (all.empty()) return {};
  return fail(ErrorKind::bad_input, "the graph has nodes that can not be trained: {}", all);
}

}  // namespace

struct Network::Body {
  graph::Model model;
  NetworkOptions options;
  Slots slots;
  Values held;  // by slot: constants; undefined elsewhere
  std::map<std::string, at::Tensor> parameters;
  std::map<std::string, at::Tensor> statistics;
  std::map<std::string, Quantised> quantised;
  at::Generator chance;
  Schedule schedule;  // of the last run

  Body(graph::Model m, const NetworkOptions& o)
      : model(std::move(m)),
        options(o),
        slots(model.graph),
        held(slots.count),
        chance(at::detail::createCPUGenerator(o.seed)) {}

  [[nodiscard]] at::ScalarType real() const {
    return options.precision == Precision::float64 ? at::kDouble : at::kFloat;
  }
  // float32 to the network's precision; other types stay.
  [[nodiscard]] at::Tensor in_precision(const at::Tensor& tensor) const {
    return tensor.scalar_type() == at::kFloat ? tensor.to(real()) : tensor;
  }
  Status hold_constants();
  Status hold_quantised(const std::string& name, const graph::Node& reader);
  Status check_inputs(std::span<const at::Tensor> inputs) const;
  Result<const Schedule*> schedule_for(std::span<const std::string> wanted);
  [[nodiscard]] Batch batch_of(std::span<const at::Tensor> inputs) const;
  [[nodiscard]] Values starting_values(std::span<const at::Tensor> inputs) const;
  Status run_step(const Step& step, Values& values, Mode mode, const Batch& batch) const;
};

Status Network::Body::hold_constants() {
  const Constants constants = sort_constants(model.graph);
  for (const auto& [name, constant] : model.graph.constants) {
    if (constant->type == graph::DataType::text) continue;  // only an operator that is not here could read it
    ALARA_TRY(const at::Tensor tensor, to_torch(*constant));
    at::Tensor& place = held[slots.slot(name)];
    place = in_precision(tensor);
    if (constants.statistics.contains(name)) statistics.emplace(name, place);
    if (!constants.learned.contains(name) || constants.quantised.contains(name)) continue;
    place.set_requires_grad(true);
    parameters.emplace(name, place);
  }
  for (const auto& [name, reader] : constants.quantised) ALARA_CHECK(hold_quantised(name, model.graph.nodes[reader]));
  return {};
}

Status Network::Body::hold_quantised(const std::string& name, const graph::Node& reader) {
  const at::Tensor integers = held[slots.slot(name)];
  const auto range = integer_range(model.graph.constant(name)->type);
  if (!range)
    return fail(ErrorKind::bad_input, "{}: its integers are {}", reader.label(), model.graph.constant(name)->text());
  const auto broadcast = [&](const at::Tensor& factor) {
    if (factor.numel() == 1) return factor.to(real()).reshape({});
    Integers shape(static_cast<std::size_t>(integers.dim()), 1);
    shape.at(static_cast<std::size_t>(axis_in(reader.integer("axis", 1), integers.dim()))) = -1;
    return factor.to(real()).reshape(shape);
  };
  Quantised entry;
  entry.slot = slots.slot(name);
  entry.scale = broadcast(held[slots.slot(reader.input(1))]);
  entry.zero = reader.input(2).empty() ? at::zeros({}, real()) : broadcast(held[slots.slot(reader.input(2))]);
  entry.range = narrowed(*range, integers, entry.zero);
  at::Tensor numbers = (integers.to(real()) - entry.zero) * entry.scale;
  parameters.emplace(name, numbers.set_requires_grad(true));
  quantised.emplace(name, std::move(entry));
  return {};
}

Status Network::Body::check_inputs(std::span<const at::Tensor> inputs) const {
  const auto& declared = model.graph.inputs;
  if (inputs.size() != declared.size())
    return fail(ErrorKind::bad_input, "{} inputs given to a model of {}", inputs.size(), declared.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) return fail(ErrorKind::bad_input, "input '{}' is missing", declared[i].name);
    if (!declared[i].dims) continue;
    const graph::Dims& dims = *declared[i].dims;
    bool fits = inputs[i].dim() == static_cast<std::int64_t>(dims.size());
    for (std::size_t d = 1; fits && d < dims.size(); ++d)
      fits = !dims[d].known() || dims[d].size == inputs[i].size(static_cast<std::int64_t>(d));
    if (!fits) return fail(ErrorKind::bad_input, "{} does not fit input {}", text_of(inputs[i]), declared[i].text());
  }
  return {};
}

Result<const Schedule*> Network::Body::schedule_for(std::span<const std::string> wanted) {
  std::vector<std::size_t> places;
  for (const std::string& name : wanted) places.push_back(slots.slot(name));
  for (const graph::ValueInfo& output : model.graph.outputs)
    if (wanted.empty()) places.push_back(slots.slot(output.name));
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i] == kNoSlot) return fail(ErrorKind::not_found, "the graph has no value '{}'", wanted[i]);
  if (schedule.wanted != places || schedule.entries.empty()) schedule = make_schedule(slots, std::move(places));
  return &schedule;
}

Batch Network::Body::batch_of(std::span<const at::Tensor> inputs) const {
  Batch out;
  if (inputs.empty() || inputs[0].dim() == 0) return out;
  const auto& dims = model.graph.inputs[0].dims;
  if (dims && !dims->empty()) out.declared = dims->front().size;
  out.actual = inputs[0].size(0);
  return out;
}

Values Network::Body::starting_values(std::span<const at::Tensor> inputs) const {
  Values out = held;
  for (std::size_t i = 0; i < inputs.size(); ++i) out[slots.slot(model.graph.inputs[i].name)] = in_precision(inputs[i]);
  for (const auto& [name, entry] : quantised) out[entry.slot] = entry.integers(parameters.at(name));
  return out;
}

Status Network::Body::run_step(const Step& step, Values& values, Mode mode, const Batch& batch) const {
  const graph::Node& node = model.graph.nodes[step.node];
  Values inputs;
  for (const std::size_t slot : step.inputs) inputs.push_back(slot == kNoSlot ? at::Tensor() : values[slot]);
  const auto failed = [&](const std::string& why) {
    return fail(ErrorKind::bad_input, "{} of {} failed: {}", node.label(), shapes_text(inputs), why);
  };
  try {
    const Values made = step.op->run({node, inputs, step.types, mode, real(), batch, step.carries_batch, chance});
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] == kNoSlot) continue;
      if (i >= made.size()) return failed(fmt::format("its output {} is not computed here", i));
      values[step.outputs[i]] = made[i];
    }
  } catch (const c10::Error& error) {
    return failed(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return failed(error.what());
  }
  return {};
}

Network::Network(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

Result<Network> Network::build(graph::Model model, const NetworkOptions& options) {
  ALARA_CHECK(graph::upgrade(model));
  ALARA_CHECK(check_operators(model.graph));
  auto body = std::make_unique<Body>(std::move(model), options);
  try {
    ALARA_CHECK(body->hold_constants());
  } catch (const std::exception& error) {
    return fail(ErrorKind::bad_input, "the constants of the graph can not be taken over: {}", error.what());
  }
  return Network(std::move(body));
}

Result<std::vector<at::Tensor>> Network::run(std::span<const at::Tensor> inputs, std::span<const std::string> wanted,
                                             Mode mode) {
  Body& body = *body_;
  ALARA_CHECK(body.check_inputs(inputs));
  ALARA_TRY(const Schedule* const schedule, body.schedule_for(wanted));
  const Batch batch = body.batch_of(inputs);
  Values values = body.starting_values(inputs);
  for (const Schedule::Entry& entry : schedule->entries) {
    ALARA_CHECK(body.run_step(body.slots.steps[entry.step], values, mode, batch));
    for (const std::size_t slot : entry.finished) values[slot].reset();
  }
  std::vector<at::Tensor> out;
  for (const std::size_t slot : schedule->wanted) out.push_back(values[slot]);
  return out;
}

const std::map<std::string, at::Tensor>& Network::parameters() const { return body_->parameters; }
const std::map<std::string, at::Tensor>& Network::statistics() const { return body_->statistics; }

graph::Model Network::model() const {
  graph::Model out = body_->model;
  const auto store = [&](const std::string& name, const at::Tensor& tensor) {
    graph::Constant& constant = out.graph.constants.at(name);
    constant = graph::share(from_torch(tensor, constant->type));
  };
  for (const auto& [name, tensor] : body_->statistics) store(name, tensor);
  for (const auto& [name, tensor] : body_->parameters) {
    const auto entry = body_->quantised.find(name);
    store(name, entry == body_->quantised.end() ? tensor : entry->second.integers(tensor.detach()));
  }
  return out;
}

void Network::reseed(std::uint64_t seed) { body_->chance.set_current_seed(seed); }

void set_up_process(int threads) {
  const auto cpus = static_cast<int>(std::thread::hardware_concurrency());
  at::set_num_threads(threads > 0 ? threads : std::max(1, cpus));
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace alara::learn
