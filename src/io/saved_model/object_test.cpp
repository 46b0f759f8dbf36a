#include <gtest/gtest.h>
#include <weir/checkpoint.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/math.h>
#include <weir/saved_model.h>

#include "io/file/file.h"
#include "platform/file.h"
#include "platform/test_directory.h"

namespace weir {
namespace {

using platform::TestDirectory;

struct Linear {
  Variable w{Tensor{{1.0F, 2.0F}, {3.0F, -4.0F}, {5.0F, 6.0F}}, "layer/w"};
  Variable b{Tensor{0.5F, -0.5F}, "layer/b", false};
  Variable calls{Tensor(0.0F), "calls", false};

  ConcreteFunction function() const {
    auto f = weir::function([this](const Tensor& x) {
      calls.assign_add(1.0F);
      return std::vector<Tensor>{matmul(x, w) + b, calls.value()};
    });
    return f.get_concrete_function(TensorSpec{{-1, 3}, DType::float32, "x"});
  }
};

Trackable trackable(const Linear& linear) {
  return Trackable::Group{{"w", linear.w}, {"b", linear.b}};
}

const Tensor& input() {
  static const Tensor x{{1.0F, 0.5F, -2.0F}};
  return x;
}

void save(const Linear& linear, const std::string& directory) {
  saved_model::save(
      linear,
      directory,
      {{.function = linear.function(), .inputs = {"image"}, .outputs = {"y", "count"}}});
}

std::vector<float> floats(const Tensor& t) {
  const auto values = t.data<float>();
  return {values.begin(), values.end()};
}

TEST(SavedObject, ComesBackWithItsVariables) {
  const TestDirectory dir;
  const Linear linear;
  save(linear, dir / "m");
  const SavedModel model = saved_model::load(dir / "m");
  ASSERT_EQ(model.variables().size(), 3U);
  ASSERT_EQ(model.trainable_variables().size(), 1U);
  EXPECT_EQ(model.trainable_variables()[0].name(), "layer/w");
  EXPECT_EQ(floats(model.trainable_variables()[0].value()), floats(linear.w.value()));
}

TEST(SavedObject, ItsFunctionsGiveTheSameBitsAndKeepState) {
  const TestDirectory dir;
  const Linear linear;
  save(linear, dir / "m");
  const std::vector<float> wanted = floats(matmul(input(), linear.w) + linear.b);
  const SavedModel model = saved_model::load(dir / "m");
  const LoadedSignature& serve = model.signatures[kServingDefault];
  EXPECT_EQ(serve.outputs()[0].name, "count");
  EXPECT_EQ(floats(serve({{"image", input()}})[1].second), wanted);
  const std::vector<Tensor> again = model.function("__call__")({input()});
  EXPECT_EQ(floats(again[0]), wanted);
  EXPECT_EQ(again[1].item<float>(), 2.0F);
  EXPECT_EQ(linear.calls.value().item<float>(), 0.0F);
}

TEST(SavedObject, CanBeTrainedAndSavedAgain) {
  const TestDirectory dir;
  const Linear linear;
  save(linear, dir / "m");
  const SavedModel model = saved_model::load(dir / "m");
  const LoadedFunction call = model.function("__call__");
  const Variable w = model.trainable_variables()[0];
  GradientTape tape;
  const Tensor loss = sum(call({input()})[0]);
  const Tensor gradient = tape.gradient(loss, w);
  EXPECT_EQ(floats(gradient), (std::vector<float>{1.0F, 1.0F, 0.5F, 0.5F, -2.0F, -2.0F}));
  w.assign_sub(gradient);
  const std::vector<float> wanted = floats(call({input()})[0]);
  Trackable::Group variables;
  for (const Variable& variable : model.variables())
    variables.emplace_back(variable.name(), variable);
  saved_model::save(Trackable(variables),
                    dir / "again",
                    {{.function = model.signatures[kServingDefault].function()}});
  const SavedModel second = saved_model::load(dir / "again");
  EXPECT_EQ(floats(second.function("__call__")({input()})[1]), wanted);
}

TEST(SavedObject, UnknownNames_AreErrors) {
  const TestDirectory dir;
  save(Linear(), dir / "m");
  const SavedModel model = saved_model::load(dir / "m");
  EXPECT_THROW(model.function("call"), Error);
  EXPECT_THROW(model.function("__call__")({Tensor{1, 2, 3}}), Error);
  EXPECT_THROW(saved_model::load(dir / "m", {.tags = {"train"}}), Error);
}

TEST(SavedObject, DamagedCheckpoint_IsAnError) {
  const TestDirectory dir;
  save(Linear(), dir / "m");
  const std::string path = dir / "m/variables/variables.data-00000-of-00001";
  std::string bytes = io::read_file(path);
  bytes[3] = static_cast<char>(bytes[3] ^ 1);
  io::write_file(path, bytes);
  EXPECT_THROW(saved_model::load(dir / "m"), Error);
}

}  // namespace
}  // namespace weir
