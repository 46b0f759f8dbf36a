#include <unordered_set>

#include "dispatch/call.h"
#include "graph/graph.h"
#include "tensor/specs.h"

namespace weir::graph {
namespace {

[[noreturn]] void fail(const Graph& g,
                       const std::string& node,
                       std::string what,
                       std::string got = {},
                       std::string expected = {}) {
  throw Error({Code::internal,
               "graph '" + g.name() + "', node '" + node + "': " + std::move(what),
               {},
               std::move(got),
               std::move(expected),
               {}});
}

void check_ref(const Graph& g, const std::string& user, Ref r, int before) {
  if (r.node < 0 || r.node >= before)
    fail(g, user, "reads a node that does not come before it", std::to_string(r.node));
  if (r.output < 0 || r.output >= int(g.node(r.node).outputs.size()))
    fail(g,
         user,
         "reads an output that does not exist",
         g.node(r.node).name + ":" + std::to_string(r.output));
}

void check_op(const Graph& g, const Node& n) {
  if (!n.op) fail(g, n.name, "an op node without op");
  if (n.attrs.size() != n.op->attrs().size()) fail(g, n.name, "wrong number of attributes");
  base::SmallVector<SpecView, 6> specs;
  base::SmallVector<const Tensor*, 6> values;
  for (Ref r : n.inputs) {
    const Spec& s = g.spec(r);
    specs.push_back({s.dtype, s.shape});
    const Node& from = g.node(r.node);
    values.push_back(from.kind == Kind::constant ? &from.value : nullptr);
  }
  const std::vector<Spec> inferred = dispatch::infer(*n.op, specs, n.attrs.view(), values, n.where);
  if (inferred.size() != n.outputs.size()) fail(g, n.name, "wrong number of outputs");
  for (std::size_t i = 0; i < inferred.size(); ++i) {
    if (inferred[i].dtype != n.outputs[i].dtype ||
        !tensor::may_be_equal(inferred[i].shape, n.outputs[i].shape))
      fail(g,
           n.name,
           "output " + std::to_string(i) + " is not what infer says",
           n.outputs[i].describe(),
           inferred[i].describe());
  }
}

using Seen = std::unordered_set<const Graph*>;

/// `seen`: the graphs that need no second look.
void verify(const Graph& g, Seen& seen);

void check_body(
    const Graph& g, const Node& n, const Graph& body, std::size_t arguments, Seen& seen) {
  if (body.inputs.size() != arguments)
    fail(g,
         n.name,
         "a body takes another number of arguments",
         std::to_string(arguments),
         std::to_string(body.inputs.size()));
  if (seen.insert(&body).second) verify(body, seen);
}

void check_kind(const Graph& g, const Node& n, Seen& seen) {
  switch (n.kind) {
    case Kind::op:
      return check_op(g, n);
    case Kind::constant:
      if (!n.value.defined() || n.value.is_symbolic()) fail(g, n.name, "a constant without value");
      return;
    case Kind::read:
    case Kind::write:
      if (!n.variable) fail(g, n.name, "no variable");
      return;
    case Kind::call:
    case Kind::region:
    case Kind::while_:
      for (const auto& body : n.bodies)
        check_body(g, n, *body, n.inputs.size(), seen);
      return;
    case Kind::if_:
    case Kind::case_:
      for (const auto& body : n.bodies)
        check_body(g, n, *body, n.inputs.size() - 1, seen);
      return;
    case Kind::input:
    case Kind::output:
      return;
  }
}

void verify(const Graph& g, Seen& seen) {
  std::unordered_set<std::string_view> names;
  names.reserve(g.size());
  for (int i = 0; i < int(g.size()); ++i) {
    const Node& n = g.node(i);
    if (!names.insert(n.name).second) fail(g, n.name, "the name is not unique");
    for (Ref r : n.inputs)
      check_ref(g, n.name, r, i);
    check_kind(g, n, seen);
  }
  for (Ref r : g.outputs)
    check_ref(g, "return", r, int(g.size()));
}

}  // namespace

void verify(const Graph& g) {
  Seen seen;
  verify(g, seen);
}

}  // namespace weir::graph
