// SPDX-License-Identifier: Apache-2.0
// What a TensorFlow.js model.json says: nodes with attributes, results, and where the weights lie.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "graph/tfjs/tfjs_model.hpp"

namespace alara::graph::tfjs {

// "conv/out:1": output `output` of node `node`.
struct Reference {
  std::string node;
  std::size_t output = 0;
};
[[nodiscard]] Reference reference_of(std::string_view text);

// A node of the graph. Attributes that are absent or of another kind give the default.
struct NodeDef {
  std::string name;
  std::string op;
  std::vector<Reference> inputs;  // without those that only say what runs first
  nlohmann::json attributes = {};

  [[nodiscard]] std::int64_t integer(const char* attribute, std::int64_t otherwise = 0) const;
  [[nodiscard]] float number(const char* attribute, float otherwise) const;
  [[nodiscard]] bool flag(const char* attribute) const;
  [[nodiscard]] std::string text(const char* attribute) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const char* attribute) const;
  [[nodiscard]] std::vector<std::string> texts(const char* attribute) const;
  [[nodiscard]] std::optional<DataType> type(const char* attribute) const;
  // nullopt: not even the rank is known.
  [[nodiscard]] std::optional<Dims> shape(const char* attribute) const;
};

// One weight within the bytes of its group.
struct WeightDef {
  std::string name;
  DataType type = DataType::float32;    // of the numbers
  DataType stored = DataType::float32;  // as they lie in the file
  Shape shape = {};
  float scale = 1;  // of stored integers: number = stored * scale + least
  float least = 0;
  std::size_t group = 0;
  std::uint64_t offset = 0;
};
struct WeightGroup {
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;  // that its weights take
};

struct Document {
  std::vector<NodeDef> nodes;
  std::map<std::string, Dims> input_shapes;  // what the signature says
  std::vector<std::string> outputs;          // as the signature names them; empty: it does not
  std::map<std::string, WeightDef, std::less<>> weights;
  std::vector<WeightGroup> groups;
};

[[nodiscard]] Result<Document> parse_document(std::string_view json);

// Bytes of weights, read when they are first asked for.
class Weights {
 public:
  Weights(const Document& document, const ReadShard& read_shard)
      : document_(document), read_shard_(read_shard), groups_(document.groups.size()) {}
  // As float32, int32, boolean, …: no integers with scales.
  [[nodiscard]] Result<Tensor> read(const WeightDef& weight);

 private:
  Result<std::span<const std::byte>> group(std::size_t index);

  const Document& document_;
  const ReadShard& read_shard_;
  std::vector<std::optional<std::vector<std::byte>>> groups_;
};

}  // namespace alara::graph::tfjs
