// SPDX-License-Identifier: Apache-2.0
#include "learn/train/batches.hpp"

#include <ATen/ATen.h>

#include "graph/upgrade.hpp"
#include "learn/train/trainer.hpp"

namespace alara::learn {
namespace {

std::int64_t rows_right(const at::Tensor& numbers, const at::Tensor& labels) {
  const at::NoGradGuard no_gradients;
  return numbers.detach().flatten(1).argmax(1).eq(labels).sum().item<std::int64_t>();
}

}  // namespace

Result<BatchLoss> loss_of(Network& network, const Minibatch& batch, const Dataset& data, const Objective& objective,
                          Mode mode) {
  LossInputs in;
  in.mode = mode;
  ALARA_TRY(in.inputs, to_torch(batch.inputs));
  if (in.inputs.dim() == 4) in.inputs = in.inputs.contiguous(at::MemoryFormat::ChannelsLast);
  if (data.target() == Target::classes) in.labels = at::tensor(batch.labels, at::kLong);
  if (data.target() == Target::itself) in.targets = in.inputs;
  if (data.target() == Target::values) {
    ALARA_TRY(in.targets, to_torch(batch.targets));
  }
  ALARA_TRY(const auto values, network.run({&in.inputs, 1}, objective.wanted, mode));
  in.values = values;
  BatchLoss out;
  try {
    ALARA_TRY(out.loss, objective.loss(in));
    if (in.labels.defined() && values.front().dim() > 1 && values.front().size(0) == in.labels.size(0))
      out.right = rows_right(values.front(), in.labels);
  } catch (const std::exception& error) {
    return fail(ErrorKind::bad_input, "the loss can not be computed: {}", error.what());
  }
  return out;
}

Status backward(const at::Tensor& loss) {
  try {
    loss.backward();
  } catch (const std::exception& error) {
    return fail(ErrorKind::internal, "gradients can not be computed: {}", error.what());
  }
  return {};
}

Result<Evaluation> evaluate(Network& network, const Dataset& data, Part part, const Objective& objective,
                            std::size_t batch) {
  const at::NoGradGuard no_gradients;
  const std::size_t size = data.size(part);
  if (size == 0) return fail(ErrorKind::bad_input, "the data set has no rows to evaluate");
  Evaluation out;
  std::int64_t right = 0;
  for (std::size_t first = 0; first < size; first += batch) {
    const std::size_t rows = std::min(batch, size - first);
    ALARA_TRY(const BatchLoss result, loss_of(network, data.batch(part, first, rows), data, objective, Mode::infer));
    out.loss += static_cast<double>(result.loss.item<float>()) * static_cast<double>(rows) / static_cast<double>(size);
    right += result.right;
  }
  if (data.target() == Target::classes) out.accuracy = 100 * static_cast<double>(right) / static_cast<double>(size);
  return out;
}

Result<Trained> train(graph::Model model, const Dataset& data, const TrainOptions& options, Progress& progress) {
  ALARA_CHECK(graph::upgrade(model));
  ALARA_TRY(Objective objective, objective_for(model, data, options.label_smoothing));
  return train(std::move(model), data, options, std::move(objective), {}, progress);
}

Result<Trained> train(graph::Model model, const Dataset& data, const TrainOptions& options, Objective objective,
                      Hooks hooks, Progress& progress) {
  ALARA_TRY(Network network, Network::build(std::move(model)));
  Trainer trainer(network, data, options, std::move(objective), std::move(hooks));
  Trained out;
  ALARA_TRY(out.report, trainer.run(progress));
  out.model = network.model();
  out.model.metadata[std::string(kPreprocessingKey)] = data.preprocessing().text();
  std::string classes;
  for (const std::string& name : data.class_names()) classes += (classes.empty() ? "" : "\n") + name;
  if (!classes.empty()) out.model.metadata["alara.classes"] = classes;
  return out;
}

}  // namespace alara::learn
