// SPDX-License-Identifier: Apache-2.0
#include "learn/compress/distillation.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "base/hash.hpp"
#include "graph/shapes.hpp"
#include "graph/upgrade.hpp"

namespace alara::learn {
namespace {

Status check(const DistilOptions& options) {
  if (!(options.temperature >= 1 && options.temperature <= 100))
    return fail(ErrorKind::bad_input, "the temperature is {}; 1 to 100 is possible, 2 to 8 is usual",
                options.temperature);
  if (!(options.weight >= 0 && options.weight <= 1))
    return fail(ErrorKind::bad_input, "the teacher's share of the loss is {}; it lies between 0 and 1", options.weight);
  if (!(options.feature_weight >= 0))
    return fail(ErrorKind::bad_input, "the features' weight is {}; it can not be negative", options.feature_weight);
  return {};
}

// Hinton et al. (2015), section 2: probabilities softened by the temperature; the loss is multiplied by its square, so
// that its gradients keep their size beside those of the labels.
at::Tensor softened_divergence(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  const at::Tensor log_student = at::log_softmax(student / temperature, 1);
  const at::Tensor log_teacher = at::log_softmax(teacher / temperature, 1);
  const at::Tensor divergence = at::kl_div(log_student, log_teacher, at::Reduction::Sum, /*log_target=*/true);
  return divergence * (temperature * temperature / static_cast<double>(student.size(0)));
}

// The larger of two feature maps averaged down to the size of the smaller.
void match_places(at::Tensor& a, at::Tensor& b) {
  if (a.dim() != 4 || b.dim() != 4) return;
  const std::int64_t height = std::min(a.size(2), b.size(2));
  const std::int64_t width = std::min(a.size(3), b.size(3));
  if (a.size(2) != height || a.size(3) != width) a = at::adaptive_avg_pool2d(a, {height, width});
  if (b.size(2) != height || b.size(3) != width) b = at::adaptive_avg_pool2d(b, {height, width});
}

Result<at::Tensor> feature_loss(at::Tensor student, at::Tensor teacher, const FeaturePair& pair) {
  match_places(student, teacher);
  if (student.sizes() != teacher.sizes())
    return fail(ErrorKind::bad_input, "feature '{}' of the teacher has shape {}, '{}' of the student {}", pair.teacher,
                graph::text_of(teacher.sizes()), pair.student, graph::text_of(student.sizes()));
  const at::Tensor variance = teacher.var(/*unbiased=*/false).clamp_min(1e-12);
  return at::mse_loss(student, teacher) / variance;
}

// What the loss of one batch is made of.
struct Lesson {
  Objective plain;  // the data's own
  DistilOptions options;
  std::vector<std::string> teacher_values;  // its logits, then its features
  Target target;
  Network* teacher;

  Result<at::Tensor> loss(const LossInputs& in) const {
    ALARA_TRY(at::Tensor total, plain.loss(in));
    if (in.mode == Mode::infer) return total;  // what is compared between trainings
    std::vector<at::Tensor> said;
    {
      const at::NoGradGuard no_gradients;
      ALARA_TRY(said, teacher->run(std::span(&in.inputs, 1), teacher_values, Mode::infer));
    }
    const at::Tensor student = in.values.front().flatten(1);
    const at::Tensor model = said.front().flatten(1);
    if (student.sizes() != model.sizes())
      return fail(ErrorKind::bad_input, "the teacher says {} numbers for each row, the student {}", model.size(1),
                  student.size(1));
    const at::Tensor likeness = target == Target::classes ? softened_divergence(student, model, options.temperature)
                                                          : at::mse_loss(student, model);
    total = total * (1 - options.weight) + likeness * options.weight;
    for (std::size_t i = 0; i < options.features.size(); ++i) {
      ALARA_TRY(const at::Tensor difference, feature_loss(in.values[i + 1], said[i + 1], options.features[i]));
      total = total + difference * options.feature_weight;
    }
    return total;
  }
};

// Of the teacher's weights and the pairs of features.
std::uint64_t hash_of(const graph::Model& teacher, const DistilOptions& options) {
  std::uint64_t hash = kFnvBasis;
  for (const auto& [name, constant] : teacher.graph.constants)
    hash = fnv1a({reinterpret_cast<const char*>(constant->bytes.data()), constant->bytes.size()}, fnv1a(name, hash));
  for (const FeaturePair& pair : options.features) hash = fnv1a(pair.teacher + "=" + pair.student + ";", hash);
  return hash;
}

bool has_value(const graph::Graph& graph, const std::string& value) {
  return graph::Wiring(graph).producer(value).has_value();
}

// Channels of a value, and whether it has places (height and width).
struct Features {
  std::int64_t channels = 0;
  std::size_t rank = 0;
};

Result<Features> features_of(const graph::Model& model, const std::string& value, std::string_view whose) {
  ALARA_TRY(const graph::ValueTable values, graph::infer_shapes(model));
  const auto found = values.find(value);
  if (found == values.end())
    return fail(ErrorKind::bad_input, "the {} has no value '{}'; alara-lab inspect lists them", whose, value);
  if (!found->second.dims || found->second.dims->size() < 2 || !(*found->second.dims)[1].known())
    return fail(ErrorKind::bad_input, "'{}' of the {} has no known number of channels", value, whose);
  return Features{(*found->second.dims)[1].size, found->second.dims->size()};
}

// A 1x1 convolution (or a matrix) from the student's channels to the teacher's; its output is what is compared.
std::string add_adapter(graph::Graph& graph, const std::string& value, const Features& from, const Features& to) {
  graph::Names names(graph);
  graph::Shape shape = {to.channels, from.channels};
  if (from.rank > 2) shape.insert(shape.end(), from.rank - 2, 1);
  graph::Tensor weights = graph::Tensor::zeros(graph::DataType::float32, shape);
  Random chance({0, 0x61646170});
  const auto limit = static_cast<float>(std::sqrt(3.0 / static_cast<double>(from.channels)));
  for (float& weight : weights.mutable_values<float>()) weight = (2 * static_cast<float>(chance.uniform()) - 1) * limit;
  const std::string constant = names.fresh(value + ".adapter");
  const std::string output = names.fresh(value + ".adapted");
  graph.constants.emplace(constant, graph::share(std::move(weights)));
  graph::Node node{from.rank > 2 ? "Conv" : "Gemm", {}, output, {value, constant}, {output}, {}};
  if (from.rank == 2) node.attributes["transB"] = std::int64_t{1};
  graph.nodes.push_back(std::move(node));
  return output;
}

// The student with adapters where they are needed; `features` then name what is compared.
Status add_adapters(graph::Model& student, const graph::Model& teacher, std::vector<FeaturePair>& features) {
  for (FeaturePair& pair : features) {
    ALARA_TRY(const Features from, features_of(student, pair.student, "student"));
    ALARA_TRY(const Features to, features_of(teacher, pair.teacher, "teacher"));
    if (from.rank != to.rank)
      return fail(ErrorKind::bad_input, "'{}' of the student has {} dimensions, '{}' of the teacher {}", pair.student,
                  from.rank, pair.teacher, to.rank);
    if (from.channels != to.channels) pair.student = add_adapter(student.graph, pair.student, from, to);
  }
  return {};
}

}  // namespace

Result<Objective> distillation_objective(const graph::Model& student, const graph::Model& teacher,
                                         Network& teacher_network, const Dataset& data, const DistilOptions& options,
                                         double label_smoothing) {
  ALARA_CHECK(check(options));
  ALARA_TRY(Objective plain, objective_for(student, data, label_smoothing));
  ALARA_TRY(const Objective teachers, objective_for(teacher, data, 0));
  Lesson lesson{plain, options, teachers.wanted, data.target(), &teacher_network};
  for (const FeaturePair& pair : options.features) {
    if (!has_value(teacher.graph, pair.teacher) || !has_value(student.graph, pair.student))
      return fail(ErrorKind::bad_input, "there is no value '{}' in the teacher, or no '{}' in the student",
                  pair.teacher, pair.student);
    lesson.teacher_values.push_back(pair.teacher);
    plain.wanted.push_back(pair.student);
  }
  Objective out;
  out.identity = fmt::format("{} temperature={} weight={} features={} teacher={:016x}", plain.identity,
                             options.temperature, options.weight, options.feature_weight, hash_of(teacher, options));
  out.wanted = plain.wanted;
  out.loss = [lesson = std::move(lesson)](const LossInputs& in) { return lesson.loss(in); };
  return out;
}

Result<Trained> distil(graph::Model student, const graph::Model& teacher, const Dataset& data,
                       const DistilOptions& options, const TrainOptions& training, Progress& progress) {
  graph::Model learned = teacher;
  ALARA_CHECK(graph::upgrade(student));
  ALARA_CHECK(graph::upgrade(learned));
  DistilOptions adapted = options;
  ALARA_CHECK(add_adapters(student, learned, adapted.features));
  ALARA_TRY(Network teacher_network, Network::build(learned));
  ALARA_TRY(Objective objective,
            distillation_objective(student, learned, teacher_network, data, adapted, training.label_smoothing));
  ALARA_TRY(Trained out, train(std::move(student), data, training, std::move(objective), {}, progress));
  graph::remove_unused(out.model.graph);
  return out;
}

}  // namespace alara::learn
