/// OpDef: everything that anybody needs to know of an op, in one place. From the table of
/// definitions the C++ API, the reference, import and export, and the tests that walk the table are
/// derived. Programs add ops of their own with `register_ops`.
///
///   OpDef softplus() {
///     return OpDef("Softplus")
///         .api("softplus", "nn")
///         .doc("log(1 + exp(x)), element-wise.")
///         .type("T", kFloating)
///         .input("x", "T")
///         .output("y", "T")
///         .traits(Trait::elementwise)
///         .example("[2,3]:-20..20");
///   }
#pragma once

#include <weir/kernel.h>
#include <weir/operand.h>
#include <weir/slices.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::inline v0 {

/// What passes, planner and tests may ask of an op. No trait: an opaque pure function.
enum class Trait : std::uint32_t {
  none = 0,
  elementwise = 1u << 0,  // output element i depends on input elements i (after broadcasting) only
  commutative = 1u << 1,  // the two inputs may be exchanged
  reduction = 1u << 2,    // has `axis` and `keepdims` attributes, combines along axes
  contraction = 1u << 3,  // a matrix product; may be the root of a region
  view = 1u << 4,         // output 0 has the elements of input 0 in the same order
  random = 1u << 5,       // pure: its numbers are a function of its key
  idempotent = 1u << 6,   // f(f(x)) = f(x)
  involution = 1u << 7,   // f(f(x)) = x
  data_shape = 1u << 8,   // the output's shape depends on the values of inputs
  host_effect = 1u << 9,  // prints, asserts: never pruned, program order
  no_gradient =
      1u << 10,  // the gradient is zero or undefined by nature (comparisons, indices, rounding)
  shape_only = 1u << 11,  // reads the shape of its inputs, never the elements
  changes_rounding = 1u << 12,
};
constexpr Trait operator|(Trait a, Trait b) {
  return Trait(std::uint32_t(a) | std::uint32_t(b));
}
constexpr bool has(Trait set, Trait t) {
  return (std::uint32_t(set) & std::uint32_t(t)) != 0;
}

class OpDef;

/// Dimensions that somebody else owns; reads like a Shape.
class ShapeView {
 public:
  ShapeView() = default;
  ShapeView(const Shape& s) : dims_(s.dims().data()), rank_(s.rank()), known_(s.has_rank()) {}
  ShapeView(const Dim* dims, int rank, bool known_rank = true)
      : dims_(dims), rank_(rank), known_(known_rank) {}
  bool has_rank() const { return known_; }
  int rank() const { return rank_; }
  Dim operator[](int i) const { return dims_[i]; }
  std::span<const Dim> dims() const { return {dims_, std::size_t(rank_)}; }
  bool is_static() const;
  std::int64_t size() const;
  Shape to_shape() const;
  std::string to_string() const { return to_shape().to_string(); }

 private:
  const Dim* dims_ = nullptr;
  int rank_ = 0;
  bool known_ = true;
};

/// dtype and shape of a value.
struct Spec {
  DType dtype = DType::invalid;
  Shape shape;
  std::string describe() const;  // "float32[2, 3]"
};
struct SpecView {
  DType dtype = DType::invalid;
  ShapeView shape;
};

/// Where shapes of the outputs are derived from those of the inputs: the only shape rule of an op.
class InferContext {
 public:
  InferContext(const OpDef& op,
               std::span<const SpecView> inputs,
               std::span<const rt::Attr> attrs,
               std::span<const Tensor* const> values,
               std::span<Spec> outputs,
               std::source_location where)
      : op_(op),
        inputs_(inputs),
        attrs_(attrs),
        values_(values),
        outputs_(outputs),
        where_(where) {}

  const OpDef& op() const { return op_; }
  int inputs() const { return int(inputs_.size()); }
  int outputs() const { return int(outputs_.size()); }
  DType dtype(int input) const { return inputs_[input].dtype; }
  ShapeView shape(int input) const { return inputs_[input].shape; }
  const rt::Attr& attr(int index) const { return attrs_[index]; }
  /// The integers of an attribute or static operand; nothing while a static operand is symbolic or
  /// absent.
  std::optional<std::span<const std::int64_t>> ints(int index);
  /// The value of an input where it is known: a concrete tensor, or a constant of the graph. Null
  /// otherwise.
  const Tensor* value(int input) const {
    return values_.empty() ? nullptr : values_[std::size_t(input)];
  }
  /// True if a static operand was not passed at all.
  bool absent(int index) const { return attrs_[index].kind == rt::Attr::Kind::none; }
  /// Number of integers of a static operand, also when only its shape is known; -1 if not even
  /// that.
  std::int64_t ints_count(int index) const;
  /// `axis` as an index in [0, rank); fails with the op's name otherwise.
  int axis(std::int64_t axis, int rank) const;

  void set(int output, Shape shape) { outputs_[output].shape = std::move(shape); }
  /// The same for dimensions that somebody else owns.
  void set_dims(int output, ShapeView shape) {
    if (!shape.has_rank()) return set(output, Shape::unknown_rank());
    outputs_[output].shape.assign(shape.dims());
  }
  void set_dtype(int output, DType dtype) { outputs_[output].dtype = dtype; }

  [[noreturn]] void fail(std::string what,
                         std::string got = {},
                         std::string expected = {},
                         std::string fix = {}) const;
  /// "a float32[2, 3], b float32[4]" for the message of an error.
  std::string describe_inputs() const;

 private:
  const OpDef& op_;
  std::span<const SpecView> inputs_;
  std::span<const rt::Attr> attrs_;
  std::span<const Tensor* const> values_;
  std::span<Spec> outputs_;
  std::source_location where_;
  std::unique_ptr<std::vector<std::int64_t>[]> scratch_;  // of the last ints(), at first use
  int used_ = 0;
};

/// Where the gradient of an op is written, with the public API: the result is recorded or traced
/// like any other code.
class GradientContext {
 public:
  virtual ~GradientContext() = default;
  virtual int inputs() const = 0;
  virtual int outputs() const = 0;
  /// An input or output of the forward call. Error: the op does not list it in `saves`.
  virtual Tensor input(int i) const = 0;
  virtual Tensor output(int i = 0) const = 0;
  virtual DType input_dtype(int i) const = 0;
  /// Shape of an input: integers where it is static, otherwise a symbolic shape. Needs no `saves`.
  virtual ShapeView input_shape(int i) const = 0;
  virtual Ints input_dims(int i) const = 0;
  virtual ShapeView output_shape(int i = 0) const = 0;
  /// Gradient with respect to an output; zeros where nothing flows.
  virtual Tensor dy(int i = 0) const = 0;
  virtual bool has_dy(int i) const = 0;
  /// True if somebody wants the gradient of this input.
  virtual bool needs(int input) const = 0;
  virtual const rt::Attr& attr(int index) const = 0;
  virtual void set(int input, Tensor gradient) = 0;
  virtual void set(int input, Slices gradient) = 0;
};

using InferFn = void (*)(InferContext&);
using GradientFn = void (*)(GradientContext&);
/// Computes the op with other ops.
using DecomposeFn = std::vector<Tensor> (*)(std::span<const Tensor> inputs,
                                            std::span<const rt::Attr> attrs);

/// Offset in bytes into input 0 if output 0 is a contiguous part of it, else -1. Such a call copies
/// nothing.
using AliasFn = std::int64_t (*)(SpecView input,
                                 const Spec& output,
                                 std::span<const rt::Attr> attrs);

struct Cost {
  double flops = 0;
  double bytes = 0;  // read and written
};
using CostFn = Cost (*)(std::span<const SpecView> inputs,
                        std::span<const Spec> outputs,
                        std::span<const rt::Attr> attrs);

/// A dtype parameter of an op ("T"): bound by the operands that name it, else an attribute of the
/// API.
struct TypeParam {
  std::string name;
  DTypeSet allowed;
  int attr = -1;  // index of the attribute that sets it; -1: bound by operands
};

struct OperandDef {
  std::string name;
  int type = -1;  // index of the TypeParam; -1: `dtype`
  DType dtype = DType::invalid;
  bool variadic = false;
  std::string count_attr;  // TensorFlow's name of the count of a variadic operand ("N")
};

/// What an optional static operand that is absent stands for: files, where it never is, spell it
/// out.
enum class WhenAbsent : std::uint8_t { all_axes, reversed_axes };

struct AttrDef {
  std::string name;
  rt::Attr::Kind kind = rt::Attr::Kind::none;
  bool has_default = false;
  rt::Attr default_value;
  std::string default_string;              // storage of a string default
  std::vector<std::int64_t> default_ints;  // storage of an ints default
  std::vector<std::string> choices;        // of a string attribute; empty: any
  // A static operand: an input in TensorFlow's form, an attribute here while its value is known.
  bool is_operand = false;
  int input = -1;       // position among TensorFlow's inputs; negative: counted from the end
  bool scalar = false;  // a scalar there, a list of one here
  int columns = 0;  // not 0: a matrix of that many columns there, its rows one after another here
  WhenAbsent when_absent = WhenAbsent::all_axes;
  DType operand_dtype = DType::int32;
  std::string type_attr;  // "Tidx"; empty: the dtype is fixed
};

/// Options of a static operand.
struct StaticOperand {
  int input = 1;
  bool scalar = false;
  int columns = 0;
  bool optional = false;
  std::string type_attr = {};
  DType dtype = DType::int32;
  std::vector<std::int64_t> default_value =
      {};  // not empty: what an absent operand means, as kernels see it
  WhenAbsent when_absent = WhenAbsent::all_axes;  // of an optional one without default
};

class OpDef {
 public:
  /// The name in TensorFlow's registry, or a new CamelCase one.
  explicit OpDef(std::string name) : name_(std::move(name)) {}

  // -- the schema --
  /// Function name and header of the C++ API; an op without one is not generated.
  OpDef& api(std::string function, std::string family);
  OpDef& doc(std::string text);
  OpDef& since(int version);
  OpDef& type(std::string name, DTypeSet allowed);
  /// A dtype that no operand binds: an attribute of the API, with TensorFlow's name `type_name` in
  /// files.
  OpDef& type_attr(std::string type_name,
                   DTypeSet allowed,
                   std::string attr_name = "dtype",
                   DType default_value = DType::invalid);
  OpDef& input(std::string name, std::string type);
  OpDef& input(std::string name, DType dtype);
  /// One or more operands of one dtype; must be the last non-static input.
  OpDef& inputs(std::string name, std::string type, std::string count_attr = "N");
  OpDef& output(std::string name, std::string type);
  OpDef& output(std::string name, DType dtype);
  /// As many outputs as the integer attribute `count_attr` says.
  OpDef& outputs(std::string name, std::string type, std::string count_attr);
  OpDef& attr(std::string name, bool default_value);
  OpDef& attr(std::string name, int default_value) {
    return attr(std::move(name), std::int64_t(default_value));
  }
  OpDef& attr(std::string name, std::int64_t default_value);
  OpDef& attr(std::string name, double default_value);
  OpDef& attr(std::string name, const char* default_value, std::vector<std::string> choices = {});
  OpDef& attr(std::string name, std::vector<std::int64_t> default_value);
  /// An attribute without default.
  OpDef& attr(std::string name, rt::Attr::Kind kind);
  OpDef& static_operand(std::string name, StaticOperand options);
  /// TensorFlow's name of an operand, output or attribute, where files need another one than the
  /// API: stored_as("keepdims", "keep_dims").
  OpDef& stored_as(std::string name, std::string stored);
  OpDef& traits(Trait t);
  /// Input domain of the suite that walks the table; may be called several times. Grammar:
  /// the end of section 8 of CONTRIBUTING.md.
  OpDef& example(std::string text);

  // -- the behaviour --
  OpDef& infer(InferFn fn);
  OpDef& gradient(GradientFn fn);
  /// Forward values that the gradient reads. The tape keeps no others.
  OpDef& saves_input(std::initializer_list<int> inputs);
  OpDef& saves_output(std::initializer_list<int> outputs);
  OpDef& decompose(DecomposeFn fn);
  OpDef& cost(CostFn fn);
  OpDef& alias(AliasFn fn);
  /// Output `out` may be written over input `in` (element-wise ops: implied).
  OpDef& may_share(int out, int in);

  // -- questions --
  struct Param {
    bool is_attr;
    int index;
  };
  const std::string& name() const { return name_; }
  const std::string& api_name() const { return api_; }
  const std::string& family() const { return family_; }
  const std::string& doc_text() const { return doc_; }
  int version() const { return since_; }
  bool is(Trait t) const { return has(traits_, t); }
  Trait trait_set() const { return traits_; }
  const std::vector<TypeParam>& types() const { return types_; }
  const std::vector<OperandDef>& input_defs() const { return inputs_; }
  const std::vector<OperandDef>& output_defs() const { return outputs_; }
  const std::vector<AttrDef>& attrs() const { return attrs_; }
  const std::vector<Param>& params() const { return params_; }  // order of the API's parameters
  const std::vector<std::string>& examples() const { return examples_; }
  bool variadic() const { return !inputs_.empty() && inputs_.back().variadic; }
  int attr_index(std::string_view name) const;  // -1: none
  /// The name in files of an operand, output or attribute.
  const std::string& stored_name(const std::string& name) const;
  /// Number of outputs for these attributes.
  int output_count(std::span<const rt::Attr> attrs) const;
  InferFn infer_fn() const { return infer_; }
  GradientFn gradient_fn() const { return gradient_; }
  DecomposeFn decompose_fn() const { return decompose_; }
  CostFn cost_fn() const { return cost_; }
  AliasFn alias_fn() const { return alias_; }
  bool saves_input(int i) const { return (saved_inputs_ >> (i < 31 ? i : 31)) & 1u; }
  bool saves_output(int i) const { return (saved_outputs_ >> (i < 31 ? i : 31)) & 1u; }
  int shared_input(int out) const;  // -1: none
  /// Number in the registry, dense from 0; -1 before registration.
  int id() const { return id_; }
  void set_id(int id) { id_ = id; }

 private:
  AttrDef& add_attr(std::string name, rt::Attr::Kind kind);
  int type_index(const std::string& name) const;

  std::string name_, api_, family_, doc_;
  int since_ = 1;
  Trait traits_ = Trait::none;
  std::vector<TypeParam> types_;
  std::vector<OperandDef> inputs_, outputs_;
  std::vector<AttrDef> attrs_;
  std::vector<Param> params_;
  std::vector<std::string> examples_;
  InferFn infer_ = nullptr;
  GradientFn gradient_ = nullptr;
  DecomposeFn decompose_ = nullptr;
  CostFn cost_ = nullptr;
  AliasFn alias_ = nullptr;
  std::uint32_t saved_inputs_ = 0, saved_outputs_ = 0;  // bit 31: that index and all later ones
  std::vector<std::pair<int, int>> share_;
  std::vector<std::pair<std::string, std::string>> stored_;
  int id_ = -1;
};

/// Adds ops to the registry for the life of the process. Errors: a name that is taken, an op
/// without infer.
void register_ops(std::span<const OpDef> ops);
/// Adds kernels, which must outlive the process. Kernels of the same op are tried in order, later
/// registrations first.
void register_kernels(std::span<const rt::Kernel> kernels);
/// The registered op; null if there is none.
const OpDef* find_op(std::string_view name);
/// Runs an op of any origin: `call_op(*find_op("Scale"), {x}, {rt::Attr::real(2)})`. Attributes in
/// the order of the definition; a missing tail takes the defaults.
std::vector<Tensor> call_op(const OpDef& op,
                            OperandList operands,
                            std::initializer_list<rt::Attr> attrs = {});

}  // namespace weir::inline v0
