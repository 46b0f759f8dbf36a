#pragma once

/// Examples of op definitions, the input domain of the suite. Grammar:
///
///   example   := inputs [ ";" attributes ]
///   input     := [ dtype ] "[" dims "]" [ ":" range ]     f32[2,3]:0.5..2   i64[4]:0..3   [2,3]
///                                           [2,3]:simplex
///   range     := low ".." high
///              | "simplex"        positive, each row of the last axis sums to 1
///              | "permutation"    0 .. n - 1 in some order
///              | "dominant"       matrices whose diagonal outweighs the rest: none is singular
///   attribute := name "=" value             axis=[0,2]   keepdims=true   padding=SAME dtype=int32
///                                           alpha=0.1
///   dtype     := f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 b c64 c128 str, or the
///   full name
///
/// Words are separated by blanks. An input without dtype takes the dtypes of its type parameter,
/// one after the other; one without a range takes values that suit its dtype.

#include <weir/op_def.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace weir::op_suite {

struct ExampleInput {
  DType dtype = DType::invalid;  // invalid: any that the op allows
  Shape shape;
  bool has_range = false;
  bool simplex = false;
  bool permutation = false;
  bool dominant = false;
  double low = 0, high = 0;
};

struct Example {
  std::string text;
  std::vector<ExampleInput> inputs;
  std::vector<std::pair<std::string, std::string>> attrs;
};

/// Throws Error naming the text and the place.
Example parse_example(const std::string& text);
/// A short or full name; throws Error.
DType parse_dtype(const std::string& name);

/// Attributes of a call, one for each AttrDef, with the memory of lists and strings.
class Attributes {
 public:
  /// The example's values, else the defaults. Throws Error: unknown name, unreadable value, missing
  /// attribute.
  Attributes(const OpDef& op, const Example& example);
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  std::span<const rt::Attr> view() const { return attrs_; }
  rt::Attr& operator[](std::size_t i) { return attrs_[i]; }

 private:
  rt::Attr parse(const AttrDef& def, const std::string& value);
  rt::Attr fallback(const AttrDef& def, const Example& example) const;

  std::vector<rt::Attr> attrs_;
  std::deque<std::vector<std::int64_t>> ints_;
  std::deque<std::vector<double>> reals_;
  std::deque<std::string> strings_;
};

/// The dtypes of the inputs of one call.
using Variant = std::vector<DType>;
/// Every way to choose dtypes: each free type parameter in turn runs over its dtypes while the
/// others stay.
std::vector<Variant> variants(const OpDef& op,
                              const Example& example,
                              std::span<const rt::Attr> attrs);

/// Values for an example: the same for the same arguments, on every machine.
std::vector<Tensor> make_inputs(const Example& example, const Variant& variant, std::uint64_t seed);

}  // namespace weir::op_suite
