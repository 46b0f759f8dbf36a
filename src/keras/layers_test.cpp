#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/keras.h>
#include <weir/operators.h>
#include <weir/ops/math.h>
#include <weir/random.h>

#include <algorithm>

namespace weir::keras {
namespace {

using namespace layers;

TEST(Functional, TheModelOfTheTutorials) {
  auto inputs = Input({28, 28});
  auto x = Flatten()(inputs);
  x = Dense(256, "relu")(x);
  x = Dense(256, "relu")(x);
  x = Dense(256, "relu")(x);
  auto outputs = Dense(10, "softmax")(x);
  EXPECT_EQ(outputs.shape().to_vector(), (std::vector<std::int64_t>{-1, 10}));
  Model model(inputs, outputs);
  EXPECT_EQ(model.count_params(), 784 * 256 + 256 + 2 * (256 * 256 + 256) + 256 * 10 + 10);

  const Tensor data = random::uniform({4, 28, 28});
  const Tensor eager = model(data);
  EXPECT_EQ(eager.shape(), (Shape{4, 10}));
  EXPECT_NEAR(sum(eager).item<double>(), 4, 1e-5);
  auto graph_model = function(model);
  const Tensor graph = graph_model(data);
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(eager.data<float>()[i], graph.data<float>()[i]);
}

TEST(Functional, SummaryIsATable) {
  auto inputs = Input({8}, {.name = "pixels"});
  Model model(inputs, Dense(2, "", {.name = "logits"})(inputs), "tiny");
  const std::string s = model.summary();
  EXPECT_NE(s.find("Model: \"tiny\""), std::string::npos);
  EXPECT_NE(s.find("pixels (InputLayer)"), std::string::npos);
  EXPECT_NE(s.find("logits (Dense)"), std::string::npos);
  EXPECT_NE(s.find("[?, 2]"), std::string::npos);
  EXPECT_NE(s.find("Total params: 18 (72 B)"), std::string::npos);
}

TEST(Functional, BranchesMeetAgain) {
  auto inputs = Input({3});
  auto a = Dense(4, "relu")(inputs);
  auto b = Dense(4, "tanh")(inputs);
  Model model(inputs, Concatenate()({Add()({a, b}), a}));
  EXPECT_EQ(model(Tensor::ones({2, 3})).shape(), (Shape{2, 8}));
}

TEST(Functional, AWrongInputIsAnErrorThatNamesIt) {
  auto inputs = Input({3}, {.name = "features"});
  Model model(inputs, Dense(1)(inputs));
  try {
    model(Tensor::ones({2, 4}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("'features' does not fit"), std::string::npos);
    EXPECT_EQ(e.info().expected, "float32[?, 3]");
  }
}

TEST(Functional, AnOutputOfAnotherInputIsAnError) {
  auto a = Input({3});
  auto b = Input({3});
  EXPECT_THROW(Model(a, Dense(1)(b)), Error);
}

TEST(Sequential, BuildsAtItsFirstCall) {
  Sequential model({Dense(4, "relu"), Dense(2)});
  EXPECT_EQ(model.weights().size(), 0u);
  EXPECT_EQ(model(Tensor::ones({5, 3})).shape(), (Shape{5, 2}));
  EXPECT_EQ(model.weights().size(), 4u);
}

struct Scale : LayerBase {
  Variable factor;
  void build(const Shape&) override { factor = add_weight("factor", Shape{}, "ones"); }
  Tensor call(const Tensor& x, bool) override { return x * factor; }
  std::string type() const override { return "Scale"; }
};

TEST(Layer, OfAUser) {
  Layer scale = make_layer<Scale>();
  EXPECT_EQ(scale(Tensor{2.f}).item<float>(), 2);
  scale.weights()[0].assign(Tensor(3.f));
  EXPECT_EQ(scale(Tensor{2.f}).item<float>(), 6);
  EXPECT_EQ(scale.weights()[0].name(), "scale/factor");
}

TEST(Layer, UnknownNamesListTheKnownOnes) {
  try {
    Dense(3, "rellu");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::not_found);
    EXPECT_NE(e.info().expected.find("relu"), std::string::npos);
  }
  EXPECT_THROW(Initializer("glorot"), Error);
  EXPECT_THROW(Dropout(1.5), Error);
  EXPECT_THROW(Dense(0), Error);
}

TEST(Layer, FrozenOnesInsideAModelAreNotTrained) {
  auto inputs = Input({3});
  auto x = Dense(4, "relu", {.name = "frozen_hidden"})(inputs);
  Model model(inputs, Dense(2)(x));
  ASSERT_EQ(model.trainable_weights().size(), 4u);
  model.get_layer("frozen_hidden").set_trainable(false);
  EXPECT_EQ(model.trainable_weights().size(), 2u);
  EXPECT_EQ(model.weights().size(), 4u);
  Model outer = Sequential({model, Dense(1)});
  (void)outer(Tensor::ones({1, 3}));
  EXPECT_EQ(outer.trainable_weights().size(), 4u);
}

TEST(Sequential, WithoutInputItHasAGraphOnceItWasCalled) {
  Sequential model({Dense(4, "relu"), Dense(2)});
  EXPECT_THROW(model.concrete_function(), Error);
  const Tensor x = random::uniform({3, 5});
  const Tensor y = model(x);
  ASSERT_EQ(model.input_specs().size(), 1u);
  EXPECT_EQ(model.input_specs()[0].shape.to_string(), "[?, 5]");
  const Tensor again = model.concrete_function()({&x, 1})[0];
  EXPECT_TRUE(
      std::equal(y.data<float>().begin(), y.data<float>().end(), again.data<float>().begin()));
}

TEST(Functional, AllInputsAndOutputsAreInTheGraph) {
  std::vector<Symbol> in{
      Input({2}, {.name = "a"}), Input({2}, {.name = "b"}), Input({2}, {.name = "c"})};
  auto sum = Add()(in);
  Model model(in, {Dense(1, "", {.kernel_initializer = "ones"})(sum), sum});
  const std::vector<Tensor> x{Tensor::ones({1, 2}), Tensor::ones({1, 2}), Tensor::ones({1, 2})};
  const std::vector<Tensor> y = model.concrete_function()(x);
  ASSERT_EQ(y.size(), 2u);
  EXPECT_EQ(y[0].item<float>(), 6);
  EXPECT_EQ(y[1].shape(), (Shape{1, 2}));
  EXPECT_EQ(model.concrete_function().inputs()[2].name, "c");
  EXPECT_THROW(model(x), Error) << "one of two outputs, silently";
}

TEST(Reshape, OneDimensionMayBeLeftOpen) {
  auto inputs = Input({8});
  auto x = Reshape({-1, 4})(inputs);
  EXPECT_EQ(x.shape().to_string(), "[?, 2, 4]");
  EXPECT_EQ(Model(inputs, x)(Tensor::ones({3, 8})).shape(), (Shape{3, 2, 4}));
}

TEST(Dense, TakesSequencesOfAnyLength) {
  auto inputs = Input({-1, 8});
  auto x = Dense(3)(Reshape({-1, 4})(Dense(4, "relu")(inputs)));
  EXPECT_EQ(x.shape().to_string(), "[?, ?, 3]");
  Model model(inputs, x);
  const Tensor data = random::uniform({2, 5, 8});
  const Tensor y = model(data);
  EXPECT_EQ(y.shape(), (Shape{2, 5, 3}));
  const Tensor graph = function(model)(data);
  EXPECT_TRUE(
      std::equal(y.data<float>().begin(), y.data<float>().end(), graph.data<float>().begin()));
}

TEST(Dense, WorksOnTheLastAxis) {
  Layer dense = Dense(2, "", {.kernel_initializer = "ones"});
  const Tensor y = dense(Tensor::ones({3, 4, 5}));
  EXPECT_EQ(y.shape(), (Shape{3, 4, 2}));
  EXPECT_EQ(y.data<float>()[0], 5);
}

TEST(Dropout, DropsInTrainingOnly) {
  Layer dropout = Dropout(0.5);
  const Tensor x = Tensor::ones({1000});
  EXPECT_EQ(sum(dropout(x)).item<float>(), 1000);
  const Tensor y = dropout(x, true);
  int zeros = 0;
  for (float v : y.data<float>()) {
    EXPECT_TRUE(v == 0 || v == 2);
    zeros += v == 0;
  }
  EXPECT_GT(zeros, 400);
  EXPECT_LT(zeros, 600);
}

TEST(BatchNormalization, NormalisesByTheBatchInTrainingAndByAveragesElse) {
  Layer norm = BatchNormalization({.momentum = 0.5, .epsilon = 0});
  const Tensor x{{1.f, 10.f}, {3.f, 30.f}};
  const Tensor y = norm(x, true);
  EXPECT_NEAR(y.data<float>()[0], -1, 1e-5);
  EXPECT_NEAR(y.data<float>()[3], 1, 1e-5);
  // Moving averages: half of the way from 0 and 1 to the moments of the batch.
  EXPECT_FLOAT_EQ(norm.weights()[2].value().data<float>()[1], 10);
  EXPECT_FLOAT_EQ(norm.weights()[3].value().data<float>()[0], 1);
  EXPECT_EQ(norm.trainable_weights().size(), 2u);
}

TEST(Convolution, ShapesOfASmallNetwork) {
  auto inputs = Input({28, 28, 1});
  auto x = Conv2D(8, 3, {.padding = "same", .activation = "relu"})(inputs);
  x = MaxPooling2D()(x);
  EXPECT_EQ(x.shape().to_vector(), (std::vector<std::int64_t>{-1, 14, 14, 8}));
  x = Conv2D(16, 3)(x);
  EXPECT_EQ(x.shape().to_vector(), (std::vector<std::int64_t>{-1, 12, 12, 16}));
  Model model(inputs, Dense(10)(Flatten()(x)));
  EXPECT_EQ(model(Tensor::ones({2, 28, 28, 1})).shape(), (Shape{2, 10}));
}

}  // namespace
}  // namespace weir::keras
