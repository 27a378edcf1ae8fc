// SPDX-License-Identifier: Apache-2.0
#include "learn/data/score.hpp"

#include <algorithm>

namespace alara::learn {
namespace {

using graph::Tensor;
using graph::TensorView;

// The class with the largest number of each row: that many hits among `labels`.
std::size_t hits(std::span<const float> numbers, std::span<const std::int64_t> labels) {
  const std::size_t width = numbers.size() / labels.size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = numbers.subspan(i * width, width);
    count += std::max_element(row.begin(), row.end()) - row.begin() == labels[i] ? 1 : 0;
  }
  return count;
}

// Mean squared difference of each row.
void add_errors(std::span<const float> numbers, std::span<const float> wanted, std::size_t rows,
                std::vector<double>& out) {
  const std::size_t width = numbers.size() / rows;
  for (std::size_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (std::size_t k = i * width; k < (i + 1) * width; ++k) {
      const double difference = static_cast<double>(numbers[k]) - static_cast<double>(wanted[k]);
      sum += difference * difference;
    }
    out.push_back(sum / static_cast<double>(width));
  }
}

Status check_output(const TensorView& output, const Minibatch& batch, const Dataset& data, std::size_t rows) {
  const auto refuse = [&](std::string_view what, std::int64_t wanted) {
    return fail(ErrorKind::bad_input, "the model gives {}{} for {} rows, but {} {} are wanted of each",
                graph::name_of(output.type), graph::text_of(output.shape), rows, wanted, what);
  };
  const auto each = static_cast<std::int64_t>(output.bytes.size() / sizeof(float) / rows);
  const bool even = output.type == graph::DataType::float32 && output.bytes.size() / sizeof(float) % rows == 0;
  if (data.target() == Target::classes)
    return even && each >= data.classes() ? Status{} : refuse("classes", data.classes());
  const Tensor& wanted = data.target() == Target::values ? batch.targets : batch.inputs;
  const std::int64_t numbers = wanted.elements() / static_cast<std::int64_t>(rows);
  return even && each == numbers ? Status{} : refuse("numbers", numbers);
}

}  // namespace

Result<Score> score_of(const graph::Model& model, const Dataset& data, Part part,
                       const graph::ExecutorFactory& executors, const ScoreOptions& options) {
  if (data.size(part) == 0) return fail(ErrorKind::bad_input, "the data set has no rows to measure with");
  if (model.graph.inputs.size() != 1 || model.graph.outputs.empty())
    return fail(ErrorKind::bad_input, "a model with one input and an output is measured; this one has {} and {}",
                model.graph.inputs.size(), model.graph.outputs.size());
  const std::vector<std::string> wanted = {model.graph.outputs.front().name};
  ALARA_TRY(const auto executor, executors(model, wanted, {options.threads, true}));
  const auto& dims = model.graph.inputs.front().dims;
  const bool free = !dims || dims->empty() || !dims->front().known();
  const std::size_t step = free ? std::max<std::size_t>(options.batch, 1) : 1;
  Score score;
  std::size_t right = 0;
  score.samples = options.most > 0 ? std::min(options.most, data.size(part)) : data.size(part);
  for (std::size_t first = 0; first < score.samples; first += step) {
    const std::size_t rows = std::min(step, score.samples - first);
    const Minibatch batch = data.batch(part, first, rows);
    InputForm form = data.form();
    form.sample[0] = static_cast<std::int64_t>(rows);
    ALARA_TRY(const Tensor input, as_input(form, batch.inputs.values<float>()));
    const TensorView views[] = {graph::view(input)};
    ALARA_TRY(const auto outputs, executor->run(views));
    ALARA_CHECK(check_output(outputs.front(), batch, data, rows));
    const auto numbers = outputs.front().values<float>();
    if (data.target() == Target::classes) {
      right += hits(numbers, batch.labels);
    } else {
      add_errors(numbers, (data.target() == Target::values ? batch.targets : batch.inputs).values<float>(), rows,
                 score.errors);
    }
  }
  const double count = static_cast<double>(score.samples);
  score.accuracy = 100 * static_cast<double>(right) / count;
  for (const double error : score.errors) score.mean_square += error / count;
  return score;
}

}  // namespace alara::learn
