#include <gtest/gtest.h>
#include <weir/autocast.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/keras.h>
#include <weir/linalg.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/random.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "platform/data_directory.h"

namespace weir::keras {
namespace {

using namespace layers;

/// The global policy for the time of a test.
struct Policy {
  explicit Policy(const DTypePolicy& p) { mixed_precision::set_global_policy(p); }
  ~Policy() { mixed_precision::set_global_policy("float32"); }
};

TEST(DTypePolicyTest, NamesStandForDtypes) {
  const DTypePolicy mixed("mixed_bfloat16");
  EXPECT_EQ(mixed.compute_dtype(), DType::bfloat16);
  EXPECT_EQ(mixed.variable_dtype(), DType::float32);
  EXPECT_EQ(DTypePolicy(DType::float64), DTypePolicy("float64"));
  EXPECT_EQ(DTypePolicy("bfloat16").variable_dtype(), DType::bfloat16);
  EXPECT_THROW(DTypePolicy("bf16"), Error);
  EXPECT_THROW(DTypePolicy("mixed_float16"), Error);
}

TEST(DTypePolicyTest, ALayerKeepsThePolicyOfItsBirth) {
  Layer before = Dense(2), own;
  {
    const Policy p("mixed_bfloat16");
    own = Dense(2, "softmax", {.dtype_policy = "float32"});
    EXPECT_EQ(Layer(Dense(2)).dtype_policy().name(), "mixed_bfloat16");
  }
  EXPECT_EQ(before.dtype_policy().name(), "float32");
  EXPECT_EQ(own.dtype_policy().name(), "float32");
}

TEST(DTypePolicyTest, MixedLayersComputeInBfloat16WithWeightsInFloat32) {
  const Policy p("mixed_bfloat16");
  const Layer dense = Dense(3, "relu"), conv = Conv2D(4, 3, {.activation = "relu"});
  EXPECT_EQ(dense(Tensor::ones({2, 4})).dtype(), DType::bfloat16);
  EXPECT_EQ(conv(Tensor::ones({2, 5, 5, 3})).dtype(), DType::bfloat16);
  for (const Layer& l : {dense, conv}) {
    for (const Variable& w : l.weights())
      EXPECT_EQ(w.dtype(), DType::float32) << w.name();
  }
  const Tensor classes{1, 2};
  EXPECT_EQ(Layer(Flatten())(classes).dtype(), classes.dtype()) << "only floats are converted";
}

TEST(DTypePolicyTest, AWeightIsRoundedAndNothingElse) {
  Layer exact = Dense(5, "", {.kernel_initializer = "glorot_uniform"});
  const Tensor x = random::normal({7, 6});
  (void)exact(x);
  Layer mixed = Dense(5, "", {.dtype_policy = "mixed_bfloat16"});
  (void)mixed(x);
  mixed.weights()[0].assign(exact.weights()[0].value());
  const auto rounded = [](const Tensor& t) { return cast(t, DType::bfloat16); };
  const Tensor expected =
      matmul(rounded(x), rounded(exact.weights()[0].value())) + rounded(exact.weights()[1].value());
  EXPECT_EQ(mixed(x).to_string(), expected.to_string());
}

TEST(DTypePolicyTest, GradientsArriveInFloat32) {
  const Policy p("mixed_bfloat16");
  const Layer dense = Dense(3, "tanh");
  const Tensor x = random::normal({4, 6});
  (void)dense(x);
  GradientTape tape;
  const Tensor y = cast(dense(x), DType::float32);
  const std::vector<Tensor> g = tape.gradient(sum(square(y)), dense.trainable_weights());
  for (std::size_t i = 0; i < g.size(); ++i) {
    ASSERT_TRUE(g[i].defined());
    EXPECT_EQ(g[i].dtype(), DType::float32);
    EXPECT_GT(max(abs(g[i])).item<float>(), 0);
  }
}

struct Scale : LayerBase {
  Variable factor;
  void build(const Shape&) override { factor = add_weight("factor", {}, "ones"); }
  Tensor call(const Tensor& x, bool) override { return x * factor; }
};

TEST(DTypePolicyTest, LayersOfOnesOwnAreConvertedToo) {
  const Policy p("mixed_bfloat16");
  const Layer scale = make_layer<Scale>();
  EXPECT_EQ(scale(Tensor::ones({2})).dtype(), DType::bfloat16);
  EXPECT_EQ(scale.weights()[0].dtype(), DType::float32);
  EXPECT_EQ(scale.weights()[0].value().dtype(), DType::float32) << "outside of the layer";
}

TEST(DTypePolicyTest, BatchNormalizationComputesInFloat32) {
  const Policy p("mixed_bfloat16");
  const Layer norm = BatchNormalization();
  EXPECT_EQ(norm(random::normal({8, 3}), true).dtype(), DType::bfloat16);
  for (const Variable& w : norm.weights())
    EXPECT_EQ(w.dtype(), DType::float32);
}

TEST(DTypePolicyTest, BatchNormalizationTrainsWithHalfWeights) {
  const Tensor x = random::normal({64, 3}) * 2.f + 5.f;
  for (const char* policy : {"bfloat16", "float16"}) {
    const Policy p(policy);
    const DType half = DTypePolicy(policy).compute_dtype();
    const Layer norm = BatchNormalization();
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(norm(x, true).dtype(), half);
    EXPECT_EQ(norm(x).dtype(), half);
    for (const Variable& w : norm.weights())
      EXPECT_EQ(w.dtype(), half) << w.name();
    const Tensor moving = cast(norm.weights()[2].value(), DType::float32);
    EXPECT_GT(min(moving).item<float>(), 0.1f) << policy;
    EXPECT_LT(max(abs(mean(cast(norm(x, true), DType::float32), 0))).item<float>(), 0.05f);
  }
}

TEST(DTypePolicyTest, APolicyDoesNotChangeUnderWeights) {
  Layer dense = Dense(3);
  dense.set_dtype_policy("mixed_bfloat16");
  (void)dense(Tensor::ones({1, 2}));
  EXPECT_THROW(dense.set_dtype_policy("float64"), Error);
  EXPECT_EQ(dense.dtype_policy().name(), "mixed_bfloat16");
}

TEST(Autocast, AssignmentsAreInTheVariablesDtype) {
  const Variable v(Tensor{1.f, 2.f}), delta(Tensor{1.f, 1.f});
  const AutocastScope scope(DType::bfloat16);
  EXPECT_EQ(v.value().dtype(), DType::bfloat16);
  v.assign_add(delta);
  v.assign_sub(0.5f);
  {
    const AutocastScope none(DType::invalid);
    EXPECT_EQ(v.value().to_string(), (Tensor{1.5f, 2.5f}).to_string());
  }
  EXPECT_EQ((v * 2.0).dtype(), DType::bfloat16);
  const auto twice = function([&] {
    v.assign_add(delta);
    return v.value();
  });
  EXPECT_EQ(twice().dtype(), DType::bfloat16);
  EXPECT_EQ(v.dtype(), DType::float32);
}

TEST(Autocast, AScopeIsOfAFloatingDtype) {
  EXPECT_THROW({ const AutocastScope scope(DType::int32); }, Error);
  EXPECT_THROW({ const AutocastScope scope(DType::string); }, Error);
  const Variable v(Tensor{1.f}, "v");
  EXPECT_EQ(v.value().dtype(), DType::float32) << "nothing is left behind";
}

TEST(Autocast, WritesOfPartsAreInTheVariablesDtype) {
  const Variable v(Tensor{1.f, 2.f, 3.f}, "v"), delta(Tensor{0.5f}, "delta");
  {
    const AutocastScope scope(DType::bfloat16);
    scatter_add(v, Tensor{1}, Tensor{1.f});
    scatter_nd_update(v, Tensor{{2}}, Tensor{9.f});
    scatter_add(v, Tensor{0}, delta);
    assign_slice(v, {Slice(1, 2)}, Tensor{7.f});
  }
  EXPECT_EQ(v.value().to_string(), (Tensor{1.5f, 7.f, 9.f}).to_string());
}

/// Weights after two steps of an optimizer.
std::string trained(const Optimizer& optimizer, DType autocast) {
  const Variable v(Tensor{1.f, 2.f}, "v");
  const AutocastScope scope(autocast);
  for (int i = 0; i < 2; ++i)
    optimizer.apply_gradients({{Tensor{0.3f, -0.7f}, v}});
  const AutocastScope none(DType::invalid);
  return v.value().to_string();
}

TEST(Autocast, OptimizersComputeInTheVariablesDtype) {
  const auto same = [](const auto& make) {
    EXPECT_EQ(trained(make(), DType::bfloat16), trained(make(), DType::invalid));
  };
  same([] { return optimizers::SGD(0.0123); });
  same([] { return optimizers::SGD({.learning_rate = 0.0123, .momentum = 0.9}); });
  same([] { return optimizers::Adam(0.0123); });
  same([] { return optimizers::RMSprop(0.0123); });
}

TEST(Autocast, WeightsAreSavedAndRestoredInTheirDtype) {
  auto inputs = Input({4});
  Model model(inputs, Dense(2)(inputs));
  const std::string path =
      (std::filesystem::temp_directory_path() / "weir_autocast_weights.npz").string();
  const AutocastScope scope(DType::bfloat16);
  model.save_weights(path);
  EXPECT_NO_THROW(model.load_weights(path));
  std::filesystem::remove(path);
  const Callback best = callbacks::EarlyStopping({.monitor = "loss", .restore_best_weights = true});
  best->model = &model;
  best->on_train_begin();
  best->on_epoch_end(0, {{"loss", 1.0}});
  EXPECT_NO_THROW(best->on_train_end());
}

TEST(Autocast, AKeptConversionFollowsItsVariable) {
  const Variable v(random::normal({64, 128}), "v");
  const Tensor by(random::normal({64, 128}));
  const auto expect_current = [&](const Tensor& got) {
    EXPECT_EQ(got.to_string(), cast(v.value(), DType::bfloat16).to_string());
  };
  const auto read = [&] {
    const AutocastScope scope(DType::bfloat16);
    return v.value();
  };
  for (int i = 0; i < 4; ++i)
    expect_current(read());
  EXPECT_EQ(read().raw_data(), read().raw_data()) << "one copy";
  const Tensor before = read();
  const std::string old = before.to_string();
  v.assign_add(by);  // in place: nobody holds the float32 value
  expect_current(read());
  EXPECT_EQ(before.to_string(), old);
  v.assign(by);
  for (int i = 0; i < 3; ++i)
    expect_current(read());
  EXPECT_EQ(square(read()).to_string(), square(cast(by, DType::bfloat16)).to_string());
  expect_current(read());
}

struct Digits {
  Tensor x, y;
};
/// The digits that Weir ships: 64 pixels of 0 to 16, and the class.
Digits digits() {
  std::ifstream file(platform::data_path("digits/digits.csv"));
  std::vector<float> pixels;
  std::vector<std::int64_t> labels;
  int v = 0;
  for (int i = 0; file >> v; ++i) {
    if (i % 65 == 64)
      labels.push_back(v);
    else
      pixels.push_back(float(v) / 16);
    if (file.peek() == ',') file.get();
  }
  const auto n = std::int64_t(labels.size());
  return {Tensor::from(pixels, Shape{n, 64}), Tensor::from(labels)};
}

/// Accuracy on the last fifth after training on the rest.
double trained_accuracy(const DTypePolicy& policy, const Digits& d, bool eagerly, int epochs) {
  const Policy p(policy);
  random::set_seed(7);
  auto inputs = Input({64});
  auto x = Dense(64, "relu")(Dense(96, "relu")(inputs));
  Model model(inputs, Dense(10, "softmax", {.dtype_policy = "float32"})(x));
  model.compile(optimizers::Adam(0.003),
                "sparse_categorical_crossentropy",
                {"accuracy"},
                {.run_eagerly = eagerly});
  const std::int64_t n = d.x.dim(0), train = n * 4 / 5;
  model.fit(d.x.slice(0, train),
            d.y.slice(0, train),
            {.batch_size = 64, .epochs = epochs, .seed = 1, .verbose = 0});
  return model.evaluate(d.x.slice(train, n), d.y.slice(train, n), {.batch_size = 128})
      .at("accuracy");
}

TEST(MixedPrecision, LearnsTheDigitsAsFloat32Does) {
  const Digits d = digits();
  ASSERT_EQ(d.x.dim(0), 1797);
  const double exact = trained_accuracy("float32", d, false, 12);
  const double mixed = trained_accuracy("mixed_bfloat16", d, false, 12);
  EXPECT_GT(exact, 0.9);
  EXPECT_GT(mixed, exact - 0.02);
}

TEST(MixedPrecision, EagerAndGraphTrainAlike) {
  const Digits d = digits();
  EXPECT_EQ(trained_accuracy("mixed_bfloat16", d, false, 2),
            trained_accuracy("mixed_bfloat16", d, true, 2));
}

TEST(MixedPrecision, AConvolutionalModelTrains) {
  const Policy p("mixed_bfloat16");
  const Digits d = digits();
  random::set_seed(5);
  auto inputs = Input({64});
  auto x = Conv2D(8, 3, {.padding = "same", .activation = "relu"})(Reshape({8, 8, 1})(inputs));
  x = MaxPooling2D()(BatchNormalization()(x));
  x = Dropout(0.1)(Flatten()(x));
  Model model(inputs, Activation("softmax").set_dtype_policy("float32")(Dense(10)(x)));
  model.compile("adam", "sparse_categorical_crossentropy", {"accuracy"});
  const History h =
      model.fit(d.x.slice(0, 1024), d.y.slice(0, 1024), {.epochs = 4, .seed = 1, .verbose = 0});
  EXPECT_LT(h["loss"].back(), 0.5 * h["loss"].front());
  EXPECT_NE(model.summary().find("Dtype policies: mixed_bfloat16, float32"), std::string::npos)
      << model.summary();
  EXPECT_EQ(model.predict(d.x.slice(0, 4)).dtype(), DType::float32);
}

}  // namespace
}  // namespace weir::keras
