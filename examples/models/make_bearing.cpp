// SPDX-License-Identifier: Apache-2.0
// make_bearing FILE writes the model of examples/05-model.yaml; make_bearing --check FILE fails when the file is not
// what would be written. The weights are set by hand, so that anyone can follow them; a model of yours is trained.
//
//   damage = sigmoid(W2 relu(W1 z + b1) + b2), z = (rms, crest, kurtosis) in standard deviations from normal.
//   Nothing counts up to one standard deviation; two or three together, or one far off, pass one half.
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "infer/small_models.hpp"

namespace {

std::string bearing_model() {
  constexpr float kSeen[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};  // W1, one row for each hidden value
  constexpr float kFree[] = {-1, -1, -1};                 // b1: one standard deviation is free
  constexpr float kWeight[] = {0.5F, 0.5F, 1.0F};         // W2: kurtosis is the surest sign of single strikes
  constexpr float kBias[] = {-4};                         // b2: 0.018 when nothing is seen
  alara::infer::SmallModel model;
  model.input("shape", {-1, 3});
  model.output("damage", {-1, 1});
  model.constant("w1", {3, 3}, kSeen);
  model.constant("b1", {3}, kFree);
  model.constant("w2", {1, 3}, kWeight);
  model.constant("b2", {1}, kBias);
  model.node("Gemm", {"shape", "w1", "b1"}, {"sum"}, {{"transB", {1}}});
  model.node("Relu", {"sum"}, {"hidden"});
  model.node("Gemm", {"hidden", "w2", "b2"}, {"logit"}, {{"transB", {1}}});
  model.node("Sigmoid", {"logit"}, {"damage"});
  return model.bytes();
}

bool holds(const std::string& path, std::string_view bytes) {
  std::ifstream file(path, std::ios::binary);
  const std::string held((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return held == bytes;
}

}  // namespace

int main(int count, char** arguments) {
  const bool check = count == 3 && std::string_view(arguments[1]) == "--check";
  if (count != 2 && !check) {
    std::fprintf(stderr, "usage: make_bearing [--check] FILE\n");
    return 2;
  }
  if (check) {
    const bool same = holds(arguments[2], bearing_model());
    if (!same) std::fprintf(stderr, "%s is not what make_bearing writes\n", arguments[2]);
    return same ? 0 : 1;
  }
  const alara::Status written = alara::infer::write_bytes(arguments[1], bearing_model());
  if (!written) std::fprintf(stderr, "%s\n", written.error().text().c_str());
  return written ? 0 : 1;
}
