// SPDX-License-Identifier: Apache-2.0
#include "learn/data/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/hash.hpp"
#include "learn/data/augmentation.hpp"

namespace alara::learn {
namespace {

using graph::DataType;
using graph::Tensor;

template <typename T>
void copy_as_floats(const Tensor& rows, std::size_t first, std::span<float> out) {
  const auto* from = reinterpret_cast<const T*>(rows.bytes.data()) + first;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(from[i]);
}

// Row i of the recorded numbers.
void read_row(const Tensor& rows, std::size_t i, std::span<float> out) {
  const std::size_t first = i * out.size();
  switch (rows.type) {
    case DataType::float32:
      return copy_as_floats<float>(rows, first, out);
    case DataType::float64:
      return copy_as_floats<double>(rows, first, out);
    case DataType::boolean:
    case DataType::uint8:
      return copy_as_floats<std::uint8_t>(rows, first, out);
    case DataType::int8:
      return copy_as_floats<std::int8_t>(rows, first, out);
    case DataType::uint16:
      return copy_as_floats<std::uint16_t>(rows, first, out);
    case DataType::int16:
      return copy_as_floats<std::int16_t>(rows, first, out);
    case DataType::uint32:
      return copy_as_floats<std::uint32_t>(rows, first, out);
    case DataType::int32:
      return copy_as_floats<std::int32_t>(rows, first, out);
    case DataType::uint64:
      return copy_as_floats<std::uint64_t>(rows, first, out);
    case DataType::int64:
      return copy_as_floats<std::int64_t>(rows, first, out);
    case DataType::float16:
      for (std::size_t k = 0; k < out.size(); ++k) {
        std::uint16_t half = 0;
        std::memcpy(&half, rows.bytes.data() + 2 * (first + k), sizeof half);
        out[k] = graph::from_half(half);
      }
      return;
    default:
      abort_with("rows are numbers", __FILE__, __LINE__);
  }
}

std::vector<std::uint32_t> all_of(std::size_t size) {
  std::vector<std::uint32_t> members(size);
  std::iota(members.begin(), members.end(), 0);
  return members;
}

class PartSamples final : public graph::SampleSource {
 public:
  PartSamples(const Dataset& data, Part part) : data_(data), part_(part) {}
  [[nodiscard]] std::size_t size() const override { return data_.size(part_); }
  [[nodiscard]] Result<std::vector<Tensor>> sample(std::size_t i) override {
    const Minibatch one = data_.batch(part_, i, 1);
    ALARA_TRY(Tensor input, as_input(data_.form(), one.inputs.values<float>()));
    std::vector<Tensor> out;
    out.push_back(std::move(input));
    return out;
  }

 private:
  const Dataset& data_;
  Part part_;
};

}  // namespace

Result<Dataset> Dataset::open(const std::filesystem::path& folder, const graph::ValueInfo& input,
                              const DatasetOptions& options) {
  ALARA_TRY(const InputForm form, form_of(input, options.preprocessing));
  ALARA_TRY(FoundRows rows, find_rows(folder, form, options.preprocessing.order));
  auto data = of(std::move(rows), input, options);
  if (!data && !data.error().where.known()) data.error().where = {folder.string(), 0, 0};
  return data;
}

Result<Dataset> Dataset::of(FoundRows rows, const graph::ValueInfo& input, const DatasetOptions& options) {
  Dataset data;
  ALARA_TRY(data.form_, form_of(input, options.preprocessing));
  for (const LabelledRows* part : {&rows.train, &rows.validation, &rows.test})
    if (part == &rows.train || part->size() > 0) ALARA_CHECK(check_rows(*part, data.form_));
  if (!(options.validation >= 0 && options.validation < 1))
    return fail(ErrorKind::bad_input, "the validation share {} is not within 0 and 1", options.validation);
  data.class_names_ = rows.classes;
  data.divide(std::move(rows), options);
  ALARA_CHECK(data.choose_target(options.target));
  ALARA_CHECK(data.normalise(options));
  return data;
}

// The parts, as numbers of rows. What is set aside depends on the seed and the number of rows alone.
void Dataset::divide(FoundRows rows, const DatasetOptions& options) {
  const bool set_aside = rows.validation.size() == 0;
  std::vector<std::uint32_t> train = all_of(rows.train.size());
  const auto whole = std::make_shared<const LabelledRows>(std::move(rows.train));
  if (set_aside || options.most > 0) Random({options.seed, 0x5e7}).shuffle(std::span(train));
  const auto aside = set_aside ? static_cast<std::size_t>(options.validation * static_cast<double>(train.size())) : 0;
  std::vector<std::uint32_t> validation(train.begin(), train.begin() + static_cast<std::ptrdiff_t>(aside));
  train.erase(train.begin(), train.begin() + static_cast<std::ptrdiff_t>(aside));
  if (options.most > 0 && train.size() > options.most) train.resize(options.most);
  std::sort(train.begin(), train.end());
  std::sort(validation.begin(), validation.end());
  const auto of_its_own = [](LabelledRows own) {
    std::vector<std::uint32_t> members = all_of(own.size());
    return Share{std::make_shared<const LabelledRows>(std::move(own)), std::move(members)};
  };
  shares_[0] = {whole, std::move(train)};
  shares_[1] = set_aside ? Share{whole, std::move(validation)} : of_its_own(std::move(rows.validation));
  shares_[2] = of_its_own(std::move(rows.test));
}

Status Dataset::choose_target(std::optional<Target> wanted) {
  const auto all_have = [&](auto&& has) {
    return std::all_of(std::begin(shares_), std::end(shares_),
                       [&](const Share& share) { return share.members.empty() || has(*share.rows); });
  };
  const bool labels = all_have([](const LabelledRows& rows) { return !rows.labels.empty(); });
  const bool targets = all_have([](const LabelledRows& rows) { return rows.targets.type != DataType::undefined; });
  target_ = wanted.value_or(labels ? Target::classes : Target::values);
  if (target_ == Target::classes && !labels)
    return fail(ErrorKind::bad_input, "there are no labels for all parts; classes need labels.npy or class folders");
  if (target_ == Target::values && !targets)
    return tl::unexpected<Error>(Error{ErrorKind::bad_input,
                                       "there are neither labels nor targets for all parts",
                                       {},
                                       "add labels.npy or targets.npy, or let the inputs be learnt by themselves"});
  if (target_ != Target::classes) return {};
  classes_ = static_cast<std::int64_t>(class_names_.size());
  for (const Share& share : shares_)
    for (const std::int64_t label : share.rows->labels) classes_ = std::max(classes_, label + 1);
  return {};
}

Status Dataset::normalise(const DatasetOptions& options) {
  preprocessing_ = options.preprocessing;
  if (!preprocessing_.scale) preprocessing_.scale = shares_[0].rows->natural_scale;
  if (options.measure_mean) measure_mean();
  ALARA_TRY(normaliser_, Normaliser::make(form_, preprocessing_, 1));
  return {};
}

// Of the training part, each channel over all rows and places, in one pass of double sums.
void Dataset::measure_mean() {
  Preprocessing plain;
  const auto channels = static_cast<std::size_t>(form_.channels);
  const Normaliser places = *Normaliser::make(form_, plain, 1);
  std::vector<double> sum(channels), squares(channels);
  std::vector<float> row(static_cast<std::size_t>(form_.elements()));
  const double scale = static_cast<double>(*preprocessing_.scale);
  for (const std::uint32_t member : shares_[0].members) {
    read_row(shares_[0].rows->inputs, member, row);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double number = static_cast<double>(row[i]) * scale;
      sum[places.channel_of(i)] += number;
      squares[places.channel_of(i)] += number * number;
    }
  }
  const double count = static_cast<double>(shares_[0].members.size() * row.size() / channels);
  preprocessing_.mean.clear();
  preprocessing_.deviation.clear();
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = sum[c] / count, variance = std::max(squares[c] / count - mean * mean, 0.0);
    preprocessing_.mean.push_back(static_cast<float>(mean));
    preprocessing_.deviation.push_back(variance > 1e-12 ? static_cast<float>(std::sqrt(variance)) : 1.F);
  }
}

Minibatch Dataset::batch(Part part, std::span<const std::uint32_t> rows, const Augmentation& augmentation,
                         Random chance) const {
  const Share& from = share(part);
  const auto size = static_cast<std::size_t>(form_.elements());
  Minibatch out;
  graph::Shape shape = form_.sample;
  shape[0] = static_cast<std::int64_t>(rows.size());
  out.inputs = Tensor::zeros(DataType::float32, std::move(shape));
  const std::span<float> numbers = out.inputs.mutable_values<float>();
  std::vector<float> outside, scratch(augmentation.none() ? 0 : size);
  for (std::int64_t c = 0; c < form_.channels; ++c) outside.push_back(normaliser_->offset(static_cast<std::size_t>(c)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<float> sample = numbers.subspan(i * size, size);
    read_row(from.rows->inputs, from.members[rows[i]], sample);
    normaliser_->apply(sample);
    if (!augmentation.none()) vary(sample, scratch, form_, outside, augmentation, chance);
    if (target_ == Target::classes) out.labels.push_back(from.rows->labels[from.members[rows[i]]]);
  }
  if (target_ != Target::values) return out;
  shape = from.rows->targets.shape;
  shape[0] = static_cast<std::int64_t>(rows.size());
  out.targets = Tensor::zeros(DataType::float32, std::move(shape));
  const std::span<float> targets = out.targets.mutable_values<float>();
  const std::size_t width = rows.empty() ? 0 : targets.size() / rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i)
    read_row(from.rows->targets, from.members[rows[i]], targets.subspan(i * width, width));
  return out;
}

Minibatch Dataset::batch(Part part, std::size_t first, std::size_t count) const {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
  return batch(part, rows, {}, Random(0));
}

std::int64_t Dataset::label(Part part, std::size_t row) const {
  ALARA_ASSERT(target_ == Target::classes, "a label is asked of a data set without classes");
  return share(part).rows->labels[share(part).members[row]];
}

std::uint64_t Dataset::hash(Part part, std::size_t most) const {
  constexpr std::size_t kRowsAtOnce = 64;
  const auto add = [](const Tensor& numbers, std::uint64_t hash) {
    return fnv1a({reinterpret_cast<const char*>(numbers.bytes.data()), numbers.bytes.size()}, hash);
  };
  std::uint64_t hash = fnv1a(preprocessing_.text());
  const std::size_t rows = std::min(size(part), most);
  for (std::size_t first = 0; first < rows; first += kRowsAtOnce) {
    const Minibatch some = batch(part, first, std::min(kRowsAtOnce, rows - first));
    hash = add(some.inputs, hash);
    for (const std::int64_t label : some.labels) hash = fnv1a(std::to_string(label) + ",", hash);
    hash = add(some.targets, hash);
  }
  return hash;
}

std::unique_ptr<graph::SampleSource> Dataset::samples(Part part) const {
  return std::make_unique<PartSamples>(*this, part);
}

Status Dataset::check(const Augmentation& augmentation) const {
  if (augmentation.none()) return {};
  if (form_.width == 0)
    return fail(ErrorKind::bad_input,
                "input {} has no width: shifting, flipping and erasing are for pictures and series", form_.text());
  if (augmentation.shift < 0 || augmentation.shift >= form_.width || augmentation.erase < 0 || augmentation.flip < 0 ||
      augmentation.flip > 1)
    return fail(ErrorKind::bad_input, "augmentation by shift {}, flip {} and erase {} does not suit input {}",
                augmentation.shift, augmentation.flip, augmentation.erase, form_.text());
  return {};
}

}  // namespace alara::learn
