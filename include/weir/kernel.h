/// Kernel ABI, version 1: how one op is computed on one device for given dtypes.
///
/// A kernel is a constant descriptor. It sees shapes, attributes and memory, never a tensor, a
/// graph or a thread; the same descriptor is called by an eager op, by a planned program and on a
/// microcontroller. No function here may allocate, throw or keep a pointer after it returns, except
/// `prepare`, which runs on the host only.
///
///   Status scale_run(const rt::KernelCall& c) {
///     const float* x = c.in[0].as<float>();
///     float* y = c.out[0].as<float>();
///     for (int64_t i = 0; i < c.out[0].size(); ++i) y[i] = x[i] * float(c.attrs[0].f);
///     return {};
///   }
///   const rt::Kernel kScale{.op = "Scale", .name = "Scale/float32/ref", .types = {DType::float32},
///   .run = scale_run};
#pragma once

#include <weir/dtype.h>
#include <weir/status.h>

#include <cstdint>

namespace weir::rt {

/// A dense row-major array in memory that somebody else owns.
struct View {
  void* data = nullptr;
  const std::int64_t* dims = nullptr;
  DType dtype = DType::invalid;
  std::uint8_t rank = 0;

  constexpr std::int64_t size() const {
    std::int64_t n = 1;
    for (int i = 0; i < rank; ++i)
      n *= dims[i];
    return n;
  }
  constexpr std::int64_t bytes() const { return size() * byte_size(dtype); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

/// One attribute of a call. Lists and strings point to memory that outlives the call.
struct Attr {
  /// `operand`: the value of a static operand is not known yet and comes with operand number `i`;
  /// no kernel sees it.
  enum class Kind : std::uint8_t {
    none,
    integer,
    real,
    boolean,
    dtype,
    ints,
    reals,
    string,
    operand
  };

  Kind kind = Kind::none;
  std::uint32_t count = 0;  // elements of ints and reals, bytes of a string
  union {
    std::int64_t i = 0;
    double f;
    bool b;
    DType t;
    const std::int64_t* ints;
    const double* reals;
    const char* s;
  };

  constexpr Attr() = default;
  constexpr bool has_value() const { return kind != Kind::none; }
  static constexpr Attr integer(std::int64_t v) {
    Attr a;
    a.kind = Kind::integer;
    a.i = v;
    return a;
  }
  static constexpr Attr real(double v) {
    Attr a;
    a.kind = Kind::real;
    a.f = v;
    return a;
  }
  static constexpr Attr boolean(bool v) {
    Attr a;
    a.kind = Kind::boolean;
    a.b = v;
    return a;
  }
  static constexpr Attr dtype(DType v) {
    Attr a;
    a.kind = Kind::dtype;
    a.t = v;
    return a;
  }
  static constexpr Attr operand(std::int64_t index) {
    Attr a;
    a.kind = Kind::operand;
    a.i = index;
    return a;
  }
  static constexpr Attr int_list(const std::int64_t* p, std::uint32_t n) {
    Attr a;
    a.kind = Kind::ints;
    a.count = n;
    a.ints = p;
    return a;
  }
  static constexpr Attr real_list(const double* p, std::uint32_t n) {
    Attr a;
    a.kind = Kind::reals;
    a.count = n;
    a.reals = p;
    return a;
  }
  static constexpr Attr string(const char* p, std::uint32_t n) {
    Attr a;
    a.kind = Kind::string;
    a.count = n;
    a.s = p;
    return a;
  }
};

/// Called around every step of a program, on the thread that runs the step.
struct StepHook {
  void (*begin)(void* arg, std::uint32_t step) = nullptr;
  void (*end)(void* arg, std::uint32_t step) = nullptr;
  void* arg = nullptr;
};

/// What the host offers to a running kernel. Null members mean "not offered".
struct RunContext {
  void* host = nullptr;
  /// Runs fn(arg, slice) for every slice in [0, slices), on any threads, and returns when all are
  /// done.
  void (*parallel_for)(void* host,
                       std::int64_t slices,
                       void (*fn)(void* arg, std::int64_t slice),
                       void* arg) = nullptr;
  bool (*cancelled)(void* host) = nullptr;
  void* stream = nullptr;
  const StepHook* profiler = nullptr;
};

/// Text of a kernel's error, filled by the kernel, shown to the user behind the op's name.
struct ErrorText {
  char text[240];
  ErrorText() { text[0] = 0; }  // the rest is written before it is read
};

/// Element-wise work on a block of a matrix result, done once the block holds its full sums and is
/// still in cache: rows [row0, row0 + rows), columns [col0, col0 + cols). `c` is its first element,
/// rows are `ldc` elements apart; blocks do not overlap.
struct Epilogue {
  void (*run)(void* arg,
              void* c,
              std::int64_t row0,
              std::int64_t rows,
              std::int64_t col0,
              std::int64_t cols,
              std::int64_t ldc) = nullptr;
  void* arg = nullptr;
};

struct Kernel;

/// One run of a kernel.
struct KernelCall {
  const Kernel* kernel = nullptr;
  const View* in = nullptr;
  const View* out = nullptr;
  const Attr* attrs = nullptr;
  std::uint16_t n_in = 0;
  std::uint16_t n_out = 0;
  std::uint16_t n_attrs = 0;
  void* state = nullptr;      // what `prepare` returned
  void* workspace = nullptr;  // `Needs::workspace` bytes, 64-byte aligned, contents undefined
  const void* packed =
      nullptr;  // operand `Needs::packed_operand` in the kernel's layout, or null: read `in`
  const Epilogue* epilogue =
      nullptr;  // of kernels with Kernel::epilogue; run on every block of out[0]
  const RunContext* context = nullptr;
  ErrorText* error = nullptr;
};

/// What a kernel needs for given shapes and attributes.
struct Needs {
  std::int64_t workspace = 0;
  std::int64_t packed_bytes = 0;  // size of the packed form of one operand; 0: no packed form
  std::int8_t packed_operand = -1;
};

/// Inner loop of an element-wise kernel: dst[i] = f(src[0][i * step[0]], src[1][i * step[1]], ...),
/// i < n, step 0 or 1. dst may equal a src of step 1 and of the same element size.
using TileFn = void (*)(
    void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const Attr* attrs);

/// Instruction sets and devices, worst first; a kernel runs where the machine offers at least its
/// level.
enum class Isa : std::uint8_t { baseline = 0, avx2 = 1, avx512 = 2 };

inline constexpr std::uint32_t kAbiVersion = 1;
inline constexpr int kMaxTypes = 4;

struct Kernel {
  const char* op = nullptr;    // registry name of the op
  const char* name = nullptr;  // stable id "MatMul/float32/avx2"; programs refer to its hash
  /// Dtypes of in[0], in[1], out[0], out[1]; DType::invalid accepts any.
  DType types[kMaxTypes] = {};
  Isa isa = Isa::baseline;
  std::uint32_t abi = kAbiVersion;
  Needs (*need)(const KernelCall& shapes) =
      nullptr;  // data pointers may be null; `packed` set: what a run with it needs; null: nothing
  Status (*pack)(const KernelCall& shapes, void* packed) = nullptr;
  void* (*prepare)(const KernelCall& shapes) = nullptr;
  void (*release)(void* state) = nullptr;
  /// Ops whose output shapes depend on data: called with concrete inputs and workspace before the
  /// outputs exist. Writes the dimensions that out[o].dims, which point into memory of the caller,
  /// have as -1. Outputs have no data yet.
  Status (*output_dims)(const KernelCall& call, std::int64_t* const* dims) = nullptr;
  Status (*run)(const KernelCall& call) = nullptr;
  TileFn tile = nullptr;  // element-wise kernels only
  bool epilogue = false;  // `run` honours KernelCall::epilogue, a row is a run of the last axis
};

/// Kernels of one source file.
struct KernelTable {
  const Kernel* data = nullptr;
  std::size_t size = 0;
};

/// FNV-1a, the id by which a program names a kernel.
constexpr std::uint64_t kernel_id(const char* name) {
  std::uint64_t h = 14695981039346656037ull;
  for (; *name; ++name)
    h = (h ^ static_cast<unsigned char>(*name)) * 1099511628211ull;
  return h;
}

}  // namespace weir::rt
