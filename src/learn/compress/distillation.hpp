// SPDX-License-Identifier: Apache-2.0
// Knowledge distillation: a small network (the student) learns from what a large one (the teacher) says of the same
// inputs, beside the labels. Both are ONNX graphs. Hinton, Vinyals and Dean, "Distilling the knowledge in a neural
// network" (2015); features: Romero et al., "FitNets" (2015).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "learn/train/trainer.hpp"

namespace alara::learn {

// A value of each graph that shall become alike. Where they differ in channels, the student's goes through a 1x1
// convolution (a matrix for values without places) that learns along and is dropped at the end; where they differ in
// height or width, the larger is averaged down.
struct FeaturePair {
  std::string teacher;
  std::string student;
};

struct DistilOptions {
  double temperature = 4;  // larger: more is learnt of the classes that the teacher holds for unlikely
  double weight = 0.7;     // share of the loss that is the teacher's, 0 ... 1; the labels have the rest
  std::vector<FeaturePair> features = {};
  double feature_weight = 1;  // of the mean squared difference of the features, in units of the teacher's variance
};

// The objective of a student. For classes: the labels' cross-entropy and, at `temperature` and times its square, the
// divergence from the teacher's probabilities; for values: the labels' and the teacher's mean squared errors. The
// teacher must outlive it, is run in Mode::infer and is not changed. Both see the data set's preprocessing. Errors:
// bad_input (options out of range, classes of different number, values that a graph does not have).
[[nodiscard]] Result<Objective> distillation_objective(const graph::Model& student, const graph::Model& teacher,
                                                       Network& teacher_network, const Dataset& data,
                                                       const DistilOptions& options, double label_smoothing);

// `student` trained with `teacher` beside it. Deterministic as training is.
[[nodiscard]] Result<Trained> distil(graph::Model student, const graph::Model& teacher, const Dataset& data,
                                     const DistilOptions& options, const TrainOptions& training, Progress& progress);

}  // namespace alara::learn
