/// Stateless random numbers, equal to TensorFlow's for the same seed. Outputs are made in groups of
/// what one block of Philox gives; the group's number is the counter, so that slices need not know
/// of each other.
#include "kernels/ref/wide.h"
#include "kernels/scalar/libm.h"
#include "kernels/scalar/philox_seed.h"

namespace weir::kernels::ref {
namespace {

struct Uniform {
  static constexpr const char* kOp = "StatelessRandomUniform";
};
struct Normal {
  static constexpr const char* kOp = "StatelessRandomNormal";
};
struct TruncatedNormal {
  static constexpr const char* kOp = "StatelessTruncatedNormal";
};
struct UniformInt {
  static constexpr const char* kOp = "StatelessRandomUniformInt";
};

/// Numbers that one block of four words gives.
template <class T>
inline constexpr std::int64_t kGroup = sizeof(T) == 8 ? 2 : 4;

/// make(block, T out[kGroup<T>]) for each group; block is the generator at `stride` blocks per
/// group.
template <class T, class Make>
void fill(const rt::KernelCall& c, std::uint64_t stride, Make&& make) {
  T* out = c.out[0].as<T>();
  const std::int64_t n = c.out[0].size(), groups = (n + kGroup<T> - 1) / kGroup<T>;
  const weir_philox start = philox_from(c.in[0]);
  rt::parallel_ranges(c, groups, 4096, [&](std::int64_t begin, std::int64_t end) {
    weir_philox block = start;
    weir_philox_skip(&block, std::uint64_t(begin) * stride);
    for (std::int64_t g = begin; g < end; ++g) {
      T group[kGroup<T>];
      make(block, group);
      const std::int64_t at = g * kGroup<T>, count = n - at < kGroup<T> ? n - at : kGroup<T>;
      for (std::int64_t i = 0; i < count; ++i)
        out[at + i] = group[i];
      weir_philox_skip(&block, stride);
    }
  });
}

template <class T>
T uniform_of(std::uint32_t word) {
  if constexpr (std::is_same_v<T, float16>)
    return wrap<T>(weir_uniform_f16(word));
  else if constexpr (std::is_same_v<T, bfloat16>)
    return wrap<T>(weir_uniform_bf16(word));
  else
    return weir_uniform_f32(word);
}

template <class T>
Status run_uniform(const rt::KernelCall& c) {
  fill<T>(c, 1, [](const weir_philox& block, T* out) {
    std::uint32_t w[4];
    weir_philox_words(&block, w);
    if constexpr (sizeof(T) == 8) {
      for (int i = 0; i < 2; ++i)
        out[i] = weir_uniform_f64(w[2 * i], w[2 * i + 1]);
    } else {
      for (int i = 0; i < 4; ++i)
        out[i] = uniform_of<T>(w[i]);
    }
  });
  return {};
}

void normal_f64(const std::uint32_t (&w)[4], double* out) {
  const double u = weir_uniform_f64(w[0], w[1]);
  const double radius = weir_sqrt_f64(-2.0 * weir_log_f64(u < 1.0e-7 ? 1.0e-7 : u));
  const double angle = 0x1.921fb54442d18p2 * weir_uniform_f64(w[2], w[3]);
  out[0] = weir_sin_f64(angle) * radius;
  out[1] = weir_cos_f64(angle) * radius;
}

template <class T>
void normals(const std::uint32_t (&w)[4], T* out) {
  if constexpr (sizeof(T) == 8) {
    normal_f64(w, out);
  } else {
    float f[4];
    weir_normal_f32(w[0], w[1], f, f + 1);
    weir_normal_f32(w[2], w[3], f + 2, f + 3);
    for (int i = 0; i < 4; ++i)
      out[i] = wrap<T>(f[i]);
  }
}

template <class T>
Status run_normal(const rt::KernelCall& c) {
  fill<T>(c, 1, [](const weir_philox& block, T* out) {
    std::uint32_t w[4];
    weir_philox_words(&block, w);
    normals(w, out);
  });
  return {};
}

/// Words that a group of truncated numbers may use up: numbers beyond two deviations are drawn
/// again.
inline constexpr std::uint64_t kReserved = 256;

template <class T>
Status run_truncated(const rt::KernelCall& c) {
  fill<T>(c, kGroup<T> * kReserved / 4, [](weir_philox block, T* out) {
    for (int found = 0; found < int(kGroup<T>); weir_philox_skip(&block, 1)) {
      std::uint32_t w[4];
      weir_philox_words(&block, w);
      double drawn[4];
      if constexpr (sizeof(T) == 8) {
        normal_f64(w, drawn);
      } else {
        float f[4];
        normals(w, f);
        for (int i = 0; i < 4; ++i)
          drawn[i] = f[i];
      }
      for (int i = 0; i < int(kGroup<T>) && found < int(kGroup<T>); ++i) {
        if (weir_abs_f64(drawn[i]) < 2) out[found++] = narrow<T>(drawn[i]);
      }
    }
  });
  return {};
}

template <class T>
Status run_uniform_int(const rt::KernelCall& c) {
  using U = std::make_unsigned_t<T>;
  const T low = c.in[1].as<T>()[0], high = c.in[2].as<T>()[0];
  if (low >= high) {
    rt::Message(c) << "minval " << low << " is not below maxval " << high;
    return rt::invalid("minval must be below maxval");
  }
  const U range = U(high) - U(low);
  fill<T>(c, 1, [&](const weir_philox& block, T* out) {
    std::uint32_t w[4];
    weir_philox_words(&block, w);
    for (int i = 0; i < int(kGroup<T>); ++i) {
      const U word =
          sizeof(T) == 8 ? U(w[2 * i % 4] | std::uint64_t(w[(2 * i + 1) % 4]) << 32) : U(w[i]);
      out[i] = T(U(low) + word % range);
    }
  });
  return {};
}

template <class Op, class T>
Status run(const rt::KernelCall& c) {
  if constexpr (std::is_same_v<Op, Uniform>)
    return run_uniform<T>(c);
  else if constexpr (std::is_same_v<Op, Normal>)
    return run_normal<T>(c);
  else if constexpr (std::is_same_v<Op, TruncatedNormal>)
    return run_truncated<T>(c);
  else
    return run_uniform_int<T>(c);
}

/// in[0] is the seed, of either integer dtype.
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {DType::invalid, DType::invalid, dtype_of<Ts>},
                     .run = run<Op, Ts>}...};
}

}  // namespace

rt::KernelTable random_kernels() {
  static const auto table = concatenate(kernels<Uniform>(Floating{}),
                                        kernels<Normal>(Floating{}),
                                        kernels<TruncatedNormal>(Floating{}),
                                        kernels<UniformInt>(Types<std::int32_t, std::int64_t>{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
