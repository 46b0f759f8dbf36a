#include "op_suite/example.h"

#include <gtest/gtest.h>

namespace weir::op_suite {
namespace {

TEST(ExampleGrammar, ReadsInputsAndAttributes) {
  const Example e = parse_example("f64[2,3]:0.5..2 [] i32[0]:-1..3 ; axis=[0,-1] keepdims=true");
  ASSERT_EQ(e.inputs.size(), 3u);
  EXPECT_EQ(e.inputs[0].dtype, DType::float64);
  EXPECT_EQ(e.inputs[0].shape, (Shape{2, 3}));
  EXPECT_EQ(e.inputs[0].low, 0.5);
  EXPECT_EQ(e.inputs[1].dtype, DType::invalid);
  EXPECT_EQ(e.inputs[1].shape, Shape{});
  EXPECT_EQ(e.inputs[2].shape, (Shape{0}));
  ASSERT_EQ(e.attrs.size(), 2u);
  EXPECT_EQ(e.attrs[0].second, "[0,-1]");
}

TEST(ExampleGrammar, ErrorsNameTheText) {
  for (const char* bad :
       {"2,3", "[2", "x[2]", "[2,x]", "[2]:1", "[2]:2..1", "[2] ; axis", "[2] ; ; a=1", "[2]5"}) {
    try {
      parse_example(bad);
      ADD_FAILURE() << bad << " was accepted";
    } catch (const Error& e) {
      EXPECT_FALSE(e.info().what.empty()) << bad;
    }
  }
}

TEST(ExampleGrammar, AttributesAreChecked) {
  OpDef op("Test");
  op.attr("axis", 0)
      .attr("flag", false)
      .attr("list", std::vector<std::int64_t>{1, 2})
      .attr("must", rt::Attr::Kind::integer);
  const auto with = [&](const char* text) { Attributes(op, parse_example(text)); };
  EXPECT_NO_THROW(with("; must=1"));
  EXPECT_THROW(with("; axis=1"), Error);
  EXPECT_THROW(with("; must=1 other=1"), Error);
  EXPECT_THROW(with("; must=1 flag=maybe"), Error);
  EXPECT_THROW(with("; must=1.5"), Error);
  const Example e = parse_example("; must=7 list=[4]");
  const Attributes a(op, e);
  EXPECT_EQ(a.view()[3].i, 7);
  EXPECT_EQ(a.view()[2].count, 1u);
  EXPECT_EQ(a.view()[2].ints[0], 4);
}

TEST(ExampleGrammar, FreeTypesAreSwept) {
  OpDef op("Test");
  op.type("T", kFloating).type("I", kIndex).input("x", "T").input("i", "I").input("y", "T");
  EXPECT_EQ(variants(op, parse_example("[2] [2] [2]"), {}).size(), 5u);
  EXPECT_EQ(variants(op, parse_example("[2] i64[2] [2]"), {}).size(), 4u);
  EXPECT_EQ(variants(op, parse_example("f64[2] i64[2] [2]"), {}),
            (std::vector<Variant>{{DType::float64, DType::int64, DType::float64}}));
}

TEST(ExampleGrammar, ValuesStayInTheirRange) {
  const Example e = parse_example("[100]:1.5..2 [100]:-3..3");
  const auto in = make_inputs(e, {DType::float64, DType::uint8}, 1);
  for (double v : in[0].data<double>())
    EXPECT_TRUE(v >= 1.5 && v <= 2) << v;
  for (auto v : in[1].data<std::uint8_t>())
    EXPECT_LE(v, 3);
}

}  // namespace
}  // namespace weir::op_suite
