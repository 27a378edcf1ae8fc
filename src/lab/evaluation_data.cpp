// SPDX-License-Identifier: Apache-2.0
#include "lab/evaluation_data.hpp"

#include "learn/data/file_bytes.hpp"
#include "learn/data/samples.hpp"

namespace alara::lab {

Result<EvaluationData> EvaluationData::open(const std::filesystem::path& path, const graph::Model& model,
                                            const std::string& preprocessing) {
  learn::DatasetOptions options;
  ALARA_TRY(options.preprocessing,
            preprocessing.empty() ? learn::preprocessing_of(model) : learn::parse_preprocessing(preprocessing));
  options.validation = 0;
  EvaluationData out;
  ALARA_TRY(const bool folder, learn::is_folder(path));
  if (model.graph.inputs.size() == 1 && folder) {
    auto set = learn::Dataset::open(path, model.graph.inputs.front(), options);
    if (set && set->target() == learn::Target::classes) {
      out.set_ = std::make_unique<learn::Dataset>(*std::move(set));
      out.part_ = out.set_->size(learn::Part::test) > 0 ? learn::Part::test : learn::Part::train;
      out.source_ = out.set_->samples(out.part_);
    }
  }
  if (out.set_ == nullptr) {
    ALARA_TRY(out.source_, learn::open_samples(path, model.graph.inputs, options.preprocessing));
  }
  if (out.size() == 0) return fail(ErrorKind::bad_input, "there are no samples in '{}'", path.string());
  return out;
}

std::optional<std::int64_t> EvaluationData::label(std::size_t i) const {
  return labelled() ? std::optional(set_->label(part_, i)) : std::nullopt;
}

}  // namespace alara::lab
