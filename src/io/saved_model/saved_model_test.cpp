#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/saved_model.h>
#include <weir/variable.h>

#include <cerrno>

#include "io/file/file.h"
#include "io/proto/saved_model.pb.h"
#include "io/saved_model/load.h"
#include "platform/file.h"
#include "platform/file_faults.h"
#include "platform/test_directory.h"

namespace weir {
namespace {

using platform::TestDirectory;

Code code_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::ok;
}

const TensorSpec kInput{{-1, 3}, DType::float32, "x"};

// relu(x w) and its double.
ModelSignature two_results(const Variable& w) {
  auto f = function([w](const Tensor& x) {
    const Tensor y = relu(matmul(x, w));
    return std::vector<Tensor>{y, y + y};
  });
  return {.function = f.get_concrete_function(kInput),
          .inputs = {"image"},
          .outputs = {"z_once", "a_twice"}};
}

Variable weights() {
  return Variable(Tensor{{1.0F, 2.0F}, {3.0F, -4.0F}, {5.0F, 6.0F}}, "w");
}

TEST(SavedModel, SavedAndLoaded_GivesTheSameBits) {
  const TestDirectory dir;
  const ModelSignature saved = two_results(weights());
  saved_model::save(dir / "m", {saved});
  const SavedModel model = saved_model::load(dir / "m");
  const LoadedSignature& loaded = model.signatures[kServingDefault];
  ASSERT_EQ(loaded.inputs().size(), 1U);
  EXPECT_EQ(loaded.inputs()[0].name, "image");
  EXPECT_EQ(loaded.inputs()[0].shape.to_string(), kInput.shape.to_string());
  const Tensor x = Tensor{{1.0F, 0.5F, -2.0F}, {0.1F, 0.2F, 0.3F}};
  const std::vector<Tensor> wanted = saved.function({&x, 1});
  const NamedTensors got = loaded({{"image", x}});
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].first, "a_twice");
  EXPECT_EQ(got[1].first, "z_once");
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(got[1].second.data<float>()[i], wanted[0].data<float>()[i]);
    EXPECT_EQ(got[0].second.data<float>()[i], wanted[1].data<float>()[i]);
  }
}

TEST(SavedModel, SeveralSignatures_AreKeptApart) {
  const TestDirectory dir;
  const auto twice = function([](const Tensor& x) { return x + x; });
  const auto square = function([](const Tensor& x) { return x * x; });
  saved_model::save(dir / "m",
                    {{.name = "twice", .function = twice.get_concrete_function(kInput)},
                     {.name = "square", .function = square.get_concrete_function(kInput)}});
  const SavedModel model = saved_model::load(dir / "m");
  ASSERT_EQ(model.signatures.size(), 2U);
  const Tensor x{{1.0F, 2.0F, 3.0F}};
  const std::string input = model.signatures["twice"].inputs()[0].name;
  EXPECT_EQ(model.signatures["twice"]({{input, x}})[0].second.data<float>()[2], 6.0F);
  EXPECT_EQ(model.signatures["square"]({{input, x}})[0].second.data<float>()[2], 9.0F);
  EXPECT_EQ(code_of([&] { model.signatures["cube"]; }), Code::not_found);
}

TEST(SavedModel, SameModel_GivesTheSameBytes) {
  const TestDirectory dir;
  saved_model::save(dir / "a", {two_results(weights())});
  saved_model::save(dir / "b", {two_results(weights())});
  EXPECT_EQ(io::read_file(dir / "a/saved_model.pb"), io::read_file(dir / "b/saved_model.pb"));
}

TEST(SavedModel, WrongNames_AreErrors) {
  const TestDirectory dir;
  const auto f = function([](const Tensor& x) { return x + x; }).get_concrete_function(kInput);
  const auto save = [&](const ModelSignature& s) {
    return code_of([&] { saved_model::save(dir / "m", {s}); });
  };
  EXPECT_EQ(save({.function = f, .inputs = {"a", "b"}}), Code::invalid_argument);
  EXPECT_EQ(save({.function = f, .inputs = {""}}), Code::invalid_argument);
  EXPECT_EQ(save({.name = "", .function = f}), Code::invalid_argument);
  EXPECT_EQ(save({.name = "a/b", .function = f}), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { saved_model::save(dir / "m", {}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] {
              saved_model::save(dir / "m", {{.function = f}, {.function = f}});
            }),
            Code::invalid_argument);
  EXPECT_FALSE(platform::file_exists(dir / "m"));
}

TEST(SavedModel, WrongArguments_AreErrors) {
  const TestDirectory dir;
  saved_model::save(dir / "m", {two_results(weights())});
  const SavedModel model = saved_model::load(dir / "m");
  const LoadedSignature& f = model.signatures[kServingDefault];
  EXPECT_EQ(code_of([&] { f({}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { f({{"picture", Tensor{{1.0F}}}}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { f({{"image", Tensor{{1, 2, 3}}}}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { f({{"image", Tensor{{1.0F, 2.0F}}}}); }), Code::invalid_argument);
  EXPECT_EQ(code_of([&] { f({{"image", Tensor{{1.0F, 2.0F, 3.0F}}}}); }), Code::ok);
}

TEST(SavedModel, ForeignDirectory_IsNotReplaced) {
  const TestDirectory dir;
  io::write_file(dir / "precious.txt", "mine");
  EXPECT_EQ(code_of([&] { saved_model::save(dir.path(), {two_results(weights())}); }),
            Code::already_exists);
  EXPECT_EQ(io::read_file(dir / "precious.txt"), "mine");
}

TEST(SavedModel, EveryFailingCall_LeavesTheOldModel) {
  const TestDirectory dir;
  const std::vector<ModelSignature> model = {two_results(weights())};
  saved_model::save(dir / "m", model);
  platform::set_fault_plan({});
  saved_model::save(dir / "m", model);
  const std::int64_t calls = platform::clear_fault_plan();
  for (std::int64_t n = 1; n <= calls; ++n) {
    platform::set_fault_plan({platform::FileCall::any, n, ENOSPC, true});
    EXPECT_EQ(code_of([&] { saved_model::save(dir / "m", model); }), Code::resource_exhausted);
    platform::clear_fault_plan();
    EXPECT_EQ(saved_model::load(dir / "m").signatures.size(), 1U) << "call " << n;
  }
}

TEST(SavedModel, MissingOrDamaged_IsAnError) {
  const TestDirectory dir;
  EXPECT_EQ(code_of([&] { saved_model::load(dir / "none"); }), Code::not_found);
  EXPECT_EQ(code_of([] { io::parse_saved_model("no protobuf", "x"); }), Code::data_loss);
  EXPECT_EQ(code_of([] { io::parse_saved_model("", "x"); }), Code::not_found);
  saved_model::save(dir / "m", {two_results(weights())});
  const std::string good = io::read_file(dir / "m/saved_model.pb");
  for (std::size_t size = 0; size < good.size(); size += 11) {
    EXPECT_NE(code_of([&] { io::parse_saved_model(good.substr(0, size), "x"); }), Code::ok) << size;
  }
}

// y = -x as an independent writer made it: TensorFlow's loaders accept these bytes.
constexpr std::string_view kNegModel =
    "080112d4010a0f220573657276652a06322e31342e3012560a370a0178120b506c616365686f6c6465722a"
    "0b0a056474797065120230012a180a057368617065120f3a0d120b08ffffffffffffffffff010a140a0179"
    "12034e65671a01782a070a015412023001220508a10c100c2a690a0f73657276696e675f64656661756c74"
    "12560a1b0a017812160a03783a3010011a0d120b08ffffffffffffffffff01121b0a017912160a03793a30"
    "10011a0d120b08ffffffffffffffffff011a1a74656e736f72666c6f772f73657276696e672f7072656469"
    "6374";

TEST(SavedModel, FileOfAnotherWriter_IsRead) {
  std::string bytes;
  for (std::size_t i = 0; i < kNegModel.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(kNegModel.substr(i, 2)), nullptr, 16));
  }
  const SavedModel model = io::parse_saved_model(bytes, "neg");
  const NamedTensors y = model.signatures[kServingDefault]({{"x", Tensor{1.0F, -2.0F}}});
  EXPECT_EQ(y[0].first, "y");
  EXPECT_EQ(y[0].second.data<float>()[1], 2.0F);
}

}  // namespace
}  // namespace weir
