/// Every op of the table: what it gives eagerly is, bit for bit, what its graph gives when it is
/// replayed, also where dimensions or the rank are not known at trace time; the same for its
/// gradient.
#include <weir/gradient_tape.h>

#include <algorithm>

#include "graph/replay.h"
#include "op_suite/kernel_check.h"
#include "op_suite/traces.h"

namespace weir::op_suite {
namespace {

bool compatible(const Shape& known, const Shape& actual) {
  if (!known.has_rank()) return true;
  if (known.rank() != actual.rank()) return false;
  for (int i = 0; i < known.rank(); ++i) {
    if (known[i].known() && known[i] != actual[i]) return false;
  }
  return true;
}

void expect_replay(const Case& c,
                   const graph::Graph& g,
                   const std::vector<Tensor>& expected,
                   const std::string& what) {
  const std::vector<Tensor> got = graph::replay(g, c.inputs);
  ASSERT_EQ(got.size(), expected.size()) << c.label << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Spec& spec = g.spec(g.outputs[i]);
    EXPECT_TRUE(compatible(spec.shape, expected[i].shape()))
        << c.label << what << ": the trace said " << spec.describe() << ", the value is "
        << expected[i].describe();
    EXPECT_TRUE(same_bits(got[i], expected[i]))
        << c.label << what << ", output " << i << ": " << got[i] << " against " << expected[i];
  }
}

constexpr std::pair<Known, const char*> kModes[] = {{Known::all, ", static shapes"},
                                                    {Known::rank, ", unknown dimensions"},
                                                    {Known::nothing, ", unknown rank"}};

TEST_P(OpTest, ReplayEqualsEager) {
  for (const Case& c : cases_of(op())) {
    try {
      const std::vector<Tensor> expected = c.call();
      for (auto [known, what] : kModes)
        expect_replay(c,
                      *trace(c, known, [&](const auto& inputs) { return c.call(inputs); }),
                      expected,
                      what);
    } catch (const Error& e) {
      ADD_FAILURE() << c.label << ": " << e.what();
    }
  }
}

TEST_P(OpTest, TracedGradientEqualsEager) {
  if (op().is(Trait::no_gradient)) return;
  for (const Case& c : cases_of(op())) {
    if (!any_differentiable(c.inputs)) continue;
    try {
      const std::vector<Tensor> expected = all_gradients(c, c.inputs);
      for (auto [known, what] : {kModes[0], kModes[1]})
        expect_replay(
            c,
            *trace(c, known, [&](const auto& inputs) { return all_gradients(c, inputs); }),
            expected,
            std::string(what) + ", gradient");
    } catch (const Error& e) {
      EXPECT_TRUE(forbids_gradients(e)) << c.label << ": " << e.what();
    }
  }
}

}  // namespace
}  // namespace weir::op_suite
