// SPDX-License-Identifier: Apache-2.0
#include "learn/data/samples.hpp"

#include <algorithm>

#include "learn/data/file_bytes.hpp"
#include "learn/data/idx.hpp"
#include "learn/data/npy_tensor.hpp"
#include "learn/data/picture.hpp"

namespace alara::learn {
namespace {

namespace fs = std::filesystem;
using graph::SampleSource;
using graph::Shape;
using graph::Tensor;

bool named_like_npy(const fs::path& path) { return path.extension() == ".npy"; }

// Samples of one input.
class Column {
 public:
  virtual ~Column() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual Result<Tensor> sample(std::size_t i) = 0;
};

struct Stack {
  std::int64_t samples = 1;
  bool stacked = false;  // along a first dimension; else the array is one sample without the batch
};

// The samples that an array of this shape makes; nullopt: it does not fit.
std::optional<Stack> stack_in(const Shape& shape, const InputForm& form) {
  const Shape& one = form.sample;
  const std::span<const std::int64_t> rest(one.begin() + 1, one.end());
  if (one[0] == 1 && std::ranges::equal(shape, rest)) return Stack{};
  if (shape.empty() || shape[0] % one[0] != 0) return std::nullopt;
  const Stack rows{shape[0] / one[0], true};
  const std::span<const std::int64_t> row(shape.begin() + 1, shape.end());
  if (std::ranges::equal(row, rest)) return rows;
  // A grey picture may leave its only channel out, and rows of numbers may be flat.
  const auto product = [](std::span<const std::int64_t> sizes) {
    std::int64_t out = 1;
    for (const std::int64_t size : sizes)
      if (__builtin_mul_overflow(out, size, &out)) return std::int64_t{-1};
    return out;
  };
  const bool squeezed = form.channels == 1 || row.size() == 1 || rest.size() == 1;
  if (squeezed && product(row) == product(rest)) return rows;
  return std::nullopt;
}

tl::unexpected<Error> does_not_fit(const fs::path& path, const std::string& found, const InputForm& form) {
  Shape row(form.sample.begin() + 1, form.sample.end());
  return tl::unexpected<Error>(
      Error{ErrorKind::bad_input,
            fmt::format("{} does not fit input {}", found, form.text()),
            {path.string(), 0, 0},
            fmt::format("one sample has shape {}, many are stacked in front of it", graph::text_of(row))});
}

Result<Tensor> prepared(const Tensor& raw, const InputForm& form, const Normaliser& normaliser) {
  ALARA_TRY(std::vector<float> numbers, raw.to_floats());
  normaliser.apply(numbers);
  return as_input(form, numbers);
}

class NpyColumn final : public Column {
 public:
  static Result<std::unique_ptr<Column>> open(const std::vector<fs::path>& paths, InputForm form,
                                              const Preprocessing& preprocessing) {
    ALARA_TRY(Normaliser normaliser, Normaliser::make(form, preprocessing, 1));
    auto column = std::make_unique<NpyColumn>(std::move(form), std::move(normaliser));
    for (const fs::path& path : paths) {
      ALARA_TRY(NpyFile file, NpyFile::open(path));
      const auto stack = stack_in(file.array().shape, column->form_);
      if (!stack) return does_not_fit(path, file.array().text(), column->form_);
      const std::size_t first = column->size_;
      column->size_ += static_cast<std::size_t>(stack->samples);
      column->files_.push_back({std::move(file), first, stack->stacked});
    }
    return column;
  }
  NpyColumn(InputForm form, Normaliser normaliser) : form_(std::move(form)), normaliser_(std::move(normaliser)) {}

  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] Result<Tensor> sample(std::size_t i) override {
    const auto behind = std::upper_bound(files_.begin(), files_.end(), i,
                                         [](std::size_t at, const Part& part) { return at < part.first; });
    const Part& part = *std::prev(behind);
    ALARA_TRY(const Tensor rows,
              part.stacked
                  ? part.file.rows(static_cast<std::int64_t>(i - part.first) * form_.sample[0], form_.sample[0])
                  : part.file.whole());
    return prepared(rows, form_, normaliser_);
  }

 private:
  struct Part {
    NpyFile file;
    std::size_t first;  // number of its first sample
    bool stacked;
  };
  InputForm form_;
  Normaliser normaliser_;
  std::vector<Part> files_;
  std::size_t size_ = 0;
};

class PictureColumn final : public Column {
 public:
  static Result<std::unique_ptr<Column>> open(std::vector<fs::path> paths, InputForm form,
                                              const Preprocessing& preprocessing) {
    if (!form.takes_pictures() || form.sample[0] != 1)
      return fail(ErrorKind::bad_input, "'{}' is a picture, but input {} does not take one picture",
                  paths.front().string(), form.text());
    ALARA_TRY(Normaliser normaliser, Normaliser::make(form, preprocessing, graph::is_float(form.type) ? 1.F / 255 : 1));
    return std::make_unique<PictureColumn>(std::move(paths), std::move(form), std::move(normaliser),
                                           preprocessing.order);
  }
  PictureColumn(std::vector<fs::path> paths, InputForm form, Normaliser normaliser, ColourOrder order)
      : paths_(std::move(paths)), form_(std::move(form)), normaliser_(std::move(normaliser)), order_(order) {}

  [[nodiscard]] std::size_t size() const override { return paths_.size(); }
  [[nodiscard]] Result<Tensor> sample(std::size_t i) override {
    ALARA_TRY(const Picture picture, read_picture(paths_[i], static_cast<int>(form_.channels)));
    std::vector<float> numbers = arranged(resized(picture, form_.width, form_.height), form_, order_);
    normaliser_.apply(numbers);
    return as_input(form_, numbers);
  }

 private:
  std::vector<fs::path> paths_;
  InputForm form_;
  Normaliser normaliser_;
  ColourOrder order_;
};

class IdxColumn final : public Column {
 public:
  static Result<std::unique_ptr<Column>> open(const fs::path& path, InputForm form,
                                              const Preprocessing& preprocessing) {
    ALARA_TRY(Tensor rows, read_idx(path));
    const auto stack = stack_in(rows.shape, form);
    if (!stack) return does_not_fit(path, rows.text(), form);
    const bool bytes = rows.type == graph::DataType::uint8 && graph::is_float(form.type);
    ALARA_TRY(Normaliser normaliser, Normaliser::make(form, preprocessing, bytes ? 1.F / 255 : 1));
    return std::make_unique<IdxColumn>(std::move(rows), static_cast<std::size_t>(stack->samples), std::move(form),
                                       std::move(normaliser));
  }
  IdxColumn(Tensor rows, std::size_t size, InputForm form, Normaliser normaliser)
      : rows_(std::move(rows)), size_(size), form_(std::move(form)), normaliser_(std::move(normaliser)) {}

  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] Result<Tensor> sample(std::size_t i) override {
    Tensor one = Tensor::zeros(rows_.type, form_.sample);
    std::copy_n(rows_.bytes.begin() + static_cast<std::ptrdiff_t>(i * one.bytes.size()), one.bytes.size(),
                one.bytes.begin());
    return prepared(one, form_, normaliser_);
  }

 private:
  Tensor rows_;
  std::size_t size_;
  InputForm form_;
  Normaliser normaliser_;
};

// The folder, or its training part; and of arrays with labels or targets beside them only the inputs.
Result<fs::path> samples_within(const fs::path& folder) {
  ALARA_TRY(const bool in_parts, is_folder(folder / "train"));
  const fs::path part = in_parts ? folder / "train" : folder;
  ALARA_TRY(const bool rows, is_there(part / "inputs.npy"));
  return rows ? part / "inputs.npy" : part;
}

Result<std::unique_ptr<Column>> open_folder(const fs::path& outer, InputForm form, const Preprocessing& preprocessing) {
  ALARA_TRY(const fs::path folder, samples_within(outer));
  if (named_like_npy(folder)) return NpyColumn::open({folder}, std::move(form), preprocessing);
  ALARA_TRY(const auto arrays, files_in(folder, 0, named_like_npy));
  ALARA_TRY(auto pictures, files_in(folder, kMaxSampleDepth, named_like_picture));
  ALARA_TRY(const auto sets, files_in(folder, 0, [](const fs::path& path) {
              return named_like_idx(path) && path.string().find("images") != std::string::npos;
            }));
  if (!arrays.empty() && !pictures.empty())
    return fail(ErrorKind::bad_input, "'{}' has both .npy files ('{}') and pictures ('{}'); keep one of them",
                folder.string(), arrays.front().filename().string(), pictures.front().filename().string());
  if (!arrays.empty()) return NpyColumn::open(arrays, std::move(form), preprocessing);
  if (!pictures.empty()) return PictureColumn::open(std::move(pictures), std::move(form), preprocessing);
  for (const fs::path& set : sets)
    if (set.filename().string().starts_with("train")) return IdxColumn::open(set, std::move(form), preprocessing);
  if (!sets.empty()) return IdxColumn::open(sets.front(), std::move(form), preprocessing);
  return fail(ErrorKind::not_found, "'{}' holds no samples: neither .npy, .jpg or .png files nor an IDX set",
              folder.string());
}

Result<std::unique_ptr<Column>> open_column(const fs::path& path, InputForm form, const Preprocessing& preprocessing) {
  ALARA_TRY(const PathKind kind, kind_of(path));
  if (kind == PathKind::folder) return open_folder(path, std::move(form), preprocessing);
  if (kind == PathKind::none) return fail(ErrorKind::not_found, "there are no samples at '{}'", path.string());
  if (named_like_npy(path)) return NpyColumn::open({path}, std::move(form), preprocessing);
  if (named_like_picture(path)) return PictureColumn::open({path}, std::move(form), preprocessing);
  if (named_like_idx(path)) return IdxColumn::open(path, std::move(form), preprocessing);
  return fail(ErrorKind::bad_input, "'{}' is no file of samples: .npy, .jpg, .png and IDX files are", path.string());
}

class Columns final : public SampleSource {
 public:
  explicit Columns(std::vector<std::unique_ptr<Column>> columns) : columns_(std::move(columns)) {}
  [[nodiscard]] std::size_t size() const override { return columns_.front()->size(); }
  [[nodiscard]] Result<std::vector<Tensor>> sample(std::size_t i) override {
    ALARA_ASSERT(i < size(), "a sample is asked for that is not there");
    std::vector<Tensor> out;
    for (const auto& column : columns_) {
      ALARA_TRY(Tensor tensor, column->sample(i));
      out.push_back(std::move(tensor));
    }
    return out;
  }

 private:
  std::vector<std::unique_ptr<Column>> columns_;
};

class Spread final : public SampleSource {
 public:
  Spread(std::unique_ptr<SampleSource> all, std::size_t size) : all_(std::move(all)), size_(size) {}
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] Result<std::vector<Tensor>> sample(std::size_t i) override {
    return all_->sample(i * (all_->size() / size_) + i * (all_->size() % size_) / size_);  // i * all / size
  }

 private:
  std::unique_ptr<SampleSource> all_;
  std::size_t size_;
};

// Where the samples of one of several inputs lie.
Result<fs::path> place_of(const fs::path& folder, const std::string& input) {
  std::string name = input;
  std::replace(name.begin(), name.end(), '/', '_');
  for (const fs::path& candidate : {folder / (name + ".npy"), folder / name}) {
    ALARA_TRY(const bool there, is_there(candidate));
    if (there) return candidate;
  }
  return fail(ErrorKind::not_found,
              "the model has several inputs, and for '{}' there is neither '{}.npy' nor a folder "
              "'{}' in '{}'",
              input, name, name, folder.string());
}

}  // namespace

Result<std::unique_ptr<SampleSource>> open_samples(const fs::path& path, std::span<const graph::ValueInfo> inputs,
                                                   const Preprocessing& preprocessing) {
  if (inputs.empty()) return fail(ErrorKind::bad_input, "the model has no inputs");
  std::vector<std::unique_ptr<Column>> columns;
  for (const graph::ValueInfo& input : inputs) {
    ALARA_TRY(InputForm form, form_of(input, preprocessing));
    fs::path place = path;
    if (inputs.size() > 1) {
      ALARA_TRY(place, place_of(path, input.name));
    }
    ALARA_TRY(auto column, open_column(place, std::move(form), preprocessing));
    if (column->size() == 0) return fail(ErrorKind::bad_input, "'{}' holds no samples", place.string());
    if (!columns.empty() && column->size() != columns.front()->size())
      return fail(ErrorKind::bad_input, "'{}' holds {} samples, but there are {} of input '{}'", place.string(),
                  column->size(), columns.front()->size(), inputs.front().name);
    columns.push_back(std::move(column));
  }
  return std::make_unique<Columns>(std::move(columns));
}

std::unique_ptr<SampleSource> spread(std::unique_ptr<SampleSource> source, std::size_t most) {
  if (source->size() <= most) return source;
  return std::make_unique<Spread>(std::move(source), most);
}

namespace {

Status collect(const fs::path& folder, int depth, bool (*wanted)(const fs::path&), std::vector<fs::path>& out) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    ALARA_TRY(const PathKind kind, kind_of(entry->path()));
    if (kind == PathKind::folder && depth > 0) {
      ALARA_CHECK(collect(entry->path(), depth - 1, wanted, out));
    } else if (kind == PathKind::file && wanted(entry->path())) {
      out.push_back(entry->path());
    }
    if (out.size() > kMaxSampleFiles)
      return fail(ErrorKind::exhausted, "'{}' holds more than {} files", folder.string(), kMaxSampleFiles);
  }
  if (error) return fail(ErrorKind::unavailable, "folder '{}' can not be read: {}", folder.string(), error.message());
  return {};
}

}  // namespace

Result<std::vector<fs::path>> files_in(const fs::path& folder, int depth, bool (*wanted)(const fs::path&)) {
  std::vector<fs::path> out;
  ALARA_CHECK(collect(folder, depth, wanted, out));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace alara::learn
