// SPDX-License-Identifier: Apache-2.0
#include "lab/evaluation_data.hpp"

#include "learn/data/file_bytes.hpp"
#include "learn/data/labelled_rows.hpp"
#include "learn/data/samples.hpp"
#include "learn/data/score.hpp"

namespace alara::lab {
namespace {

Result<bool> is_labelled(const std::filesystem::path& path) {
  ALARA_TRY(const bool folder, learn::is_folder(path));
  return folder ? learn::has_labels(path) : Result<bool>(false);
}

Result<learn::DatasetOptions> options_for(const graph::Model& model, const std::string& preprocessing) {
  learn::DatasetOptions out;
  ALARA_TRY(out.preprocessing,
            preprocessing.empty() ? learn::preprocessing_of(model) : learn::parse_preprocessing(preprocessing));
  out.validation = 0;
  out.target = learn::Target::classes;
  return out;
}

}  // namespace

Result<EvaluationData> EvaluationData::labelled_rows(const std::filesystem::path& folder, const graph::Model& model,
                                                     learn::DatasetOptions options) {
  using learn::Part;
  EvaluationData out;
  ALARA_TRY(learn::Dataset set, learn::Dataset::open(folder, model.graph.inputs.front(), options));
  out.set_ = std::make_unique<learn::Dataset>(std::move(set));
  out.part_ = out.set_->size(Part::test) > 0         ? Part::test
              : out.set_->size(Part::validation) > 0 ? Part::validation
                                                     : Part::train;
  out.source_ = out.set_->samples(out.part_);
  return out;
}

Result<EvaluationData> EvaluationData::open(const std::filesystem::path& path, const graph::Model& model,
                                            const std::string& preprocessing) {
  ALARA_TRY(const learn::DatasetOptions options, options_for(model, preprocessing));
  ALARA_TRY(const bool labels, is_labelled(path));
  if (model.graph.inputs.size() == 1 && labels) return labelled_rows(path, model, options);
  EvaluationData out;
  ALARA_TRY(out.source_, learn::open_samples(path, model.graph.inputs, options.preprocessing));
  return out;
}

Result<EvaluationData> EvaluationData::open_labelled(const std::filesystem::path& path, const graph::Model& model,
                                                     const std::string& preprocessing) {
  if (model.graph.inputs.size() != 1)
    return fail(ErrorKind::bad_input, "accuracy is measured of models with one input, this one has {}",
                model.graph.inputs.size());
  ALARA_TRY(const learn::DatasetOptions options, options_for(model, preprocessing));
  ALARA_TRY(const learn::PathKind kind, learn::kind_of(path));
  if (kind == learn::PathKind::none) return fail(ErrorKind::not_found, "there is no folder '{}'", path.string());
  ALARA_TRY(const bool labels, is_labelled(path));
  if (!labels)
    return tl::unexpected<Error>(
        Error{ErrorKind::bad_input,
              fmt::format("'{}' has no labels, so accuracy can not be measured", path.string()),
              {},
              "give a folder with inputs.npy and labels.npy, one folder of pictures for each class, or an IDX set"});
  return labelled_rows(path, model, options);
}

std::optional<std::int64_t> EvaluationData::label(std::size_t i) const {
  return labelled() ? std::optional(set_->label(part_, i)) : std::nullopt;
}

Result<double> EvaluationData::accuracy_of(const graph::Model& model, const graph::ExecutorFactory& executors,
                                           int threads) const {
  ALARA_ASSERT(labelled(), "accuracy needs labels");
  learn::ScoreOptions options;
  options.threads = threads;
  ALARA_TRY(const learn::Score score, learn::score_of(model, *set_, part_, executors, options));
  return score.accuracy;
}

}  // namespace alara::lab
