// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/compare.hpp"

#include <algorithm>
#include <cmath>

namespace alara::graph {

Status Agreement::add(const TensorView& original, const TensorView& changed) {
  if (!std::equal(original.shape.begin(), original.shape.end(), changed.shape.begin(), changed.shape.end()))
    return fail(ErrorKind::bad_input, "shapes {} and {} differ", text_of(original.shape), text_of(changed.shape));
  const auto a = original.values<float>();
  const auto b = changed.values<float>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    if (!std::isfinite(x) || !std::isfinite(y)) {
      not_finite_ += x == y ? 0 : 1;  // the same infinity in both is no difference
      continue;
    }
    signal_ += x * x;
    changed_ += y * y;
    product_ += x * y;
    noise_ += (x - y) * (x - y);
    largest_ = std::max(largest_, std::fabs(x - y));
  }
  return {};
}

double Agreement::sqnr_db() const {
  if (not_finite_ > 0) return -kExactDb;
  if (noise_ == 0) return kExactDb;
  if (signal_ == 0) return -kExactDb;
  return std::clamp(10 * std::log10(signal_ / noise_), -kExactDb, kExactDb);
}

double Agreement::cosine() const {
  if (not_finite_ > 0) return 0;
  if (signal_ == 0 && changed_ == 0) return 1;
  if (signal_ == 0 || changed_ == 0) return 0;
  return product_ / std::sqrt(signal_ * changed_);
}

namespace {

class Pair {
 public:
  explicit Pair(std::vector<std::string> values) {
    for (std::string& value : values) compared_.push_back({std::move(value), {}});
    comparable_.resize(compared_.size(), true);
  }
  Status add(std::span<const TensorView> original, std::span<const TensorView> changed) {
    for (std::size_t i = 0; i < compared_.size(); ++i) {
      if (original[i].type != DataType::float32 || changed[i].type != DataType::float32) {
        comparable_[i] = false;
      } else if (const Status added = compared_[i].agreement.add(original[i], changed[i]); !added) {
        return fail(ErrorKind::bad_input, "value '{}': {}", compared_[i].value, added.error().message);
      }
    }
    return {};
  }
  std::vector<Compared> take() && {
    std::vector<Compared> out;
    for (std::size_t i = 0; i < compared_.size(); ++i)
      if (comparable_[i]) out.push_back(std::move(compared_[i]));
    return out;
  }

 private:
  std::vector<Compared> compared_;
  std::vector<bool> comparable_;
};

}  // namespace

Result<std::vector<Compared>> compare(const Model& original, const Model& changed, SampleSource& samples,
                                      const ExecutorFactory& executors, const CompareOptions& options,
                                      Progress& progress) {
  std::vector<std::string> values = options.values;
  if (values.empty())
    for (const ValueInfo& output : original.graph.outputs) values.push_back(output.name);
  ALARA_TRY(const std::unique_ptr<Executor> before, executors(original, values, {}));
  ALARA_TRY(const std::unique_ptr<Executor> after, executors(changed, values, {}));
  Pair pair(values);
  const auto run_both = [&](std::span<const TensorView> inputs) -> Status {
    ALARA_TRY(const std::vector<TensorView> one, before->run(inputs));
    ALARA_TRY(const std::vector<TensorView> other, after->run(inputs));
    return pair.add(one, other);
  };
  ALARA_CHECK(for_each_sample(samples, options.max_samples, "comparing", progress, run_both));
  return std::move(pair).take();
}

Result<Reference> Reference::of(const Model& original, SampleSource& samples, std::size_t count,
                                const ExecutorFactory& executors, Progress& progress) {
  Reference out;
  for (const ValueInfo& output : original.graph.outputs) out.values_.push_back(output.name);
  ALARA_TRY(const std::unique_ptr<Executor> executor, executors(original, out.values_, {}));
  const auto keep = [](std::span<const TensorView> views) {
    std::vector<Tensor> copies;
    for (const TensorView& one : views) copies.push_back(one.copy());
    return copies;
  };
  ALARA_CHECK(for_each_sample(samples, count, "running the float model", progress, [&](auto inputs) -> Status {
    out.inputs_.push_back(keep(inputs));
    ALARA_TRY(const std::vector<TensorView> values, executor->run(inputs));
    out.outputs_.push_back(keep(values));
    return {};
  }));
  return out;
}

Result<std::vector<Compared>> Reference::compare(const Model& changed, const ExecutorFactory& executors) const {
  ALARA_TRY(const std::unique_ptr<Executor> executor, executors(changed, values_, {}));
  Pair pair(values_);
  const auto views = [](const std::vector<Tensor>& tensors) {
    std::vector<TensorView> out;
    for (const Tensor& tensor : tensors) out.push_back(view(tensor));
    return out;
  };
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    ALARA_TRY(const std::vector<TensorView> values, executor->run(views(inputs_[i])));
    ALARA_CHECK(pair.add(views(outputs_[i]), values));
  }
  return std::move(pair).take();
}

OutputQuality worst_of(const std::vector<Compared>& outputs) {
  OutputQuality out{kExactDb, 1};
  for (const Compared& output : outputs) {
    out.sqnr_db = std::min(out.sqnr_db, output.agreement.sqnr_db());
    out.cosine = std::min(out.cosine, output.agreement.cosine());
  }
  return out;
}

}  // namespace alara::graph
