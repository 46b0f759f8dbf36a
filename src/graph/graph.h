#pragma once

/// The graph: what a traced function or a hand-built Graph is. Nodes live in one vector in program
/// order, refer to each other by index, and carry what a reader wants to know: the source line, the
/// name scope, annotations.
///
/// Meaning. A node is one of ten structural kinds or the call of an op; an op node means
/// `dispatch::call` of its op on the values of its inputs. Nothing else gives a graph meaning: see
/// replay.h. A node whose op is pure may be removed when unused. Nodes with effects (Read, Write,
/// ops with Trait::host_effect, calls of graphs that have any) take effect in the order of the
/// vector. `random` ops are pure functions of their key input.

#include <weir/op_def.h>
#include <weir/variable.h>

#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/small_vector.h"
#include "tensor/tensor_impl.h"

namespace weir::graph {

enum class Kind : std::uint8_t {
  input,     // a placeholder or argument; fed by the caller
  constant,  // `value`
  output,    // reserved for formats that name outputs by nodes
  call,      // bodies[0], a graph kept as a call; inputs are its arguments
  if_,  // inputs[0]: bool scalar; bodies: then, else; further inputs are passed to the branch taken
  while_,  // bodies: condition, body; inputs and outputs are the loop's state
  case_,   // inputs[0]: int32 scalar; bodies: the branches; out of range takes the last
  read,    // value of `variable` at this point of the program
  write,   // assigns inputs[0] to `variable`; output 0 is the value written
  region,  // a fusion: bodies[0] holds the ordinary nodes it stands for
  op,      // `op`
};

/// Output `output` of node `node`.
struct Ref {
  std::int32_t node = -1;
  std::int32_t output = 0;
  friend bool operator==(Ref, Ref) = default;
};

/// Attributes that own their lists and strings. Copies share them: graphs are copied node by node.
class AttrList {
 public:
  AttrList() = default;
  explicit AttrList(std::span<const rt::Attr> attrs);
  std::span<const rt::Attr> view() const {
    return data_ ? std::span<const rt::Attr>(data_->attrs) : std::span<const rt::Attr>();
  }
  std::size_t size() const { return data_ ? data_->attrs.size() : 0; }
  const rt::Attr& operator[](std::size_t i) const { return data_->attrs[i]; }
  void set(std::size_t i, const rt::Attr& value);

 private:
  struct Data {
    std::vector<rt::Attr> attrs;
    std::vector<std::unique_ptr<std::byte[]>> storage;
    rt::Attr own(const rt::Attr& a);
  };
  std::shared_ptr<Data> data_;  // null: none
};

class Graph;

struct Node {
  Kind kind = Kind::op;
  const OpDef* op = nullptr;
  base::SmallVector<Ref, 3> inputs;
  AttrList attrs;  // one entry for each AttrDef of `op`; kind `operand` names an entry of `inputs`
  base::SmallVector<Spec, 1> outputs;
  std::string name;  // unique in the graph, "dense/MatMul"
  std::source_location where;
  std::vector<std::shared_ptr<Graph>> bodies;
  Tensor value;                             // constant
  std::shared_ptr<VariableState> variable;  // read, write
  std::map<std::string, std::string>
      annotations;  // "pass": who made it; "from": names of the nodes it replaces ...

  /// "MatMul", "If", "Const" ...: TensorFlow's word for the node.
  const char* type() const;
  bool is(Trait t) const { return op && op->is(t); }
  bool has_effect() const;
  /// Runs even if nobody reads its results: something in it changes a variable or the world.
  bool must_stay() const;
};

/// Nodes by name: open addressing over the nodes themselves.
class NameIndex {
 public:
  /// -1: none.
  int find(std::string_view name, const std::vector<Node>& nodes) const;
  /// The node of this name, which is `node` from now on if there was none.
  int insert(const std::string& name, int node, const std::vector<Node>& nodes);
  void reserve(std::size_t nodes);

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t node = -1;
  };
  void place(Slot slot);
  void grow(std::size_t slots);

  std::vector<Slot> slots_;  // a power of two, at most half of them taken
  std::size_t count_ = 0;
};

/// True if `holds` holds for the node or for one in its bodies, at any depth. Each body is looked
/// at once, however often it is used: files may hold graphs that use one another 2^40 times.
bool any_node(const Node& node, bool (*holds)(const Node&));

class Graph {
 public:
  explicit Graph(std::string name = "graph") : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }
  std::size_t size() const { return nodes_.size(); }
  const Node& node(int i) const { return nodes_[std::size_t(i)]; }
  Node& node(int i) { return nodes_[std::size_t(i)]; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Spec& spec(Ref r) const { return node(r.node).outputs[std::size_t(r.output)]; }

  /// Room for this many nodes.
  void reserve(std::size_t nodes);
  /// Appends a node; its name is made unique. Inputs must refer to earlier nodes.
  int add(Node node);
  int find(std::string_view name) const;  // -1: none

  /// Arguments in order (nodes of kind input), and results.
  std::vector<int> inputs;
  std::vector<Ref> outputs;

  /// True if a node, here or in a body, has an effect.
  bool has_effects() const;
  /// By node: the nodes that read one of its outputs, in order; -1 for a result of the graph.
  std::vector<std::vector<int>> consumers() const;

 private:
  std::string unique_name(const std::string& wanted, int node);

  std::string name_;
  std::vector<Node> nodes_;
  NameIndex by_name_;
  std::unordered_map<std::string, int> next_suffix_;
};

/// By node: whether a result of the graph or an effect needs it.
std::vector<bool> needed_nodes(const Graph& graph);

/// The text of a graph, one node a line, stable: for people, tests and golden files.
std::string print(const Graph& graph);
/// Adds the variables that `graph` writes, here or in a body.
void collect_writes(const Graph& graph, std::unordered_set<const VariableState*>& variables);
/// Graphviz.
std::string to_dot(const Graph& graph);
/// Throws Error (internal) naming the node if the graph breaks a rule: order of references, specs
/// that infer does not confirm, names that are not unique, a body whose arguments do not fit.
void verify(const Graph& graph);

}  // namespace weir::graph
