/// Models that TensorFlow wrote, with its results: tests/interop/tensorflow_models.py makes them.
#include <gtest/gtest.h>
#include <weir/npy.h>
#include <weir/saved_model.h>

#include <cmath>
#include <filesystem>

namespace weir {
namespace {

const std::filesystem::path kData = WEIR_TESTDATA "/tensorflow";

/// The files NAME.KIND.K.npy, by K.
NamedTensors stored(const std::string& model, const std::string& kind) {
  NamedTensors tensors;
  const std::string prefix = model + "." + kind + ".";
  for (const auto& entry : std::filesystem::directory_iterator(kData)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with(prefix)) continue;
    const std::string key = file.substr(prefix.size(), file.size() - prefix.size() - 4);
    tensors.emplace_back(key, load_npy(entry.path().string()));
  }
  return tensors;
}

void expect_near(const Tensor& got, const Tensor& wanted, const std::string& what) {
  ASSERT_EQ(got.dtype(), DType::float32) << what;
  ASSERT_EQ(got.shape().to_string(), wanted.shape().to_string()) << what;
  for (std::int64_t i = 0; i < wanted.size(); ++i) {
    const float expected = wanted.data<float>()[i];
    EXPECT_NEAR(got.data<float>()[i], expected, 1e-5F * (1 + std::abs(expected))) << what;
  }
}

class TensorFlowModel : public testing::TestWithParam<const char*> {};

TEST_P(TensorFlowModel, GivesTensorFlowsResults) {
  const std::string name = GetParam();
  const SavedModel model = saved_model::load(kData / name);
  const NamedTensors wanted = stored(name, "out");
  const NamedTensors got = model.signatures[kServingDefault](stored(name, "in"));
  ASSERT_EQ(got.size(), wanted.size());
  for (const auto& [key, value] : wanted) {
    const auto found =
        std::find_if(got.begin(), got.end(), [&](const auto& r) { return r.first == key; });
    ASSERT_NE(found, got.end()) << key;
    expect_near(found->second, value, name + ": " + key);
  }
}

INSTANTIATE_TEST_SUITE_P(All,
                         TensorFlowModel,
                         testing::Values("keras_bilinear",
                                         "module_linear",
                                         "module_scan",
                                         "module_table",
                                         "module_counter",
                                         "v1_references"));

TEST(TensorFlowObject, HasItsFunctionAndVariables) {
  const SavedModel model = saved_model::load(kData / "module_linear");
  ASSERT_EQ(model.variables().size(), 2U);
  ASSERT_EQ(model.trainable_variables().size(), 1U);
  EXPECT_EQ(model.trainable_variables()[0].shape().to_string(), "[4, 3]");
  const Tensor x = stored("module_linear", "in")[0].second;
  const std::vector<Tensor> got = model.function("f")({x});
  ASSERT_EQ(got.size(), 2U);
  for (const auto& [key, value] : stored("module_linear", "out"))
    expect_near(got[key == "y" ? 0 : 1], value, key);
}

TEST(TensorFlowObject, KeepsItsStateBetweenCalls) {
  const SavedModel model = saved_model::load(kData / "module_counter");
  const LoadedSignature& f = model.signatures[kServingDefault];
  const NamedTensors x = stored("module_counter", "in");
  const float first = f(x)[0].second.data<float>()[0];
  const float second = f(x)[0].second.data<float>()[0];
  EXPECT_NEAR(second / first, 5.0F / 4.0F, 1e-5F);
}

}  // namespace
}  // namespace weir
