/// Kernels of bfloat16 from those of float32: operands are widened (exactly), everything is
/// computed and summed in float32, and what comes out is rounded once. So they have the numeric
/// contract of the kernels they stand on. The copies cost a pass over each operand, little beside a
/// contraction; a filter or matrix that is packed is widened then, a matrix by columns that stay in
/// cache.
///
/// Contractions and convolutions also exist for a second operand in float32, which is rounded to
/// bfloat16 on the way: a program takes them for weights that it would convert first.
#include "kernels/cpu/bfloat16.h"

#include "kernels/cpu/gemm.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {

rt::KernelTable arg_reduce_kernels();
rt::KernelTable conv_kernels();
rt::KernelTable matmul_kernels();
rt::KernelTable pool_kernels();
rt::KernelTable reduce_kernels();
rt::KernelTable softmax_kernels();

namespace {

constexpr int kMostOperands = 8;
constexpr std::int64_t kGrain = 32768;  // elements converted by a thread at a time
constexpr std::int64_t kMostGroups = 16;
constexpr std::int64_t kPackRows = 64;   // rows of a result from which packing a matrix for it pays
constexpr std::int64_t kPackWidth = 16;  // and columns

struct Entry {
  rt::Kernel kernel;
  const rt::Kernel* wide = nullptr;  // of float32
  bool rounds_second = false;        // operand 1 is float32
  bool by_columns = false;           // operand 1 is a matrix, packed as gemm.h says
  HalfName name;
};

const Entry& entry_of(const rt::Kernel* kernel);

/// A place in the workspace.
struct Bump {
  std::int64_t used = 0;
  std::int64_t take(std::int64_t bytes) {
    const std::int64_t at = used;
    used += (bytes + 63) / 64 * 64;
    return at;
  }
};

/// The second operand of a product.
struct Columns {
  std::int64_t k, n;
  bool transposed;

  explicit Columns(const rt::KernelCall& c)
      : k(c.in[1].dims[c.attrs[1].b ? 1 : 0]),
        n(c.in[1].dims[c.attrs[1].b ? 0 : 1]),
        transposed(c.attrs[1].b) {}
  std::int64_t parts() const { return (n + kPackColumns - 1) / kPackColumns; }
  std::int64_t part_bytes() const { return k * kPackColumns * std::int64_t(sizeof(float)); }
};

std::int64_t wide_bytes(const rt::View& v) {
  return v.size() * std::int64_t(sizeof(float));
}

/// The call of the float32 kernel; its operands lie in the workspace of the call.
class WideCall {
 public:
  explicit WideCall(const rt::KernelCall& c) : c_(c), entry_(entry_of(c.kernel)), call_(c) {
    call_.kernel = entry_.wide;
    call_.epilogue = nullptr;
    for (int i = 0; i < c.n_in; ++i)
      in_[i] = as_float(c.in[i]);
    for (int o = 0; o < c.n_out; ++o)
      out_[o] = as_float(c.out[o]);
    call_.in = in_;
    call_.out = out_;
    if (entry_.wide->need) needs_ = entry_.wide->need(call_);
    Bump space;
    if (packs_first()) {
      static constexpr char kAny = 0;  // a kernel asks only whether there is a packed form
      call_.packed = &kAny;
      needs_ = entry_.wide->need(call_);
      packed_at_ = space.take(packed_size());
      scratch_at_ = space.take(groups() * Columns(c).part_bytes());
    }
    for (int i = 0; i < c.n_in; ++i)
      in_at_[i] = converts(i) ? space.take(wide_bytes(c.in[i])) : 0;
    for (int o = 0; o < c.n_out; ++o)
      out_at_[o] = is_narrow(c.out[o]) ? space.take(wide_bytes(c.out[o])) : 0;
    own_ = space.used;
  }

  rt::Needs needs() const {
    rt::Needs n = needs_;
    n.workspace += own_;
    // Packing widens the operand, or some columns of it, behind the packed form.
    if (n.packed_bytes > 0)
      n.packed_bytes = packed_size() + (entry_.by_columns ? Columns(c_).part_bytes()
                                                          : wide_bytes(c_.in[n.packed_operand]));
    return n;
  }

  Status pack(void* packed) {
    const int i = needs_.packed_operand;
    auto* scratch = reinterpret_cast<float*>(static_cast<char*>(packed) + packed_size());
    if (entry_.by_columns)
      return pack_columns(0, Columns(c_).parts(), scratch, static_cast<float*>(packed));
    in_[i].data = scratch;
    widen_to(scratch, i, 0, c_.in[i].size());
    return entry_.wide->pack(call_, packed);
  }

  void* prepare() const { return entry_.wide->prepare(call_); }

  Status run() {
    auto* space = static_cast<char*>(c_.workspace);
    call_.workspace = space + own_;
    for (int i = 0; i < c_.n_in; ++i) {
      if (!converts(i)) continue;
      in_[i].data = space + in_at_[i];
      rt::parallel_ranges(c_, c_.in[i].size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        widen_to(in_[i].as<float>() + begin, i, begin, end - begin);
      });
    }
    if (packs_first()) {
      auto* packed = reinterpret_cast<float*>(space + packed_at_);
      pack_in_parallel(space + scratch_at_, packed);
      call_.packed = packed;
    }
    for (int o = 0; o < c_.n_out; ++o) {
      if (is_narrow(c_.out[o])) out_[o].data = space + out_at_[o];
    }
    const bool in_blocks = entry_.wide->epilogue && (c_.epilogue || c_.out[0].rank == 2);
    const rt::Epilogue blocks{narrow_block, this};
    if (in_blocks) call_.epilogue = &blocks;
    const Status status = entry_.wide->run(call_);
    for (int o = in_blocks ? 1 : 0; o < c_.n_out && status.ok(); ++o)
      narrow_result(o);
    return status;
  }

 private:
  static bool is_narrow(const rt::View& v) { return v.dtype == DType::bfloat16; }
  static rt::View as_float(rt::View v) {
    if (is_narrow(v)) v.dtype = DType::float32;
    return v;
  }
  /// A float32 operand of a bfloat16 kernel is rounded; a packed one has been already.
  bool converts(int i) const {
    if (call_.packed && i == needs_.packed_operand) return false;
    return is_narrow(c_.in[i]) || (i == 1 && entry_.rounds_second);
  }
  std::int64_t packed_size() const { return (needs_.packed_bytes + 63) / 64 * 64; }

  /// A matrix that is not packed yet, and is worth it.
  bool packs_first() const {
    return entry_.by_columns && !c_.packed && c_.out[0].dims[0] >= kPackRows &&
           c_.out[0].dims[1] >= kPackWidth;
  }
  std::int64_t groups() const {
    const std::int64_t parts = Columns(c_).parts();
    return parts < kMostGroups ? parts : kMostGroups;
  }

  /// Elements [from, from + n) of operand i.
  void widen_to(float* to, int i, std::int64_t from, std::int64_t n) const {
    if (is_narrow(c_.in[i]))
      widen(c_.in[i].as<bfloat16>() + from, to, n);
    else
      round_to_bfloat16(c_.in[i].as<float>() + from, to, n);
  }

  /// Parts [begin, end) of operand 1, one after the other through `scratch`.
  Status pack_columns(std::int64_t begin, std::int64_t end, float* scratch, float* packed) const {
    const Columns b(c_);
    Status status;
    for (std::int64_t part = begin; part < end && status.ok(); ++part) {
      const std::int64_t col = part * kPackColumns;
      const std::int64_t cols = b.n - col < kPackColumns ? b.n - col : kPackColumns;
      if (b.transposed) widen_to(scratch, 1, col * b.k, cols * b.k);
      for (std::int64_t k = 0; k < b.k && !b.transposed; ++k)
        widen_to(scratch + k * cols, 1, k * b.n + col, cols);
      const std::int64_t in_dims[] = {b.transposed ? cols : b.k, b.transposed ? b.k : cols};
      const std::int64_t out_dims[] = {c_.out[0].dims[0], cols};
      const rt::View in[] = {in_[0], {scratch, in_dims, DType::float32, 2}};
      const rt::View out{nullptr, out_dims, DType::float32, 2};
      rt::KernelCall call = call_;
      call.packed = nullptr;
      call.in = in;
      call.out = &out;
      status = entry_.wide->pack(call, packed + col * b.k);
    }
    return status;
  }
  void pack_in_parallel(char* scratch, float* packed) const {
    const Columns b(c_);
    const std::int64_t n = groups();
    rt::parallel_for(c_, n, [&](std::int64_t g) {
      auto* mine = reinterpret_cast<float*>(scratch + g * b.part_bytes());
      (void)pack_columns(b.parts() * g / n, b.parts() * (g + 1) / n, mine, packed);
    });
  }

  void narrow_result(int o) const {
    if (!is_narrow(c_.out[o])) return;
    const float* from = out_[o].as<float>();
    bfloat16* to = c_.out[o].as<bfloat16>();
    rt::parallel_ranges(c_, c_.out[o].size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      narrow(from + begin, to + begin, end - begin);
    });
  }
  /// Rounds a block of the result, then does with it what the caller wants.
  static void narrow_block(void* arg,
                           void* c,
                           std::int64_t row0,
                           std::int64_t rows,
                           std::int64_t col0,
                           std::int64_t cols,
                           std::int64_t ldc) {
    const rt::KernelCall& call = static_cast<WideCall*>(arg)->c_;
    const std::int64_t stride = call.out[0].dims[call.out[0].rank - 1];
    bfloat16* to = call.out[0].as<bfloat16>() + row0 * stride + col0;
    for (std::int64_t r = 0; r < rows; ++r)
      narrow(static_cast<float*>(c) + r * ldc, to + r * stride, cols);
    if (const rt::Epilogue* e = call.epilogue) e->run(e->arg, to, row0, rows, col0, cols, stride);
  }

  const rt::KernelCall& c_;
  const Entry& entry_;
  rt::KernelCall call_;
  rt::Needs needs_;
  rt::View in_[kMostOperands], out_[kMostOperands];
  std::int64_t in_at_[kMostOperands], out_at_[kMostOperands];
  std::int64_t packed_at_ = 0, scratch_at_ = 0, own_ = 0;
};

rt::Needs need(const rt::KernelCall& c) {
  return WideCall(c).needs();
}
Status pack(const rt::KernelCall& c, void* packed) {
  return WideCall(c).pack(packed);
}
void* prepare(const rt::KernelCall& c) {
  return WideCall(c).prepare();
}
Status run(const rt::KernelCall& c) {
  if (c.n_in > kMostOperands || c.n_out > kMostOperands) return rt::invalid("too many operands");
  return WideCall(c).run();
}

class Table {
 public:
  Table() {
    add(matmul_kernels());
    add(conv_kernels());
    add(pool_kernels());
    add(softmax_kernels());
    add(reduce_kernels());
    add(arg_reduce_kernels());
    for (int i = 0; i < size_; ++i) {
      entries_[i].kernel.name = entries_[i].name.text;
      kernels_[i] = entries_[i].kernel;
    }
  }
  rt::KernelTable kernels() const { return {kernels_, std::size_t(size_)}; }
  const Entry& entry_of(const rt::Kernel* k) const { return entries_[k - kernels_]; }

 private:
  static constexpr int kMost = 96;

  void add(const rt::KernelTable& wide) {
    for (std::size_t i = 0; i < wide.size && size_ + 2 <= kMost; ++i)
      add(wide.data[i]);
  }

  void add(const rt::Kernel& wide) {
    if (wide.types[0] != DType::float32 || wide.output_dims) return;
    Entry& e = add(wide, "bfloat16");
    if (!wide.pack) return;
    e.kernel.types[1] = DType::bfloat16;
    Entry& mixed = add(wide, "bfloat16/float32");
    mixed.kernel.types[1] = DType::float32;
    mixed.rounds_second = true;
    e.by_columns = mixed.by_columns = __builtin_strcmp(wide.op, "MatMul") == 0;
  }
  Entry& add(const rt::Kernel& wide, const char* dtypes) {
    Entry& e = entries_[size_++];
    e.wide = &wide;
    e.kernel = wide;
    for (DType& t : e.kernel.types) {
      if (t == DType::float32) t = DType::bfloat16;
    }
    e.kernel.need = need;
    e.kernel.pack = wide.pack ? pack : nullptr;
    e.kernel.prepare = wide.prepare ? prepare : nullptr;
    e.kernel.run = run;
    e.name = HalfName(wide.name, dtypes);
    return e;
  }

  Entry entries_[kMost];
  rt::Kernel kernels_[kMost];
  int size_ = 0;
};

const Table& table() {
  static const Table t;
  return t;
}
const Entry& entry_of(const rt::Kernel* kernel) {
  return table().entry_of(kernel);
}

}  // namespace

rt::KernelTable bfloat16_kernels() {
  return table().kernels();
}

}  // namespace weir::kernels::WEIR_ISA
