// SPDX-License-Identifier: Apache-2.0
#include "learn/data/labelled_rows.hpp"

#include <algorithm>
#include <cmath>

#include "learn/data/file_bytes.hpp"
#include "learn/data/idx.hpp"
#include "learn/data/npy_tensor.hpp"
#include "learn/data/picture.hpp"
#include "learn/data/samples.hpp"

namespace alara::learn {
namespace {

namespace fs = std::filesystem;
using graph::DataType;
using graph::Tensor;

// Names the file or folder in an error that does not.
template <typename T>
Result<T> at(const fs::path& path, Result<T>&& result) {
  if (!result && !result.error().where.known()) result.error().where = {path.string(), 0, 0};
  return std::move(result);
}

Result<std::vector<std::int64_t>> labels_from(const Tensor& tensor) {
  if (tensor.rank() == 0 || tensor.elements() != tensor.shape[0])
    return fail(ErrorKind::bad_input, "labels are one class number for each row, not {}", tensor.text());
  return tensor.to_integers();
}

Result<Tensor> targets_from(const Tensor& tensor) {
  if (tensor.rank() == 0)
    return fail(ErrorKind::bad_input, "targets have one row for each input, not {}", tensor.text());
  ALARA_TRY(const std::vector<float> numbers, tensor.to_floats());
  return Tensor::of(tensor.shape, numbers);
}

// inputs.npy and what lies beside it; without rows where there is none.
Result<LabelledRows> arrays_in(const fs::path& folder, const InputForm& form) {
  LabelledRows rows;
  const fs::path inputs = folder / "inputs.npy", labels = folder / "labels.npy", targets = folder / "targets.npy";
  ALARA_TRY(const bool any, is_there(inputs));
  if (!any) return rows;
  ALARA_TRY(const std::uint64_t bytes, size_of_file(inputs));
  if (bytes > kMaxRowBytes)
    return fail(ErrorKind::exhausted, "'{}' has {} bytes; at most {} are held in memory", inputs.string(), bytes,
                kMaxRowBytes);
  ALARA_TRY(rows.inputs, read_npy(inputs));
  ALARA_TRY(const bool labelled, is_there(labels));
  if (labelled) {
    ALARA_TRY(const Tensor tensor, read_npy(labels));
    ALARA_TRY(rows.labels, at(labels, labels_from(tensor)));
  }
  ALARA_TRY(const bool targeted, is_there(targets));
  if (targeted) {
    ALARA_TRY(const Tensor tensor, read_npy(targets));
    ALARA_TRY(rows.targets, at(targets, targets_from(tensor)));
  }
  ALARA_CHECK(at(inputs, check_rows(rows, form)));
  return rows;
}

Result<std::vector<std::string>> class_folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    ALARA_TRY(const bool is_class, is_folder(entry->path()));
    if (!is_class) continue;
    ALARA_TRY(const auto pictures, files_in(entry->path(), 0, named_like_picture));
    if (!pictures.empty()) names.push_back(entry->path().filename().string());
  }
  if (error) return fail(ErrorKind::unavailable, "folder '{}' can not be read: {}", folder.string(), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

Status append_picture(const fs::path& path, const InputForm& form, ColourOrder order, std::vector<std::uint8_t>& out) {
  ALARA_TRY(const Picture picture, read_picture(path, static_cast<int>(form.channels)));
  for (const float number : arranged(resized(picture, form.width, form.height), form, order))
    out.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(number, 0.F, 255.F))));
  return {};
}

// One folder for each of `classes`; a class that a part lacks has no rows there.
Result<LabelledRows> pictures_in(const fs::path& folder, const std::vector<std::string>& classes, const InputForm& form,
                                 ColourOrder order) {
  LabelledRows rows;
  ALARA_TRY(const bool there, is_folder(folder));
  if (!there) return rows;
  if (!form.takes_pictures())
    return fail(ErrorKind::bad_input, "'{}' holds pictures, but input {} takes none", folder.string(), form.text());
  std::vector<std::uint8_t> bytes;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    ALARA_TRY(const bool any, is_folder(folder / classes[label]));
    if (!any) continue;
    ALARA_TRY(const auto paths, files_in(folder / classes[label], 0, named_like_picture));
    for (const fs::path& path : paths) {
      ALARA_CHECK(append_picture(path, form, order, bytes));
      rows.labels.push_back(static_cast<std::int64_t>(label));
      if (bytes.size() > kMaxRowBytes)
        return fail(ErrorKind::exhausted, "the pictures in '{}' take more than {} bytes", folder.string(),
                    kMaxRowBytes);
    }
  }
  graph::Shape shape = form.sample;
  shape[0] = static_cast<std::int64_t>(rows.labels.size());
  rows.inputs = Tensor::of(std::move(shape), bytes);
  rows.natural_scale = 1.F / 255;
  return rows;
}

// "train-images-idx3-ubyte.gz" of part "train" and kind "images"; empty where there is none.
Result<fs::path> idx_file(const fs::path& folder, std::string_view part, std::string_view kind) {
  ALARA_TRY(const auto files, files_in(folder, 0, named_like_idx));
  for (const fs::path& file : files)
    if (file.filename().string().starts_with(fmt::format("{}-{}", part, kind))) return file;
  return fs::path{};
}

Result<LabelledRows> idx_in(const fs::path& folder, std::string_view part, const InputForm& form) {
  LabelledRows rows;
  ALARA_TRY(const fs::path images, idx_file(folder, part, "images"));
  ALARA_TRY(const fs::path labels, idx_file(folder, part, "labels"));
  if (images.empty()) return rows;
  ALARA_TRY(rows.inputs, read_idx(images));
  if (rows.inputs.type == DataType::uint8) rows.natural_scale = 1.F / 255;
  if (!labels.empty()) {
    ALARA_TRY(const Tensor tensor, read_idx(labels));
    ALARA_TRY(rows.labels, at(labels, labels_from(tensor)));
  }
  ALARA_CHECK(at(images, check_rows(rows, form)));
  return rows;
}

Result<FoundRows> find_in_parts(const fs::path& folder, const InputForm& form, ColourOrder order) {
  FoundRows found;
  ALARA_TRY(found.classes, class_folders_in(folder / "train"));
  const auto read = [&](const char* part) -> Result<LabelledRows> {
    if (found.classes.empty()) return arrays_in(folder / part, form);
    return pictures_in(folder / part, found.classes, form, order);
  };
  ALARA_TRY(found.train, read("train"));
  ALARA_TRY(found.validation, read("validation"));
  ALARA_TRY(found.test, read("test"));
  return found;
}

Result<FoundRows> find_directly(const fs::path& folder, const InputForm& form, ColourOrder order) {
  FoundRows found;
  ALARA_TRY(found.train, idx_in(folder, "train", form));
  ALARA_TRY(found.test, idx_in(folder, "t10k", form));
  if (found.train.size() > 0) return found;
  ALARA_TRY(found.train, arrays_in(folder, form));
  if (found.train.size() > 0) return found;
  ALARA_TRY(found.classes, class_folders_in(folder));
  if (!found.classes.empty()) {
    ALARA_TRY(found.train, pictures_in(folder, found.classes, form, order));
  }
  return found;
}

bool named_like_labels(const fs::path& path) {
  return path.filename() == "labels.npy" ||
         (named_like_idx(path) && path.filename().string().find("-labels") != std::string::npos);
}

}  // namespace

Result<bool> has_labels(const fs::path& folder) {
  std::vector<fs::path> places = {folder};
  ALARA_TRY(const bool in_parts, is_folder(folder / "train"));
  if (in_parts) places = {folder / "train", folder / "validation", folder / "test"};
  for (const fs::path& place : places) {
    ALARA_TRY(const bool there, is_folder(place));
    if (!there) continue;
    ALARA_TRY(const auto files, files_in(place, 0, named_like_labels));
    ALARA_TRY(const auto classes, class_folders_in(place));
    if (!files.empty() || !classes.empty()) return true;
  }
  return false;
}

Status check_rows(const LabelledRows& rows, const InputForm& form) {
  ALARA_CHECK(graph::elements_of(rows.inputs.shape));
  const std::size_t size = rows.size();
  if (size == 0) return fail(ErrorKind::bad_input, "there are no rows in {}", rows.inputs.text());
  if (size > std::numeric_limits<std::uint32_t>::max())
    return fail(ErrorKind::exhausted, "there are {} rows; fewer than 2^32 are possible", size);
  const std::int64_t row = rows.inputs.elements() / rows.inputs.shape[0];
  if (form.sample[0] != 1 || row != form.elements())
    return fail(ErrorKind::bad_input, "rows of {} do not fit input {}", rows.inputs.text(), form.text());
  if (!rows.labels.empty() && rows.labels.size() != size)
    return fail(ErrorKind::bad_input, "there are {} rows, but {} labels", size, rows.labels.size());
  for (const std::int64_t label : rows.labels)
    if (label < 0 || label >= kMaxClasses)
      return fail(ErrorKind::bad_input, "label {} is not within 0 and {}", label, kMaxClasses - 1);
  if (rows.targets.type != DataType::undefined && rows.targets.shape[0] != rows.inputs.shape[0])
    return fail(ErrorKind::bad_input, "there are {} rows, but targets {}", size, rows.targets.text());
  return {};
}

Result<FoundRows> find_rows(const fs::path& folder, const InputForm& form, ColourOrder order) {
  ALARA_TRY(const bool there, is_folder(folder));
  if (!there) return fail(ErrorKind::not_found, "there is no folder '{}'", folder.string());
  ALARA_TRY(const bool in_parts, is_folder(folder / "train"));
  auto found = in_parts ? find_in_parts(folder, form, order) : find_directly(folder, form, order);
  if (found && found->train.size() == 0)
    return tl::unexpected<Error>(
        Error{ErrorKind::not_found,
              fmt::format("'{}' holds nothing to learn from", folder.string()),
              {},
              "give inputs.npy with labels.npy or targets.npy, one folder of pictures for each class, or an IDX set; "
              "directly or in train/"});
  return found;
}

}  // namespace alara::learn
