#pragma once

/// What a Tensor handle points to: a concrete value (memory) or a symbolic one (an output of a
/// graph's node).

#include <weir/op_def.h>
#include <weir/tensor.h>

#include <atomic>
#include <memory>

#include "tensor/allocator.h"

namespace weir::tensor {

/// Owner of symbolic tensors; a graph derives from it. Dispatch asks it what tensor code must know
/// of a graph.
class SymbolSource {
 public:
  virtual ~SymbolSource() = default;
  /// The value of an output that is constant; null if it is not.
  virtual const Tensor* constant_value(int node, int output) const = 0;
  /// "dense/MatMul:0"
  virtual std::string name(int node, int output) const = 0;
  /// "node 'dense/MatMul' (model.cpp:12) of function 'train'" for errors.
  virtual std::string describe(int node, int output) const = 0;
  /// The value of an output that depends on no input of the graph, computed now; undefined if it
  /// depends on one, which `obstacle` names.
  virtual Tensor lift(int node, int output, std::string& obstacle) const = 0;
};

}  // namespace weir::tensor

namespace weir::inline v0 {

class TensorImpl {
 public:
  /// A value with uninitialised elements.
  static Tensor concrete(DType dtype, ShapeView shape);
  /// `offset` bytes into the memory of `base`, which stays alive.
  static Tensor view(const Tensor& base, ShapeView shape, std::int64_t offset = 0);
  /// Takes over one reference to `buffer`.
  static Tensor over(tensor::Buffer* buffer, DType dtype, ShapeView shape);
  /// `id`: the same for every handle of this output, distinct from all others (see symbol_id).
  static Tensor symbolic(SpecView spec,
                         std::shared_ptr<tensor::SymbolSource> source,
                         int node,
                         int output,
                         std::uint64_t id);
  /// The same value under an identity of its own: tapes tell the two apart.
  static Tensor again(const Tensor& t);
  static void destroy(TensorImpl* p) noexcept;

  bool is_symbolic() const { return node_ >= 0; }
  DType dtype() const { return dtype_; }
  int rank() const { return rank_; }
  ShapeView shape() const { return {dims_, rank_, known_rank_}; }
  SpecView spec() const { return {dtype_, shape()}; }
  std::int64_t size() const { return size_; }
  void* data() const { return data_; }
  tensor::Buffer* buffer() const { return buffer_; }
  const std::shared_ptr<tensor::SymbolSource>& source() const { return source_; }
  int node() const { return node_; }
  int output() const { return output_; }
  rt::View as_view() const {
    return {data_, reinterpret_cast<const std::int64_t*>(dims_), dtype_, rank_};
  }
  /// True if the elements may be written over: no other handle, tensor or variable can see them,
  /// and they are not memory that a user has lent (Tensor::wrap), which may be read-only.
  bool unique() const {
    return refs.load(std::memory_order_acquire) == 1 &&
           (buffer_ == nullptr || (buffer_->owned && buffer_->unique()));
  }
  /// Identity for tapes, given at first use; never reused.
  std::uint64_t id();
  /// The elements are about to become another value in place: no tape may take it for the old one.
  void forget_id() { id_.store(0, std::memory_order_relaxed); }
  std::uint64_t id_if_any() const { return id_.load(std::memory_order_relaxed); }

  std::atomic<std::uint32_t> refs{1};

  /// Elements of at most so many bytes live with their header, strings excepted.
  static constexpr std::int64_t kInlineBytes = 64;

 private:
  static constexpr int kInlineDims = 6;
  static constexpr std::size_t kInlineOffset = 192;
  static TensorImpl* make(DType dtype, ShapeView shape);
  TensorImpl() = default;
  ~TensorImpl();

  DType dtype_ = DType::invalid;
  std::uint8_t rank_ = 0;
  bool known_rank_ = true;
  Dim* dims_ = inline_dims_;
  std::int64_t size_ = 0;
  void* data_ = nullptr;
  tensor::Buffer* buffer_ = nullptr;  // null: the elements are in this block
  std::atomic<std::uint64_t> id_{0};
  std::shared_ptr<tensor::SymbolSource> source_;
  int node_ = -1;
  int output_ = 0;
  Dim inline_dims_[kInlineDims];
};

}  // namespace weir::inline v0
