#include "leaf/onnx/context.h"

#include "io/file/file.h"
#include "leaf/onnx/constant.h"
#include "leaf/onnx/importer.h"

namespace weir::onnx_io {
namespace {

// ONNX's numbers of attribute types.
constexpr int kFloat = 1;
constexpr int kInt = 2;
constexpr int kString = 3;
constexpr int kTensor = 4;
constexpr int kGraph = 5;
constexpr int kFloats = 6;
constexpr int kInts = 7;
constexpr int kStrings = 8;
constexpr int kSparseTensor = 11;

constexpr std::size_t kMaxText = 120;

template <class T>
std::vector<std::int64_t> widened(const Tensor& t) {
  const auto data = t.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxText));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return text.size() > kMaxText ? out + "..." : out;
}

std::string describe(const onnx_proto::NodeProto& node) {
  std::string name = node.name();
  if (name.empty() && node.output_size() > 0) name = node.output(0);
  return "node '" + printable(name) + "' (" + printable(node.op_type()) + ")";
}

std::vector<std::int64_t> to_ints(const Tensor& t) {
  if (t.dtype() == DType::int64) return widened<std::int64_t>(t);
  if (t.dtype() == DType::int32) return widened<std::int32_t>(t);
  if (t.dtype() == DType::uint8) return widened<std::uint8_t>(t);
  io::fail(Code::data_loss, "an operand that must be int64 is " + t.describe());
}

void NodeContext::damaged(const std::string& cause) const {
  io::fail(Code::data_loss, cause);
}

void NodeContext::unsupported(const std::string& cause) const {
  io::fail(Code::unimplemented, cause);
}

const Value& NodeContext::value(std::size_t i) const {
  if (!has(i)) damaged("operand " + std::to_string(i) + " is missing");
  return inputs_[i];
}

const Tensor& NodeContext::in(std::size_t i) const {
  const Value& v = value(i);
  if (!v.tensor.defined()) damaged("operand " + std::to_string(i) + " is no tensor");
  if (is_coded(v.type)) unsupported("an operand of type " + std::string(name(v.type)));
  return v.tensor;
}

std::vector<Tensor> NodeContext::tensors() const {
  std::vector<Tensor> all;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    all.push_back(in(i));
  if (all.empty()) damaged("it has no operands");
  return all;
}

int NodeContext::rank(std::size_t i) const {
  const Shape shape = value(i).tensor.shape();
  if (!shape.has_rank()) unsupported("an operand of unknown rank");
  return shape.rank();
}

std::vector<std::int64_t> NodeContext::constant_ints(std::size_t i) const {
  if (!is_constant(in(i))) unsupported("operand " + std::to_string(i) + " is no constant");
  return to_ints(in(i));
}

const onnx_proto::AttributeProto* NodeContext::attr(std::string_view name) const {
  for (const auto& a : node_.attribute()) {
    if (a.name() != name) continue;
    if (a.ref_attr_name().empty()) return &a;
    if (scope_.attrs == nullptr) damaged("an attribute that refers to one of a function");
    const auto found = scope_.attrs->find(a.ref_attr_name());
    return found == scope_.attrs->end() ? nullptr : found->second;
  }
  return nullptr;
}

const onnx_proto::AttributeProto* NodeContext::attr(std::string_view name, int type) const {
  const auto* a = attr(name);
  if (a != nullptr && a->type() != type) {
    damaged("the attribute '" + std::string(name) + "' has another type");
  }
  return a;
}

std::int64_t NodeContext::i(std::string_view name, std::int64_t fallback) const {
  const auto* a = attr(name, kInt);
  return a == nullptr ? fallback : a->i();
}

std::int64_t NodeContext::i(std::string_view name) const {
  if (attr(name) == nullptr) damaged("the attribute '" + std::string(name) + "' is missing");
  return i(name, 0);
}

float NodeContext::f(std::string_view name, float fallback) const {
  const auto* a = attr(name, kFloat);
  return a == nullptr ? fallback : a->f();
}

std::string NodeContext::s(std::string_view name, std::string_view fallback) const {
  const auto* a = attr(name, kString);
  return a == nullptr ? std::string(fallback) : a->s();
}

std::vector<std::int64_t> NodeContext::ints(std::string_view name,
                                            std::vector<std::int64_t> fallback) const {
  const auto* a = attr(name, kInts);
  if (a == nullptr) return fallback;
  return {a->ints().begin(), a->ints().end()};
}

std::vector<float> NodeContext::floats(std::string_view name) const {
  const auto* a = attr(name, kFloats);
  if (a == nullptr) return {};
  return {a->floats().begin(), a->floats().end()};
}

std::vector<std::string> NodeContext::strings(std::string_view name) const {
  const auto* a = attr(name, kStrings);
  if (a == nullptr) return {};
  return {a->strings().begin(), a->strings().end()};
}

Value NodeContext::tensor(std::string_view name) const {
  const auto* a = attr(name, kTensor);
  if (a == nullptr || !a->has_t()) damaged("the attribute '" + std::string(name) + "' is missing");
  return value_from_proto(a->t(), reader_.files(), "attribute '" + std::string(name) + "'");
}

Value NodeContext::sparse_tensor(std::string_view name) const {
  const auto* a = attr(name, kSparseTensor);
  if (a == nullptr) damaged("the attribute '" + std::string(name) + "' is missing");
  return value_from_proto(
      a->sparse_tensor(), reader_.files(), "attribute '" + std::string(name) + "'");
}

const onnx_proto::GraphProto& NodeContext::graph(std::string_view name) const {
  const auto* a = attr(name, kGraph);
  if (a == nullptr || !a->has_g()) damaged("the attribute '" + std::string(name) + "' is missing");
  return a->g();
}

Values NodeContext::run(const onnx_proto::GraphProto& graph, const Values& arguments) const {
  return reader_.run(graph, arguments, scope_);
}

}  // namespace weir::onnx_io
