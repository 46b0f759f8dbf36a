#include <weir/tensor.h>

#include <algorithm>
#include <complex>
#include <cstring>

#include "tensor/tensor_impl.h"

namespace weir::inline v0 {
namespace {

std::atomic<std::uint64_t> next_id{1};

[[noreturn]] void fail(std::string what,
                       std::string got = {},
                       std::string expected = {},
                       std::string fix = {}) {
  ErrorInfo e;
  e.what = std::move(what);
  e.got = std::move(got);
  e.expected = std::move(expected);
  e.fix = std::move(fix);
  throw Error(e);
}

const TensorImpl& checked(const TensorImpl* p) {
  if (!p)
    fail("use of an undefined Tensor",
         "a default-constructed or moved-from Tensor",
         "a tensor with a value");
  return *p;
}

const TensorImpl& concrete(const TensorImpl* p, const char* action) {
  const TensorImpl& t = checked(p);
  if (!t.is_symbolic()) return t;
  ErrorInfo e;
  e.code = Code::failed_precondition;
  e.what = std::string(action) + " a symbolic tensor";
  e.got =
      t.source()->describe(t.node(), t.output()) + ", which has no value while its graph is built";
  e.expected = "a tensor with a value";
  e.fix =
      "return it from the function and read the result there; for a branch or loop on its value "
      "use weir::cond, "
      "weir::while_loop or weir::where";
  throw Error(e);
}

/// Product of the dimensions; an error if a dimension is unknown or the product leaves 63 bits.
std::int64_t checked_size(const Shape& shape, DType dtype) {
  if (!is_valid(dtype)) fail("not a dtype", std::to_string(int(dtype)));
  if (shape.rank() > kMaxRank)
    fail("too many dimensions", std::to_string(shape.rank()), "at most 254");
  if (!shape.is_static()) fail("a tensor with a value needs a static shape", shape.to_string());
  std::int64_t n = byte_size(dtype);
  for (Dim d : shape.dims()) {
    if (__builtin_mul_overflow(n, std::max<std::int64_t>(d.value(), 1), &n))
      fail("shape is too large", shape.to_string(), "fewer than 2^63 bytes");
  }
  return shape.size();
}

void release_shared(void* block, void*) {
  delete[] static_cast<char*>(block);
}

}  // namespace

TensorImpl::~TensorImpl() {
  if (buffer_) buffer_->release();
  if (dims_ != inline_dims_) delete[] dims_;
}

TensorImpl* TensorImpl::make(DType dtype, ShapeView shape) {
  static_assert(sizeof(TensorImpl) <= kInlineOffset);
  static_assert(kInlineOffset + kInlineBytes <= tensor::kSmallBlock);
  auto* p = new (tensor::allocate_small()) TensorImpl;
  p->dtype_ = dtype;
  p->rank_ = std::uint8_t(shape.rank());
  p->known_rank_ = shape.has_rank();
  if (shape.rank() > kInlineDims) p->dims_ = new Dim[std::size_t(shape.rank())];
  std::int64_t size = shape.has_rank() ? 1 : -1;
  for (int i = 0; i < shape.rank(); ++i) {
    p->dims_[i] = shape[i];
    size = size < 0 || !shape[i].known() ? -1 : size * shape[i].value();
  }
  p->size_ = size;
  return p;
}

Tensor TensorImpl::concrete(DType dtype, ShapeView shape) {
  Tensor t = Tensor::adopt(make(dtype, shape));
  TensorImpl* p = t.impl();
  const std::int64_t bytes = p->size_ * byte_size(dtype);
  // Strings always get a buffer, which can keep the owners of their bytes alive.
  if (bytes <= kInlineBytes && dtype != DType::string) {
    p->data_ = reinterpret_cast<char*>(p) + kInlineOffset;
  } else {
    p->buffer_ = tensor::allocate_buffer(bytes);
    p->data_ = p->buffer_->data;
  }
  return t;
}

Tensor TensorImpl::over(tensor::Buffer* buffer, DType dtype, ShapeView shape) {
  Tensor t = Tensor::adopt(make(dtype, shape));
  t.impl()->buffer_ = buffer;
  t.impl()->data_ = buffer->data;
  return t;
}

Tensor TensorImpl::view(const Tensor& base, ShapeView shape, std::int64_t offset) {
  const TensorImpl& from = *base.impl();
  if (!from.buffer_) {  // small data lives with its header: copy it
    Tensor t = concrete(from.dtype_, shape);
    std::memcpy(t.impl()->data_,
                static_cast<const char*>(from.data_) + offset,
                std::size_t(t.impl()->size_ * byte_size(from.dtype_)));
    return t;
  }
  from.buffer_->retain();
  Tensor t = over(from.buffer_, from.dtype_, shape);
  t.impl()->data_ = static_cast<char*>(from.data_) + offset;
  return t;
}

Tensor TensorImpl::symbolic(SpecView spec,
                            std::shared_ptr<tensor::SymbolSource> source,
                            int node,
                            int output,
                            std::uint64_t id) {
  TensorImpl* p = make(spec.dtype, spec.shape);
  p->source_ = std::move(source);
  p->node_ = node;
  p->output_ = output;
  p->id_ = id;
  return Tensor::adopt(p);
}

Tensor TensorImpl::again(const Tensor& t) {
  const TensorImpl& p = *t.impl();
  return p.is_symbolic() ? symbolic(p.spec(), p.source_, p.node_, p.output_, 0)
                         : view(t, p.shape());
}

void TensorImpl::destroy(TensorImpl* p) noexcept {
  p->~TensorImpl();
  tensor::free_small(p);
}

std::uint64_t TensorImpl::id() {
  std::uint64_t id = id_.load(std::memory_order_relaxed);
  if (id != 0) return id;
  const std::uint64_t fresh = next_id.fetch_add(1, std::memory_order_relaxed);
  return id_.compare_exchange_strong(id, fresh) ? fresh : id;
}

void Tensor::retain() const noexcept {
  p_->refs.fetch_add(1, std::memory_order_relaxed);
}
/// The last handle needs no atomic subtraction: nobody else can make another one.
void Tensor::release() noexcept {
  if (p_->refs.load(std::memory_order_acquire) == 1 ||
      p_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
    TensorImpl::destroy(p_);
}

Tensor Tensor::copy_of(const void* data, DType dtype, const Shape& shape) {
  checked_size(shape, dtype);
  Tensor t = TensorImpl::concrete(dtype, shape);
  // An empty range may have no address.
  if (t.nbytes() > 0) std::memcpy(t.p_->data(), data, std::size_t(t.nbytes()));
  return t;
}

Tensor Tensor::copy_checked(const void* data, std::int64_t count, DType dtype, const Shape& shape) {
  const std::int64_t size = checked_size(shape, dtype);
  if (count == size) return copy_of(data, dtype, shape);
  if (count != 1)
    fail("the number of values does not fit the shape",
         std::to_string(count) + " values for " + shape.to_string(),
         std::to_string(size) + " values, or one that fills the tensor");
  Tensor t = TensorImpl::concrete(dtype, shape);
  const auto bytes = std::size_t(byte_size(dtype));
  auto* out = static_cast<char*>(t.p_->data());
  for (std::int64_t i = 0; i < size; ++i)
    std::memcpy(out + std::size_t(i) * bytes, data, bytes);
  return t;
}

void Tensor::throw_ragged() {
  fail("the nested lists are non-rectangular",
       "lists of different lengths",
       "the same length at each depth");
}

Tensor Tensor::from(const std::vector<bool>& values, const Shape& shape) {
  std::vector<std::uint8_t> bytes(values.begin(), values.end());
  return copy_checked(bytes.data(), std::int64_t(bytes.size()), DType::boolean, shape);
}

Tensor Tensor::strings(const std::vector<std::string_view>& values, const Shape& shape) {
  const std::int64_t size = checked_size(shape, DType::string);
  if (std::int64_t(values.size()) != size)
    fail("the number of values does not fit the shape",
         std::to_string(values.size()) + " strings for " + shape.to_string(),
         std::to_string(size) + " strings");
  std::size_t bytes = 1;
  for (auto v : values)
    bytes += v.size();
  // One block: the elements, then the bytes that they point to.
  const std::size_t head = std::size_t(size) * sizeof(StringView);
  char* block = new char[head + bytes];
  tensor::Buffer* buffer =
      tensor::wrap_buffer(block, std::int64_t(head + bytes), release_shared, nullptr);
  char* text = block + head;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].empty()) std::memcpy(text, values[i].data(), values[i].size());
    new (block + i * sizeof(StringView)) StringView{text, std::int64_t(values[i].size())};
    text += values[i].size();
  }
  return TensorImpl::over(buffer, DType::string, shape);
}

Tensor Tensor::wrap(
    void* data, DType dtype, const Shape& shape, void (*deleter)(void*, void*), void* context) {
  const std::int64_t size = checked_size(shape, dtype);
  if (!data && size > 0)
    fail("Tensor::wrap: null data", "nullptr", std::to_string(size) + " elements");
  return TensorImpl::over(
      tensor::wrap_buffer(data, size * byte_size(dtype), deleter, context), dtype, shape);
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  checked_size(shape, dtype);
  Tensor t = TensorImpl::concrete(dtype, shape);
  std::memset(t.p_->data(), 0, std::size_t(t.nbytes()));
  return t;
}

Tensor Tensor::ones(const Shape& shape, DType dtype) {
  switch (dtype) {
    case DType::float32:
      return full(shape, 1.0f);
    case DType::float64:
      return full(shape, 1.0);
    case DType::complex64:
      return full(shape, std::complex<float>(1));
    case DType::complex128:
      return full(shape, std::complex<double>(1));
    case DType::float16:
      return full(shape, float16{0x3c00});
    case DType::bfloat16:
      return full(shape, bfloat16{0x3f80});
    case DType::string:
    case DType::invalid:
      fail("Tensor::ones: no one in this dtype", weir::name(dtype), "a numeric dtype or bool");
    default: {
      const std::int64_t one =
          1;  // little-endian: its first bytes are the one of every integer type
      return copy_checked(&one, 1, dtype, shape);
    }
  }
}

DType Tensor::dtype() const {
  return checked(p_).dtype();
}
Shape Tensor::shape() const {
  return checked(p_).shape().to_shape();
}
int Tensor::rank() const {
  return checked(p_).rank();
}
std::int64_t Tensor::size() const {
  return checked(p_).size();
}
std::int64_t Tensor::nbytes() const {
  return size() < 0 ? -1 : size() * byte_size(dtype());
}
bool Tensor::is_symbolic() const {
  return p_ && p_->is_symbolic();
}
std::string Tensor::device() const {
  checked(p_);
  return "CPU:0";
}

std::int64_t Tensor::dim(int axis) const {
  const int n = rank();
  if (axis < -n || axis >= n)
    fail("axis out of range",
         "axis " + std::to_string(axis) + " of " + describe(),
         "an axis in [" + std::to_string(-n) + ", " + std::to_string(n) + ")");
  return p_->shape()[axis < 0 ? axis + n : axis].value();
}

const void* Tensor::raw_data() const {
  return concrete(p_, "reading the elements of").data();
}

const void* Tensor::host_data(DType expected) const {
  const TensorImpl& t = concrete(p_, "reading the elements of");
  if (t.dtype() != expected)
    fail("data<T>() of another dtype",
         describe() + " read as " + weir::name(expected),
         weir::name(t.dtype()),
         "name the tensor's own type, or convert it with weir::cast");
  return t.data();
}

bool Tensor::truth() const {
  const TensorImpl& t = concrete(p_, "branching on");
  if (t.size() != 1)
    fail("the truth of a tensor with " + std::to_string(t.size()) + " elements is ambiguous",
         describe(),
         "one element",
         "use weir::any or weir::all");
  if (t.dtype() == DType::string) return static_cast<const StringView*>(t.data())->size > 0;
  return item<double>() != 0;
}

std::string Tensor::describe() const {
  return p_ ? std::string(weir::name(dtype())) + shape().to_string() : "undefined";
}

std::string Spec::describe() const {
  return std::string(weir::name(dtype)) + shape.to_string();
}

}  // namespace weir::inline v0
