// SPDX-License-Identifier: Apache-2.0
#include "graph/onnx_file.hpp"

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <fstream>

#include "graph/builder.hpp"

namespace alara::graph {
namespace {

std::span<const std::byte> bytes_of_text(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Model with_every_attribute() {
  Builder builder("all");
  const auto x = builder.input("x", DataType::float32, {{-1, "batch"}, {3, {}}, {-1, {}}});
  const auto w = builder.constant("w", Tensor::of(Shape{3}, std::vector<float>{1, 2, 3}));
  const auto y = builder.node("Fancy", "y", {x, "", w},
                              {{"i", std::int64_t{-7}},
                               {"f", 0.5F},
                               {"s", std::string("text")},
                               {"t", share(Tensor::of(Shape{2}, std::vector<std::int64_t>{4, 5}))},
                               {"is", std::vector<std::int64_t>{1, -2}},
                               {"fs", std::vector<float>{0.25F}},
                               {"ss", std::vector<std::string>{"a", "b"}}});
  builder.output(y, DataType::float32, Dims{{-1, "batch"}});
  Model model = std::move(builder).finish();
  model.graph.nodes[0].domain = "com.example";
  model.opsets["com.example"] = 3;
  model.metadata["unit"] = "mm/s";
  model.graph.values["y"] = {"y", DataType::float32, Dims{{-1, "batch"}}};
  return model;
}

TEST(OnnxFile, KeepsWhatItWrote) {
  const Model model = with_every_attribute();
  const auto bytes = to_onnx(model);
  ASSERT_TRUE(bytes);
  const auto back = parse_onnx(bytes_of_text(*bytes));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*to_onnx(*back), *bytes);
  EXPECT_EQ(back->graph.inputs, model.graph.inputs);
  EXPECT_EQ(back->graph.outputs, model.graph.outputs);
  EXPECT_EQ(back->graph.values, model.graph.values);
  EXPECT_EQ(*back->graph.constants.at("w"), *model.graph.constants.at("w"));
  EXPECT_EQ(back->metadata, model.metadata);
  const Node& node = back->graph.nodes.at(0);
  EXPECT_EQ(node.integer("i", 0), -7);
  EXPECT_EQ(node.number("f", 0), 0.5F);
  EXPECT_EQ(node.text("s", ""), "text");
  EXPECT_EQ(*node.tensor("t")->to_integers(), (std::vector<std::int64_t>{4, 5}));
  EXPECT_EQ(node.integers("is"), (std::vector<std::int64_t>{1, -2}));
  EXPECT_EQ(node.input(1), "");
}

// A valid model as protobuf, for tests to spoil.
onnx::ModelProto good() {
  onnx::ModelProto proto;
  proto.set_ir_version(8);
  proto.add_opset_import()->set_version(17);
  auto& graph = *proto.mutable_graph();
  graph.add_input()->set_name("x");
  graph.add_output()->set_name("y");
  auto& node = *graph.add_node();
  node.set_op_type("Add");
  node.add_input("x");
  node.add_input("w");
  node.add_output("y");
  auto& weight = *graph.add_initializer();
  weight.set_name("w");
  weight.set_data_type(onnx::TensorProto::FLOAT);
  weight.add_dims(2);
  weight.add_float_data(1);
  weight.add_float_data(2);
  return proto;
}

// What is said about a model that is wrong; "" when nothing is.
std::string complaint(const onnx::ModelProto& proto, const std::filesystem::path& folder = {}) {
  const auto model = parse_onnx(bytes_of_text(proto.SerializeAsString()), folder);
  return model ? "" : model.error().message;
}

TEST(OnnxFile, ReadsTypedFieldsOfEveryWidth) {
  onnx::ModelProto proto = good();
  EXPECT_EQ(complaint(proto), "");
  auto& tensor = *proto.mutable_graph()->mutable_initializer(0);
  tensor.clear_float_data();
  tensor.set_data_type(onnx::TensorProto::INT8);
  tensor.add_int32_data(-3);
  tensor.add_int32_data(100);
  const auto model = parse_onnx(bytes_of_text(proto.SerializeAsString()));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(*model->graph.constant("w")->to_integers(), (std::vector<std::int64_t>{-3, 100}));
}

TEST(OnnxFile, SaysWhatIsWrongWithAConstant) {
  onnx::ModelProto proto = good();
  proto.mutable_graph()->mutable_initializer(0)->set_dims(0, 3);
  EXPECT_EQ(complaint(proto), "constant 'w' is float32[3] but has 8 bytes");
  proto.mutable_graph()->mutable_initializer(0)->set_dims(0, std::int64_t{1} << 62);
  EXPECT_NE(complaint(proto).find("more than"), std::string::npos) << complaint(proto);
  proto.mutable_graph()->mutable_initializer(0)->set_dims(0, -1);
  EXPECT_NE(complaint(proto).find("negative"), std::string::npos) << complaint(proto);
  proto.mutable_graph()->mutable_initializer(0)->set_data_type(99);
  EXPECT_NE(complaint(proto).find("element type 99"), std::string::npos) << complaint(proto);
}

TEST(OnnxFile, BoundsDimensionsAndTheirNames) {
  onnx::ModelProto proto = good();
  auto& shape = *proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (int i = 0; i < 64; ++i) shape.add_dim()->set_dim_value(1);
  EXPECT_EQ(complaint(proto), "");
  shape.mutable_dim(7)->set_dim_param(std::string(257, 'n'));
  EXPECT_EQ(complaint(proto), "a dimension of 'x' has a name of 257 bytes; 256 can be read");
  shape.add_dim()->set_dim_value(1);
  EXPECT_EQ(complaint(proto), "'x' has 65 dimensions; 64 can be read");
  proto = good();
  for (int i = 0; i < 64; ++i) proto.mutable_graph()->mutable_initializer(0)->add_dims(1);
  EXPECT_EQ(complaint(proto), "'w' has 65 dimensions; 64 can be read");
}

TEST(OnnxFile, RefusesOpsetsItDoesNotKnow) {
  onnx::ModelProto proto = good();
  proto.mutable_opset_import(0)->set_version(6);
  EXPECT_EQ(complaint(proto), "the model is of opset 6; 7 to 21 can be read");
  proto.mutable_opset_import(0)->set_version(22);
  EXPECT_EQ(complaint(proto), "the model is of opset 22; 7 to 21 can be read");
  proto.clear_opset_import();
  EXPECT_NE(complaint(proto).find("no opset"), std::string::npos) << complaint(proto);
}

TEST(OnnxFile, NamesTheNodesOfACycle) {
  onnx::ModelProto proto = good();
  proto.mutable_graph()->mutable_node(0)->set_input(0, "y");
  EXPECT_NE(complaint(proto).find("cycle: Add 'y'"), std::string::npos) << complaint(proto);
}

TEST(OnnxFile, SortsNodesThatComeInAnotherOrder) {
  onnx::ModelProto proto = good();
  auto& node = *proto.mutable_graph()->add_node();
  node.set_op_type("Neg");
  node.add_input("x");
  node.add_output("n");
  proto.mutable_graph()->mutable_node(0)->set_input(0, "n");
  const auto model = parse_onnx(bytes_of_text(proto.SerializeAsString()));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->graph.nodes.front().op, "Neg");
}

TEST(OnnxFile, BoundsHowDeepGraphsLieInGraphs) {
  onnx::ModelProto proto = good();
  onnx::GraphProto* graph = proto.mutable_graph();
  for (int depth = 0; depth < 30; ++depth) {
    auto& attribute = *graph->mutable_node(0)->add_attribute();
    attribute.set_name("body");
    attribute.set_type(onnx::AttributeProto::GRAPH);
    graph = attribute.mutable_g();
    graph->add_node()->set_op_type("If");
  }
  EXPECT_NE(complaint(proto).find("more than 16 deep"), std::string::npos) << complaint(proto);
}

TEST(OnnxFile, SaysThatBytesAreNoModel) {
  const std::string text = "this is no model at all";
  const auto model = parse_onnx(bytes_of_text(text));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(read_onnx("/nowhere/model.onnx").error().kind, ErrorKind::not_found);
}

class ExternalData : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "alara-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(root_ / "model");
    for (const char* name : {"model/weights.bin", "secret.bin"})
      std::ofstream(root_ / name, std::ios::binary) << std::string("\0\0\0\0\0\0\x80\x3f\0\0\0\x40", 12);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  // What is said about a model that wants its weights from `location`.
  std::string wanting(const std::string& location, const std::string& offset = "4", const std::string& length = "8") {
    onnx::ModelProto proto = good();
    auto& tensor = *proto.mutable_graph()->mutable_initializer(0);
    tensor.clear_float_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : {std::pair{"location", location}, {"offset", offset}, {"length", length}}) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    read_ = parse_onnx(bytes_of_text(proto.SerializeAsString()), root_ / "model");
    return read_ ? "" : read_.error().message;
  }

  // Reads a model with a constant of one number at each of these places of weights.bin.
  void read_numbers_at(const std::vector<int>& offsets) {
    onnx::ModelProto proto = good();
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      auto& tensor = *proto.mutable_graph()->add_initializer();
      tensor.set_name("c" + std::to_string(i));
      tensor.set_data_type(onnx::TensorProto::FLOAT);
      tensor.set_data_location(onnx::TensorProto::EXTERNAL);
      for (const auto& [key, value] :
           {std::pair<std::string, std::string>{"location", "weights.bin"}, {"offset", std::to_string(offsets[i])}}) {
        auto& entry = *tensor.add_external_data();
        entry.set_key(key);
        entry.set_value(value);
      }
    }
    read_ = parse_onnx(bytes_of_text(proto.SerializeAsString()), root_ / "model");
  }

  std::filesystem::path root_;
  Result<Model> read_;
};

TEST_F(ExternalData, IsReadFromBesideTheModel) {
  ASSERT_EQ(wanting("weights.bin"), "");
  EXPECT_EQ(*read_->graph.constant("w")->to_floats(), (std::vector<float>{1, 2}));
}

TEST_F(ExternalData, MayNotClimbOut) {
  std::filesystem::create_symlink(root_ / "secret.bin", root_ / "model" / "link.bin");
  for (const std::string path : {"../secret.bin", "a/../../secret.bin", "link.bin", "", ".."})
    EXPECT_NE(wanting(path).find("outside"), std::string::npos) << path << ": " << wanting(path);
  EXPECT_NE(wanting((root_ / "secret.bin").string()).find("outside"), std::string::npos);
}

TEST_F(ExternalData, IsSharedByConstantsOnOneRegion) {
  read_numbers_at({4, 8, 4, 4, 4});
  ASSERT_TRUE(read_) << read_.error().text();
  const auto& constants = read_->graph.constants;
  EXPECT_EQ(constants.at("c0"), constants.at("c4"));
  EXPECT_NE(constants.at("c0"), constants.at("c1"));
}

TEST_F(ExternalData, TakesNoMoreBytesThanItsFilesHave) {
  read_numbers_at({0, 1, 2, 3});
  ASSERT_FALSE(read_);
  EXPECT_EQ(read_.error().kind, ErrorKind::exhausted);
  EXPECT_EQ(read_.error().message, "the model's constants ask for more than the 12 bytes of external data there are");
}

TEST_F(ExternalData, IsChecked) {
  EXPECT_NE(wanting("weights.bin", "8").find("ends before"), std::string::npos);
  EXPECT_NE(wanting("weights.bin", "18446744073709551615").find("ends before"), std::string::npos);
  EXPECT_NE(wanting("weights.bin", "0", "4").find("has 4 bytes"), std::string::npos);
  EXPECT_NE(wanting("weights.bin", "four").find("is no number"), std::string::npos);
  EXPECT_NE(wanting("lost.bin").find("missing"), std::string::npos);
}

}  // namespace
}  // namespace alara::graph
