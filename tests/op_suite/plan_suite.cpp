/// Every op of the table, planned: what the optimised graph gives as a program, with one thread and
/// with two, is bit for bit what the op gives eagerly; the same for its gradient, for large inputs,
/// for shapes and static operands that are known only at run time, and for the graph as a file.
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/random.h>

#include <algorithm>

#include "graph/replay.h"
#include "io/graph_def/export.h"
#include "io/graph_def/import.h"
#include "op_suite/kernel_check.h"
#include "op_suite/traces.h"
#include "passes/pipeline.h"
#include "plan/executable.h"
#include "platform/thread_pool.h"

namespace weir::op_suite {
namespace {

using Values = std::vector<Tensor>;
using GraphPtr = std::shared_ptr<graph::Graph>;

/// The number of threads while it lives.
class Threads {
 public:
  explicit Threads(int n) : before_(platform::threads()) { platform::set_threads(n); }
  ~Threads() { platform::set_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

std::vector<Spec> specs_of(std::span<const Tensor> values) {
  std::vector<Spec> specs;
  for (const Tensor& t : values)
    specs.push_back({t.dtype(), t.shape()});
  return specs;
}

std::vector<Spec> declared(const graph::Graph& g) {
  std::vector<Spec> specs;
  for (int i : g.inputs)
    specs.push_back(g.node(i).outputs[0]);
  return specs;
}

/// As weir::function does it.
std::shared_ptr<const plan::Executable> compile(const graph::Graph& traced,
                                                std::span<const Spec> inputs,
                                                bool optimise = true) {
  GraphPtr g = plan::specialise(traced, inputs);
  if (optimise) {
    passes::Report report;
    g = passes::optimise(*g, {}, &report);
    for (const passes::PassReport& p : report.passes)
      EXPECT_EQ(p.error, "") << "pass " << p.name;
  }
  return plan::plan(g);
}

void expect_same(const Values& got, const Values& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(same_bits(got[i], expected[i]))
        << what << ", output " << i << ": " << got[i] << " against " << expected[i];
}

/// Programs and what they must give; run together, so that the threads are changed once.
class Programs {
 public:
  void add(std::shared_ptr<const plan::Executable> e,
           const Values& inputs,
           const Values& expected,
           std::string what) {
    list_.push_back({std::move(e), inputs, expected, std::move(what)});
  }
  /// Compiles `traced` for the inputs' shapes and, if it leaves any open, for what it says itself.
  void add(const graph::Graph& traced,
           const Values& inputs,
           const Values& expected,
           const std::string& what) {
    add(compile(traced, specs_of(inputs)), inputs, expected, what + ", planned");
    const std::vector<Spec> open = declared(traced);
    const bool is_open =
        std::any_of(open.begin(), open.end(), [](const Spec& s) { return !s.shape.is_static(); });
    if (is_open) add(compile(traced, open), inputs, expected, what + ", host stages");
  }
  void expect_equal() const {
    for (int n : {1, 2}) {
      const Threads threads(n);
      for (const Program& p : list_)
        run(p, ", " + std::to_string(n) + " threads");
    }
  }

 private:
  struct Program {
    std::shared_ptr<const plan::Executable> executable;
    Values inputs, expected;
    std::string what;
  };
  /// Twice: the second run finds the instance that the first one left.
  static void run(const Program& p, const std::string& threads) {
    try {
      for (int i = 0; i < 2; ++i)
        expect_same(p.executable->run(p.inputs), p.expected, p.what + threads);
    } catch (const Error& e) {
      ADD_FAILURE() << p.what << threads << ": " << e.what();
    }
  }
  std::vector<Program> list_;
};

constexpr std::pair<Known, const char*> kModes[] = {{Known::all, ", static shapes"},
                                                    {Known::rank, ", unknown dimensions"},
                                                    {Known::nothing, ", unknown rank"}};

/// Runs check(case) and reports what it throws, but for the refusal of gradients.
template <class Check>
void each(const std::vector<Case>& cases, Check check) {
  for (const Case& c : cases) {
    try {
      check(c);
    } catch (const Error& e) {
      EXPECT_TRUE(forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

Values eager(const Case& c) {
  const Threads one(1);
  return c.call();
}

TEST_P(OpTest, PlannedEqualsEager) {
  Programs programs;
  std::string last;
  each(cases_of(op()), [&](const Case& c) {
    const Values expected = eager(c);
    const GraphPtr traced = trace(c, Known::all);
    programs.add(*traced, c.inputs, expected, c.label);
    // Shapes that are not known are the same matter for every dtype.
    const std::string example = c.label.substr(0, c.label.rfind('"'));
    if (std::exchange(last, example) == example) return;
    programs.add(compile(*traced, specs_of(c.inputs), false), c.inputs, expected, c.label);
    for (auto [known, what] : {kModes[1], kModes[2]})
      programs.add(*trace(c, known), c.inputs, expected, c.label + what);
  });
  programs.expect_equal();
}

TEST_P(OpTest, PlannedGradientEqualsEager) {
  if (op().is(Trait::no_gradient)) return;
  Programs programs;
  each(cases_of(op()), [&](const Case& c) {
    if (!any_differentiable(c.inputs)) return;
    const Values expected = all_gradients(c, c.inputs);
    for (auto [known, what] : {kModes[0], kModes[1]})
      programs.add(*trace(c, known, [&](const Values& x) { return all_gradients(c, x); }),
                   c.inputs,
                   expected,
                   c.label + what + ", gradient");
  });
  programs.expect_equal();
}

/// Not every rule can do without ranks; it says so.
TEST_P(OpTest, GradientWithoutRanksIsRightOrAnError) {
  if (op().is(Trait::no_gradient)) return;
  for (const Case& c : cases_of(op())) {
    if (!any_differentiable(c.inputs)) return;
    try {
      const GraphPtr traced =
          trace(c, Known::nothing, [&](const Values& x) { return all_gradients(c, x); });
      expect_same(graph::replay(*traced, c.inputs), all_gradients(c, c.inputs), c.label);
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == Code::unimplemented || forbids_gradients(e))
          << c.label << ": " << e.what();
    }
    break;  // the dtype makes no difference
  }
}

TEST_P(OpTest, LargeInputsGiveTheSameBitsWithTwoThreads) {
  Programs programs;
  each(large_cases_of(op()), [&](const Case& c) {
    const Values expected = eager(c);
    programs.add(*trace(c, Known::all), c.inputs, expected, c.label);
    const Threads two(2);
    expect_same(c.call(), expected, c.label + ", eager, 2 threads");
  });
  programs.expect_equal();
}

TEST_P(OpTest, LargeGradientsGiveTheSameBitsWithTwoThreads) {
  if (op().is(Trait::no_gradient)) return;
  each(large_cases_of(op()), [&](const Case& c) {
    if (!any_differentiable(c.inputs)) return;
    Values expected;
    {
      const Threads one(1);
      expected = all_gradients(c, c.inputs);
    }
    const Threads two(2);
    expect_same(all_gradients(c, c.inputs), expected, c.label + ", gradient, 2 threads");
  });
}

TEST_P(OpTest, StaticOperandsMayComeAtRunTime) {
  Programs programs;
  each(dynamic_cases_of(op()), [&](const Case& c) {
    const Values expected = eager(c);
    for (auto [known, what] : kModes) {
      const GraphPtr traced = trace(c, known);
      expect_same(graph::replay(*traced, c.inputs), expected, c.label + what + ", replay");
      programs.add(*traced, c.inputs, expected, c.label + what);
    }
  });
  programs.expect_equal();
}

/// Some rules need to know the axes when they are traced; they say so.
TEST_P(OpTest, GradientsWithStaticOperandsOfRunTimeAreRightOrUnimplemented) {
  if (op().is(Trait::no_gradient)) return;
  Programs programs;
  for (const Case& c : dynamic_cases_of(op())) {
    if (!any_differentiable(c.inputs)) continue;
    try {
      const Values expected = all_gradients(c, c.inputs);
      for (auto [known, what] : {kModes[0], kModes[1]})
        programs.add(*trace(c, known, [&](const Values& x) { return all_gradients(c, x); }),
                     c.inputs,
                     expected,
                     c.label + what + ", gradient");
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == Code::unimplemented || forbids_gradients(e))
          << c.label << ": " << e.what();
    }
  }
  programs.expect_equal();
}

/// The graph as the bytes of a GraphDef, read again.
GraphPtr through_a_file(const graph::Graph& g) {
  proto::GraphDef written, read;
  const io::ExportedNames names = io::export_graph(g, {}, &written);
  EXPECT_TRUE(read.ParseFromString(written.SerializeAsString()));
  std::vector<io::ImportedInput> inputs;
  for (std::size_t i = 0; i < g.inputs.size(); ++i) {
    const graph::Node& n = g.node(g.inputs[i]);
    inputs.push_back({names.inputs[i], {n.outputs[0].shape, n.outputs[0].dtype, n.name}});
  }
  io::Resources resources;
  return io::import_graph(read, inputs, names.outputs, g.name(), resources);
}

TEST_P(OpTest, RunsAgainFromAGraphDef) {
  Programs programs;
  const auto check = [&](const Case& c) {
    const Values expected = eager(c);
    for (auto [known, what] : {kModes[0], kModes[1]}) {
      const GraphPtr again = through_a_file(*trace(c, known));
      expect_same(graph::replay(*again, c.inputs), expected, c.label + what + ", from a file");
      if (known == Known::all) programs.add(*again, c.inputs, expected, c.label + ", from a file");
    }
  };
  each(cases_of(op()), check);
  each(dynamic_cases_of(op()), check);
  programs.expect_equal();
}

/// What a call does: the code of its error, or its results.
struct Outcome {
  bool failed = false;
  Code code = Code::ok;
  std::string message;
  Values values;
};
template <class Body>
Outcome outcome(Body body) {
  try {
    return {false, Code::ok, {}, body()};
  } catch (const Error& e) {
    return {true, e.code(), e.what(), {}};
  }
}

void expect_alike(const Outcome& got, const Outcome& expected, const std::string& what) {
  EXPECT_EQ(got.failed, expected.failed)
      << what << ": " << (got.failed ? got.message : "no error")
      << "\n  eagerly: " << (expected.failed ? expected.message : "no error");
  EXPECT_NE(got.code, Code::internal) << what << ": " << got.message;
  if (!got.failed && !expected.failed) expect_same(got.values, expected.values, what);
}

/// Inputs that most ops refuse, one changed at a time.
std::vector<std::pair<std::string, Values>> bad_inputs(const Case& c) {
  std::vector<std::pair<std::string, Values>> list;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const DType dtype = c.inputs[i].dtype();
    const std::string which = ", input " + std::to_string(i);
    const auto add = [&](const char* what, Tensor t) {
      list.push_back({which + what, c.inputs});
      list.back().second[i] = std::move(t);
    };
    add(" a scalar", Tensor::zeros({}, dtype));
    add(" of rank 5", Tensor::zeros({1, 2, 1, 3, 1}, dtype));
    add(" [13]", Tensor::zeros({13}, dtype));
    add(" [7, 0]", Tensor::zeros({7, 0}, dtype));
    if (!is_integer(dtype)) continue;
    if (dtype == DType::boolean) continue;
    for (int v : {-77, 77})
      add(v < 0 ? " of -77" : " of 77", cast(fill(Ints(c.inputs[i].shape()), v), dtype));
  }
  return list;
}

TEST_P(OpTest, BadInputsFailInGraphsAsTheyDoEagerly) {
  std::vector<Case> cases = dynamic_cases_of(op());
  if (const std::vector<Case> all = cases_of(op()); !all.empty()) cases.push_back(all[0]);
  each(cases, [&](const Case& c) {
    const GraphPtr traced = trace(c, Known::nothing);
    const auto open = compile(*traced, declared(*traced));
    for (const auto& [what, inputs] : bad_inputs(c)) {
      const Outcome expected = outcome([&] { return c.call(inputs); });
      const std::string label = c.label + what;
      expect_alike(outcome([&] { return graph::replay(*traced, inputs); }), expected, label);
      expect_alike(outcome([&] { return open->run(inputs); }), expected, label + ", host");
      expect_alike(outcome([&] { return compile(*traced, specs_of(inputs))->run(inputs); }),
                   expected,
                   label + ", planned");
    }
  });
}

Values draws(const Generator& g) {
  return {g.uniform({3, 5}),
          g.normal({1000}, 1, 2),
          g.truncated_normal({7}, 0, 1, DType::float64),
          g.uniform_int({40}, -3, 9),
          g.shuffle(Tensor{1.f, 2.f, 3.f, 4.f, 5.f}),
          g.categorical(Tensor{{0.f, 1.f, 2.f}}, 9)};
}

TEST(PlannedRandom, DrawsContinueWhereEagerOnesDo) {
  const Generator g = Generator::from_seed(5);
  const Values first = draws(g), second = draws(g);
  EXPECT_FALSE(same_bits(first[0], second[0]));
  const GraphPtr traced =
      trace(std::span<const Tensor>(), Known::all, [&](const Values&) { return draws(g); });
  const auto planned = compile(*traced, {});
  for (int n : {1, 2}) {
    const Threads threads(n);
    g.reset(5);
    expect_same(planned->run({}), first, "the first run");
    expect_same(planned->run({}), second, "the second run");
    EXPECT_EQ(g.state().value().data<std::int64_t>()[1], 12);
  }
}

}  // namespace
}  // namespace weir::op_suite
