#include <gtest/gtest.h>
#include <unistd.h>
#include <weir/npy.h>
#include <weir/onnx.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/load.h"
#include "leaf/onnx/table.h"

namespace weir::onnx_io {
namespace {

namespace fs = std::filesystem;
using onnx_proto::ModelProto;
using onnx_proto::NodeProto;

const fs::path kTestData = WEIR_TESTDATA;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A directory of its own, removed at the end.
class Scratch {
 public:
  Scratch() : path_(fs::temp_directory_path() / ("weir_onnx_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_ / "model");
  }
  ~Scratch() { fs::remove_all(path_); }
  fs::path model() const { return path_ / "model"; }
  fs::path outside() const { return path_; }

 private:
  fs::path path_;
};

void set_type(onnx_proto::ValueInfoProto* info, const char* name, std::vector<std::int64_t> dims) {
  info->set_name(name);
  auto* type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(1);
  type->mutable_shape();
  for (const std::int64_t d : dims)
    type->mutable_shape()->add_dim()->set_dim_value(d);
}

NodeProto* add_node(onnx_proto::GraphProto* graph,
                    const char* op,
                    const std::vector<std::string>& inputs,
                    const char* output) {
  NodeProto* node = graph->add_node();
  node->set_op_type(op);
  node->set_name(std::string("n_") + output);
  for (const std::string& input : inputs)
    node->add_input(input);
  node->add_output(output);
  return node;
}

ModelProto empty_model() {
  ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  model.mutable_graph()->set_name("g");
  set_type(model.mutable_graph()->add_input(), "x", {2, 3});
  set_type(model.mutable_graph()->add_output(), "y", {2, 3});
  return model;
}

onnx::Model parse(const ModelProto& model, const DataFiles& files = {}) {
  return parse_model(model.SerializeAsString(), files, "m.onnx");
}

Error error_of(const ModelProto& model, const DataFiles& files = {}) {
  try {
    parse(model, files);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "the model was accepted";
  return Error(ErrorInfo{});
}

void expect_error(const ModelProto& model, Code code, const std::string& text) {
  const Error error = error_of(model);
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
}

void expect_close(const Tensor& got, const Tensor& wanted) {
  ASSERT_EQ(got.describe(), wanted.describe());
  const Tensor a = cast(got, DType::float64), b = cast(wanted, DType::float64);
  for (std::size_t i = 0; i < a.data<double>().size(); ++i) {
    const double x = a.data<double>()[i], y = b.data<double>()[i];
    EXPECT_TRUE(x == y || std::abs(x - y) <= 1e-7 + 1e-3 * std::abs(y) ||
                (std::isnan(x) && std::isnan(y)))
        << "element " << i << ": " << x << ", not " << y;
  }
}

// Models of the ONNX project's node tests; see tests/golden/make_onnx.py.
class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, Model_Run_GivesTheTestsOutputs) {
  ModelProto data;
  ASSERT_TRUE(data.ParseFromString(read(kTestData / (GetParam() + ".data"))));
  const onnx::Model model = onnx::load(kTestData / (GetParam() + ".onnx"));
  NamedTensors inputs;
  std::vector<Tensor> outputs;
  for (const auto& tensor : data.graph().initializer()) {
    const Tensor value = value_from_proto(tensor, {}, tensor.name()).tensor;
    if (tensor.name().starts_with("input")) {
      inputs.emplace_back(model.inputs().at(inputs.size()).name, value);
    } else {
      outputs.push_back(value);
    }
  }
  const NamedTensors results = model.call(inputs);
  ASSERT_EQ(results.size(), outputs.size());
  for (std::size_t i = 0; i < results.size(); ++i)
    expect_close(results[i].second, outputs[i]);
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kTestData)) {
    if (entry.path().extension() == ".data") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Onnx, Golden, testing::ValuesIn(golden_names()), [](const auto& info) {
  return info.param;
});

TEST(OnnxLoad, Model_CalledByName_Runs) {
  ModelProto proto = empty_model();
  add_node(proto.mutable_graph(), "Relu", {"x"}, "y");
  const onnx::Model model = parse(proto);
  ASSERT_EQ(model.inputs().size(), 1u);
  EXPECT_EQ(model.inputs()[0].name, "x");
  const NamedTensors y = model.call({{"x", Tensor{{-1.F, 2.F, -3.F}, {4.F, -5.F, 6.F}}}});
  EXPECT_EQ(y[0].first, "y");
  expect_close(y[0].second, Tensor{{0.F, 2.F, 0.F}, {4.F, 0.F, 6.F}});
  EXPECT_THROW(model.call({{"z", Tensor::zeros({2, 3})}}), Error);
}

TEST(OnnxLoad, UnknownOps_Load_ListsAllOfThem) {
  ModelProto model = empty_model();
  add_node(model.mutable_graph(), "FirstMissing", {"x"}, "a");
  add_node(model.mutable_graph(), "Relu", {"a"}, "b");
  add_node(model.mutable_graph(), "SecondMissing", {"b"}, "y")->set_domain("some.where");
  expect_error(model, Code::unimplemented, "FirstMissing, some.where::SecondMissing");
}

TEST(OnnxLoad, OldAndNewOperatorSets_Load_AreNamed) {
  ModelProto model = empty_model();
  add_node(model.mutable_graph(), "Relu", {"x"}, "y");
  model.mutable_opset_import(0)->set_version(1000);
  expect_error(model, Code::unimplemented, "operator set 1000");
  model.clear_opset_import();
  expect_error(model, Code::data_loss, "does not import its operator set");
}

TEST(OnnxLoad, DamagedGraphs_Load_NameNodeAndReason) {
  ModelProto model = empty_model();
  add_node(model.mutable_graph(), "Relu", {"nothing"}, "y");
  expect_error(
      model, Code::data_loss, "node 'n_y' (Relu): its operand 'nothing' is defined nowhere");

  model = empty_model();
  add_node(model.mutable_graph(), "Relu", {"x"}, "y");
  add_node(model.mutable_graph(), "Relu", {"x"}, "y");
  expect_error(model, Code::data_loss, "its result 'y' is there already");

  model = empty_model();
  add_node(model.mutable_graph(), "Add", {"x"}, "y");
  expect_error(model, Code::data_loss, "operand 1 is missing");

  model = empty_model();
  expect_error(model, Code::data_loss, "output 'y' is not computed");

  model = empty_model();
  add_node(model.mutable_graph(), "Relu", {"x"}, "y");
  model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_value(-7);
  expect_error(model, Code::data_loss, "negative dimension");
}

TEST(OnnxLoad, FunctionThatCallsItself_Load_IsRefused) {
  ModelProto model = empty_model();
  add_node(model.mutable_graph(), "Round2", {"x"}, "y")->set_domain("own");
  auto* import = model.add_opset_import();
  import->set_domain("own");
  import->set_version(1);
  auto* f = model.add_functions();
  f->set_name("Round2");
  f->set_domain("own");
  f->add_input("a");
  f->add_output("b");
  *f->add_opset_import() = *import;
  NodeProto* node = f->add_node();
  node->set_op_type("Round2");
  node->set_domain("own");
  node->add_input("a");
  node->add_output("b");
  expect_error(model, Code::data_loss, "the function calls itself");
}

TEST(OnnxLoad, ConstantOfHugeShape_Load_TakesNoMemory) {
  ModelProto model = empty_model();
  auto* dims = model.mutable_graph()->add_initializer();
  dims->set_name("dims");
  dims->add_dims(3);
  dims->set_data_type(7);
  for (int i = 0; i < 3; ++i)
    dims->add_int64_data(1 << 15);
  add_node(model.mutable_graph(), "ConstantOfShape", {"dims"}, "big");
  add_node(model.mutable_graph(), "Relu", {"x"}, "y");
  reset_peak_memory();
  parse(model);
  EXPECT_LT(memory_stats().peak, 1 << 20);
}

TEST(OnnxLoad, ShapeOfTooManyDimensions_Load_IsRefused) {
  ModelProto model = empty_model();
  auto* dims = model.mutable_graph()->add_initializer();
  dims->set_name("dims");
  dims->add_dims(1000);
  dims->set_data_type(7);
  for (int i = 0; i < 1000; ++i)
    dims->add_int64_data(1);
  add_node(model.mutable_graph(), "Reshape", {"x", "dims"}, "y");
  expect_error(model, Code::data_loss, "a shape int64[1000]");
}

TEST(OnnxLoad, InitializerThatIsTooShort_Load_IsRefused) {
  ModelProto model = empty_model();
  auto* w = model.mutable_graph()->add_initializer();
  w->set_name("w");
  w->add_dims(std::int64_t{1} << 40);
  w->set_data_type(1);
  w->set_raw_data("1234");
  add_node(model.mutable_graph(), "Relu", {"x"}, "y");
  expect_error(model, Code::data_loss, "initializer 'w': it has 4 bytes");
}

// -- external data --

ModelProto model_with_external(const std::string& location) {
  ModelProto model = empty_model();
  auto* w = model.mutable_graph()->add_initializer();
  w->set_name("w");
  w->add_dims(3);
  w->set_data_type(1);
  w->set_data_location(1);
  auto* entry = w->add_external_data();
  entry->set_key("location");
  entry->set_value(location);
  add_node(model.mutable_graph(), "Add", {"x", "w"}, "y");
  return model;
}

void write_floats(const fs::path& path) {
  const float values[3] = {1, 2, 3};
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values), sizeof(values));
}

TEST(OnnxExternalData, FileBesideTheModel_IsRead) {
  const Scratch scratch;
  fs::create_directories(scratch.model() / "deep");
  write_floats(scratch.model() / "deep" / "w.bin");
  const onnx::Model model = parse(model_with_external("deep/w.bin"), {scratch.model().string()});
  expect_close(model.function()(std::vector<Tensor>{Tensor::zeros({2, 3})})[0],
               Tensor{{1.F, 2.F, 3.F}, {1.F, 2.F, 3.F}});
}

TEST(OnnxExternalData, PlacesOutsideTheModelsDirectory_AreRefused) {
  const Scratch scratch;
  write_floats(scratch.outside() / "secret.bin");
  write_floats(scratch.model() / "w.bin");
  fs::create_symlink(scratch.outside() / "secret.bin", scratch.model() / "link.bin");
  fs::create_directory_symlink(scratch.outside(), scratch.model() / "up");
  fs::create_hard_link(scratch.outside() / "secret.bin", scratch.model() / "hard.bin");
  const DataFiles files{scratch.model().string()};
  for (const std::string& location : {std::string("../secret.bin"),
                                      (scratch.outside() / "secret.bin").string(),
                                      std::string("a/../../secret.bin"),
                                      std::string("..\\secret.bin"),
                                      std::string(),
                                      std::string("."),
                                      std::string("link.bin"),
                                      std::string("up/secret.bin"),
                                      std::string("hard.bin"),
                                      std::string("w.bin\0x", 7),
                                      std::string(5000, 'a')}) {
    EXPECT_EQ(error_of(model_with_external(location), files).code(), Code::data_loss) << location;
  }
}

TEST(OnnxExternalData, OffsetsAndKeys_AreChecked) {
  const Scratch scratch;
  write_floats(scratch.model() / "w.bin");
  const DataFiles files{scratch.model().string()};
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"offset", "4"},
                                                        {"offset", "-1"},
                                                        {"offset", "18446744073709551615"},
                                                        {"offset", "x"},
                                                        {"length", "8"},
                                                        {"__class__", "x"}}) {
    ModelProto model = model_with_external("w.bin");
    auto* entry = model.mutable_graph()->mutable_initializer(0)->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
    EXPECT_EQ(error_of(model, files).code(), Code::data_loss) << key << " " << value;
  }
}

// -- writing --

TEST(OnnxSave, Function_SavedAndLoaded_GivesTheSame) {
  const Scratch scratch;
  const auto f = function([](const Tensor& x) {
    const Tensor w = Tensor::full({3, 3, 2, 4}, 0.25F);
    const Tensor y = relu(convolution_2d(x, w, std::vector<std::int64_t>{1, 1, 1, 1}, "SAME"));
    return mean(y, std::vector<std::int64_t>{1, 2});
  });
  const auto concrete = f.get_concrete_function(TensorSpec{{-1, 6, 6, 2}, DType::float32, "x"});
  const std::string path = scratch.model() / "f.onnx";
  onnx::save(concrete, path, {.inputs = {"image"}, .outputs = {"features"}});
  const onnx::Model model = onnx::load(path);
  EXPECT_EQ(model.inputs()[0].name, "image");
  std::vector<float> values(2 * 6 * 6 * 2);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = float(i % 7) - 3;
  const std::vector<Tensor> x = {Tensor::from(values, Shape{2, 6, 6, 2})};
  const NamedTensors y = model.call({{"image", x[0]}});
  EXPECT_EQ(y[0].first, "features");
  expect_close(y[0].second, concrete(x)[0]);
}

TEST(OnnxSave, OpsWithoutForm_AreAllNamed) {
  const Scratch scratch;
  const auto f = function([](const Tensor& x) { return relu_grad(x, x) + elu_grad(x, x); });
  const auto concrete = f.get_concrete_function(TensorSpec{{2}, DType::float32, "x"});
  try {
    onnx::save(concrete, scratch.model() / "f.onnx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unimplemented);
    EXPECT_NE(std::string(error.what()).find("EluGrad, ReluGrad"), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(scratch.model() / "f.onnx"));
}

}  // namespace
}  // namespace weir::onnx_io
