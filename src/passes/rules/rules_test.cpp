#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <random>

#include "passes/graphs_for_test.h"
#include "passes/rules/pattern.h"

namespace weir::passes {
namespace {

const OpDef* op_named(const std::string& name) {
  return find_op(name);
}

/// Values that arithmetic treats specially, among random ones.
template <class T>
std::vector<T> interesting(std::int64_t n, std::mt19937& random) {
  std::vector<T> special = {T(0), T(1), T(2), T(3), T(100)};
  if constexpr (std::is_signed_v<T>) special.insert(special.end(), {T(-1), T(-2), T(-7)});
  if constexpr (std::is_floating_point_v<T>) {
    using L = std::numeric_limits<T>;
    special.insert(special.end(),
                   {T(-0.0),
                    L::infinity(),
                    -L::infinity(),
                    L::quiet_NaN(),
                    -L::quiet_NaN(),
                    L::denorm_min(),
                    -L::denorm_min(),
                    L::min(),
                    L::max(),
                    L::lowest(),
                    T(0.3)});
  } else {
    special.insert(special.end(), {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()});
  }
  std::vector<T> v;
  for (std::int64_t i = 0; i < n; ++i)
    v.push_back(random() % 2 ? special[random() % special.size()] : T(int(random() % 200) - 100));
  return v;
}

Tensor random_tensor(DType t, const Shape& shape, std::mt19937& random) {
  const std::int64_t n = shape.size();
  switch (t) {
    case DType::float32:
      return Tensor::from(interesting<float>(n, random), shape);
    case DType::float64:
      return Tensor::from(interesting<double>(n, random), shape);
    case DType::int32:
      return Tensor::from(interesting<std::int32_t>(n, random), shape);
    case DType::int64:
      return Tensor::from(interesting<std::int64_t>(n, random), shape);
    case DType::uint8:
      return Tensor::from(interesting<std::uint8_t>(n, random), shape);
    case DType::int8:
      return Tensor::from(interesting<std::int8_t>(n, random), shape);
    default: {
      std::vector<bool> bits;
      for (std::int64_t i = 0; i < n; ++i)
        bits.push_back(random() % 2);
      return Tensor::from(bits, shape);
    }
  }
}

/// One element of `value` in dtype t.
Tensor number(double value, DType t) {
  const double v[] = {value};
  const Tensor wide = Tensor::from(std::span<const double>(v), Shape{});
  switch (t) {
    case DType::float32:
      return Tensor(float(value));
    case DType::float64:
      return wide;
    case DType::int64:
      return Tensor(std::int64_t(value));
    case DType::uint8:
      return Tensor(std::uint8_t(std::int64_t(value)));
    case DType::int8:
      return Tensor(std::int8_t(value));
    case DType::boolean:
      return Tensor(value != 0);
    default:
      return Tensor(std::int32_t(value));
  }
}

/// Example of a rule: its pattern with inputs for the variables, all of dtype `t` (a first operand
/// that is a condition is bool), of these shapes.
class PatternGraph {
 public:
  PatternGraph(const CompiledRule& rule, DType t, std::vector<Shape> shapes)
      : rule_(rule), t_(t), shapes_(std::move(shapes)) {}

  GraphPtr make() {
    std::vector<TensorSpec> inputs;
    for (std::size_t v = 0; v < shapes_.size(); ++v)
      inputs.push_back({shapes_[v], dtype(int(v)), "v" + std::to_string(v)});
    return trace(inputs, [&](std::vector<Tensor>& in) {
      return std::vector<Tensor>{build(rule_.pattern, in)};
    });
  }
  DType dtype(int variable) const {
    const bool condition = rule_.pattern.op->name() == "SelectV2" && variable == 0 &&
                           rule_.pattern.arguments[0].kind == Expr::Kind::variable;
    return condition ? DType::boolean : t_;
  }

 private:
  Tensor build(const Expr& e, std::vector<Tensor>& in) {
    auto& builder = *graph::current_builder();
    if (e.kind == Expr::Kind::variable) return in[std::size_t(e.variable)];
    if (e.kind == Expr::Kind::constant) return builder.constant(Tensor{number(4, t_)});
    if (e.kind == Expr::Kind::number) {
      const bool condition = rule_.pattern.op->name() == "SelectV2";
      return builder.constant(number(e.number, condition ? DType::boolean : t_));
    }
    std::vector<Tensor> operands;
    for (const Expr& a : e.arguments)
      operands.push_back(build(a, in));
    return call_op(*e.op, operands)[0];
  }

  const CompiledRule& rule_;
  DType t_;
  std::vector<Shape> shapes_;
};

/// Applies the rule alone and checks: it applied, it added no node, the bits are those of before.
bool check_rule(const Rule& rule, const Graph& g, std::span<const Tensor> inputs, bool must_apply) {
  Options options;
  options.fast = rule.numerics == Numerics::rounding;
  for (const Rule* other : all_rules()) {
    if (other != &rule) options.disabled.emplace_back(other->name);
  }
  Report report;
  const auto o = only(g, {"name_dimensions", "apply_rules", "prune"}, &report, options);
  int applied = 0;
  for (const PassReport& p : report.passes) {
    EXPECT_EQ(p.error, "") << rule.name;
    const auto it = p.did.find(rule.name);
    if (it != p.did.end()) applied += it->second;
  }
  if (must_apply) {
    EXPECT_GT(applied, 0) << rule.name << "\n" << print(g);
  }
  EXPECT_LE(o->size(), g.size()) << rule.name;
  if (applied && rule.numerics == Numerics::exact) expect_equivalent(g, *o, inputs);
  return applied > 0;
}

/// An attribute that lasts as long as the test.
rt::Attr ints(std::vector<std::int64_t> values) {
  static std::deque<std::vector<std::int64_t>> storage;
  storage.push_back(std::move(values));
  return rt::Attr::int_list(storage.back().data(), std::uint32_t(storage.back().size()));
}

Tensor op(const char* name,
          std::initializer_list<Operand> operands,
          std::initializer_list<rt::Attr> attrs = {}) {
  return call_op(*op_named(name), OperandList(operands), attrs)[0];
}

/// Examples of rules whose ops need attributes; x is [2, 3, 4].
struct Example {
  const char* rule;
  Tensor (*make)(const Tensor& x);
};
Tensor matrix_of(const Tensor& x) {
  return op("Reshape", {x}, {ints({6, 4})});
}
Tensor flipped(const Tensor& m) {
  return op("Transpose", {m}, {ints({1, 0})});
}
Tensor flipped_matrices(const Tensor& x) {
  return op("Transpose", {x}, {ints({0, 2, 1})});
}
const Example kExamples[] = {
    {"cast_to_same",
     [](const Tensor& x) { return op("Cast", {x}, {rt::Attr::dtype(DType::float32)}); }},
    {"cast_of_cast",
     [](const Tensor& x) {
       return op("Cast",
                 {op("Cast", {x}, {rt::Attr::dtype(DType::float64)})},
                 {rt::Attr::dtype(DType::float32)});
     }},
    {"identity", [](const Tensor& x) { return op("Identity", {x}); }},
    {"stop_gradient", [](const Tensor& x) { return op("StopGradient", {x}); }},
    {"prevent_gradient", [](const Tensor& x) { return op("PreventGradient", {x}); }},
    {"view_of_same_shape",
     [](const Tensor& x) {
       return op("Reshape", {x}, {ints({2, -1, 4})});
     }},
    {"view_of_view",
     [](const Tensor& x) {
       return op("Reshape", {op("Reshape", {x}, {ints({6, 4})})}, {ints({3, 8})});
     }},
    {"tile_by_one",
     [](const Tensor& x) {
       return op("Tile", {x}, {ints({1, 1, 1})});
     }},
    {"broadcast_to_same",
     [](const Tensor& x) {
       return op("BroadcastTo", {x}, {ints({2, 3, 4})});
     }},
    {"pad_by_zero",
     [](const Tensor& x) {
       return op("Pad", {x}, {ints({0, 0, 0, 0, 0, 0})});
     }},
    {"pad_v2_by_zero",
     [](const Tensor& x) {
       return op("PadV2", {x, Tensor(5.f)}, {ints({0, 0, 0, 0, 0, 0})});
     }},
    {"mirror_pad_by_zero",
     [](const Tensor& x) {
       return op("MirrorPad", {x}, {ints({0, 0, 0, 0, 0, 0})});
     }},
    {"slice_of_all",
     [](const Tensor& x) {
       return op("Slice", {x}, {ints({0, 0, 0}), ints({2, -1, 4})});
     }},
    {"strided_slice_of_all",
     [](const Tensor& x) {
       return op("StridedSlice", {x}, {ints({0, 0, 0}), ints({2, 3, 4}), ints({1, 1, 1})});
     }},
    {"concat_of_one", [](const Tensor& x) { return op("ConcatV2", {x}, {ints({1})}); }},
    {"pack_of_one", [](const Tensor& x) { return op("Pack", {x}, {rt::Attr::integer(1)}); }},
    {"transpose_of_nothing",
     [](const Tensor& x) {
       return op("Transpose", {x}, {ints({0, 1, 2})});
     }},
    {"transpose_of_ones",
     [](const Tensor& x) {
       return op("Transpose", {op("Reshape", {x}, {ints({6, 1, 4})})}, {ints({1, 0, 2})});
     }},
    {"transpose_of_transpose",
     [](const Tensor& x) {
       return op("Transpose", {op("Transpose", {x}, {ints({1, 2, 0})})}, {ints({0, 2, 1})});
     }},
    {"reverse_of_reverse",
     [](const Tensor& x) {
       return op("ReverseV2", {op("ReverseV2", {x}, {ints({1})})}, {ints({1})});
     }},
    {"matmul_of_transposed_a",
     [](const Tensor& x) { return matmul(flipped(matrix_of(x)), matrix_of(x)); }},
    {"matmul_of_transposed_b",
     [](const Tensor& x) { return matmul(matrix_of(x), flipped(matrix_of(x))); }},
    {"batch_matmul_of_transposed_x",
     [](const Tensor& x) { return matmul(flipped_matrices(x), x); }},
    {"batch_matmul_of_transposed_y",
     [](const Tensor& x) { return matmul(x, flipped_matrices(x)); }},
};

bool registered(const Rule& rule) {
  CompiledRule compiled;
  return compile(rule, compiled);
}

bool has_example(const Rule& rule) {
  return std::any_of(std::begin(kExamples), std::end(kExamples), [&](const Example& e) {
    return e.rule == std::string(rule.name);
  });
}

/// Runs the rule over dtypes and shapes; returns how often it applied.
int check_over_dtypes(const Rule& rule, std::mt19937& random) {
  CompiledRule compiled;
  EXPECT_TRUE(compile(rule, compiled));
  int applied = 0;
  for (DType t : {DType::float32,
                  DType::float64,
                  DType::int32,
                  DType::int64,
                  DType::uint8,
                  DType::int8,
                  DType::boolean}) {
    for (const Shape& second : {Shape{4, 33}, Shape{33}, Shape{}, Shape{4, 1}}) {
      std::vector<Shape> shapes(std::size_t(compiled.variables), second);
      shapes[0] = Shape{4, 33};
      PatternGraph pattern(compiled, t, shapes);
      GraphPtr g;
      std::vector<Tensor> inputs;
      try {
        g = pattern.make();
        for (std::size_t v = 0; v < shapes.size(); ++v)
          inputs.push_back(random_tensor(pattern.dtype(int(v)), shapes[v], random));
        inputs.resize(g->inputs.size());
        graph::replay(*g, inputs);
      } catch (const Error&) {
        continue;  // the ops do not have this dtype
      }
      applied += check_rule(rule, *g, inputs, false);
    }
  }
  return applied;
}

TEST(Rules, EveryRuleKeepsTheBitsAndAddsNoNode) {
  std::mt19937 random(7);
  for (const Rule* rule : all_rules()) {
    if (has_example(*rule) || !registered(*rule)) continue;
    SCOPED_TRACE(rule->name);
    EXPECT_GT(check_over_dtypes(*rule, random), 0) << rule->name << " never applies";
  }
}

TEST(Rules, EveryExampleKeepsTheBitsAndAddsNoNode) {
  std::mt19937 random(8);
  for (const Example& e : kExamples) {
    const auto all = all_rules();
    const auto it = std::find_if(
        all.begin(), all.end(), [&](const Rule* r) { return e.rule == std::string(r->name); });
    ASSERT_NE(it, all.end()) << e.rule;
    SCOPED_TRACE(e.rule);
    if (!registered(**it)) continue;
    const auto g = trace({{{2, 3, 4}, DType::float32, "x"}},
                         [&](auto& in) { return std::vector<Tensor>{e.make(in[0])}; });
    const Tensor x = random_tensor(DType::float32, {2, 3, 4}, random);
    check_rule(**it, *g, {{x}}, true);
  }
}

TEST(Rules, NamesAreUniqueAndTextsParse) {
  std::vector<std::string> names;
  int missing = 0;
  for (const Rule* rule : all_rules()) {
    names.emplace_back(rule->name);
    missing += !registered(*rule);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  RecordProperty("rules_of_ops_not_registered", missing);
}

TEST(Rules, FloatsKeepWhatFoldingWouldLose) {  // F33
  const auto g = trace({{{2}, DType::float32, "x"}}, [](auto& in) {
    const Tensor x = in[0];
    return std::vector<Tensor>{x + 0.f, x - x, x * 0.f};
  });
  const auto o = optimise(*g);
  const Tensor x{-0.f, std::numeric_limits<float>::infinity()};
  expect_equivalent(*g, *o, {{x}});
  EXPECT_FALSE(std::signbit(graph::replay(*o, {{x}})[0].data<float>()[0]));
  EXPECT_TRUE(std::isnan(graph::replay(*o, {{x}})[1].data<float>()[1]));
}

TEST(Rules, AShapeThatBroadcastingChangesIsKept) {
  const auto with = [](Shape s) {
    return trace({{{3}, DType::float32, "x"}}, [&](auto& in) {
      return std::vector<Tensor>{in[0] * graph::current_builder()->constant(Tensor::ones(s))};
    });
  };
  EXPECT_EQ(optimise(*with({}))->size(), 1u);
  EXPECT_EQ(optimise(*with({1}))->size(), 1u);
  EXPECT_EQ(optimise(*with({3}))->size(), 1u);
  EXPECT_EQ(optimise(*with({1, 1}))->size(), 3u);
  EXPECT_EQ(optimise(*with({2, 1}))->size(), 3u);
}

TEST(Rules, UnknownDimensionsOfOneInputStayEqual) {
  const auto g = trace({{{-1, 3}, DType::float32, "x"}},
                       [](auto& in) { return std::vector<Tensor>{in[0] * 1 * 1}; });
  EXPECT_EQ(optimise(*g)->size(), 1u);
}

TEST(Rules, IdempotentAndInvolutionByTrait) {
  const auto g = trace({{{3}, DType::float32, "x"}}, [](auto& in) {
    const Tensor relu = test_call("TestRelu", test_call("TestRelu", test_call("TestRelu", in[0])));
    return std::vector<Tensor>{relu, test_call("TestNeg", test_call("TestNeg", in[0]))};
  });
  Report report;
  const auto o = only(*g, {"apply_rules", "prune"}, &report);
  EXPECT_EQ(names(*o), "x TestRelu");
  EXPECT_NE(report.explain("TestRelu_1").find("by rule idempotent, the same as TestRelu"),
            std::string::npos);
  Options off;
  off.disabled = {"involution"};
  EXPECT_EQ(names(*only(*g, {"apply_rules", "prune"}, nullptr, off)),
            "x TestRelu TestNeg TestNeg_1");
}

TEST(Rules, AReshapeThatMayFailIsKept) {
  const auto reshaped =
      [](Shape in, std::vector<std::int64_t> middle, std::vector<std::int64_t> last) {
        const auto g = trace({{in, DType::float32, "x"}}, [&](auto& args) {
          return std::vector<Tensor>{
              op("Reshape", {op("Reshape", {args[0]}, {ints(middle)})}, {ints(last)})};
        });
        return optimise(*g)->size();
      };
  EXPECT_EQ(reshaped({6}, {2, 3}, {3, 2}), 2u);
  EXPECT_EQ(reshaped({-1, 6}, {-1, 2, 3}, {-1, 3, 2}), 2u);  // the batch passes through
  EXPECT_EQ(reshaped({-1}, {-1, 3}, {3, -1}), 3u);           // fails unless 3 divides the size
}

TEST(Rules, WrongTextIsAnErrorThatNamesTheRule) {
  for (const char* text : {"Mul(x", "Mul(x, 1))", "<nothing>(x)", "Mul(, x)"}) {
    CompiledRule out;
    const Rule rule{.name = "wrong", .pattern = text, .replacement = "x"};
    try {
      compile(rule, out);
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_NE(e.info().what.find("wrong"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace weir::passes
