/// Elimination and factorisation of small matrices, in float64.
#include "kernels/ref/wide.h"
#include "kernels/scalar/libm.h"

namespace weir::kernels::ref {
namespace {

using Int = std::int64_t;

struct Cholesky {
  static constexpr const char* kOp = "Cholesky";
};
struct Inverse {
  static constexpr const char* kOp = "MatrixInverse";
};
struct Determinant {
  static constexpr const char* kOp = "MatrixDeterminant";
};
struct Solve {
  static constexpr const char* kOp = "MatrixSolve";
};
struct TriangularSolve {
  static constexpr const char* kOp = "MatrixTriangularSolve";
};

/// Rows and number of the matrices of an operand.
Int order(const rt::View& v) {
  return v.dims[v.rank - 2];
}
Int matrices(const rt::View& v) {
  Int n = 1;
  for (int i = 0; i + 2 < v.rank; ++i)
    n *= v.dims[i];
  return n;
}

template <class T>
void load(const T* from, Int rows, Int cols, bool transposed, double* to) {
  for (Int i = 0; i < rows; ++i) {
    for (Int j = 0; j < cols; ++j)
      to[transposed ? j * rows + i : i * cols + j] = widen(from[i * cols + j]);
  }
}

void swap_rows(double* m, Int cols, Int a, Int b) {
  for (Int j = 0; a != b && j < cols; ++j) {
    const double t = m[a * cols + j];
    m[a * cols + j] = m[b * cols + j];
    m[b * cols + j] = t;
  }
}

/// Eliminates a [n, n] below its diagonal with row pivots, and the same steps on b [n, k]. Returns
/// the determinant.
double eliminate(double* a, double* b, Int n, Int k) {
  double determinant = 1;
  for (Int p = 0; p < n; ++p) {
    Int best = p;
    for (Int i = p + 1; i < n; ++i) {
      if (weir_abs_f64(a[i * n + p]) > weir_abs_f64(a[best * n + p])) best = i;
    }
    swap_rows(a, n, p, best);
    swap_rows(b, k, p, best);
    const double pivot = a[p * n + p];
    determinant *= best == p ? pivot : -pivot;
    if (pivot == 0) return 0;
    for (Int i = p + 1; i < n; ++i) {
      const double factor = a[i * n + p] / pivot;
      for (Int j = p; j < n; ++j)
        a[i * n + j] -= factor * a[p * n + j];
      for (Int j = 0; j < k; ++j)
        b[i * k + j] -= factor * b[p * k + j];
    }
  }
  return determinant;
}

/// Solves the triangular system in place. False: a 0 on the diagonal.
bool substitute(const double* a, double* b, Int n, Int k, bool lower) {
  for (Int step = 0; step < n; ++step) {
    const Int i = lower ? step : n - 1 - step;
    if (a[i * n + i] == 0) return false;
    for (Int j = 0; j < k; ++j) {
      double sum = b[i * k + j];
      for (Int s = lower ? 0 : i + 1; s < (lower ? i : n); ++s)
        sum -= a[i * n + s] * b[s * k + j];
      b[i * k + j] = sum / a[i * n + i];
    }
  }
  return true;
}

/// The factor replaces the lower triangle, zeros the upper one. False: not positive definite.
bool factorise(double* a, Int n) {
  for (Int j = 0; j < n; ++j) {
    double diagonal = a[j * n + j];
    for (Int s = 0; s < j; ++s)
      diagonal -= a[j * n + s] * a[j * n + s];
    if (!(diagonal > 0)) return false;
    a[j * n + j] = weir_sqrt_f64(diagonal);
    for (Int i = j + 1; i < n; ++i) {
      double sum = a[i * n + j];
      for (Int s = 0; s < j; ++s)
        sum -= a[i * n + s] * a[j * n + s];
      a[i * n + j] = sum / a[j * n + j];
    }
    for (Int i = 0; i < j; ++i)
      a[i * n + j] = 0;
  }
  return true;
}

Status singular(const rt::KernelCall& c, Int which, const char* what) {
  rt::Message(c) << "matrix " << which << " " << what;
  return rt::invalid(what);
}

template <class T>
void store(const double* from, Int count, T* to) {
  for (Int i = 0; i < count; ++i)
    to[i] = narrow<T>(from[i]);
}

template <class T>
Status run(Cholesky, const rt::KernelCall& c) {
  auto* a = static_cast<double*>(c.workspace);
  const Int n = order(c.in[0]);
  for (Int m = 0; m < matrices(c.in[0]); ++m) {
    load(c.in[0].as<T>() + m * n * n, n, n, false, a);
    if (!factorise(a, n)) return singular(c, m, "is not positive definite");
    store(a, n * n, c.out[0].as<T>() + m * n * n);
  }
  return {};
}

template <class T>
Status run(Determinant, const rt::KernelCall& c) {
  auto* a = static_cast<double*>(c.workspace);
  const Int n = order(c.in[0]);
  for (Int m = 0; m < matrices(c.in[0]); ++m) {
    load(c.in[0].as<T>() + m * n * n, n, n, false, a);
    c.out[0].as<T>()[m] = narrow<T>(eliminate(a, nullptr, n, 0));
  }
  return {};
}

template <class T>
Status run(Inverse, const rt::KernelCall& c) {
  const Int n = order(c.in[0]);
  auto *a = static_cast<double*>(c.workspace), *b = a + n * n;
  for (Int m = 0; m < matrices(c.in[0]); ++m) {
    load(c.in[0].as<T>() + m * n * n, n, n, c.attrs[0].b, a);
    for (Int i = 0; i < n * n; ++i)
      b[i] = i % (n + 1) == 0 ? 1 : 0;
    eliminate(a, b, n, n);
    if (!substitute(a, b, n, n, false)) return singular(c, m, "is singular");
    store(b, n * n, c.out[0].as<T>() + m * n * n);
  }
  return {};
}

/// Both solvers: `triangular` skips the elimination and reads one triangle.
template <class T>
Status solve(const rt::KernelCall& c, bool triangular, bool lower, bool adjoint) {
  const Int n = order(c.in[0]), k = c.in[1].dims[c.in[1].rank - 1];
  auto *a = static_cast<double*>(c.workspace), *b = a + n * n;
  for (Int m = 0; m < matrices(c.in[0]); ++m) {
    load(c.in[0].as<T>() + m * n * n, n, n, adjoint, a);
    load(c.in[1].as<T>() + m * n * k, n, k, false, b);
    if (!triangular) eliminate(a, b, n, k);
    if (!substitute(a, b, n, k, triangular && lower != adjoint))
      return singular(c, m, "is singular");
    store(b, n * k, c.out[0].as<T>() + m * n * k);
  }
  return {};
}

template <class T>
Status run(Solve, const rt::KernelCall& c) {
  return solve<T>(c, false, false, c.attrs[0].b);
}

template <class T>
Status run(TriangularSolve, const rt::KernelCall& c) {
  return solve<T>(c, true, c.attrs[0].b, c.attrs[1].b);
}

/// One matrix and, for the solvers and the inverse, one right hand side.
rt::Needs need(const rt::KernelCall& c) {
  const Int n = order(c.in[0]), k = c.n_in > 1 ? c.in[1].dims[c.in[1].rank - 1] : n;
  return {.workspace = (n * n + n * k) * Int(sizeof(double))};
}

template <class Op, class T>
Status run_op(const rt::KernelCall& c) {
  return run<T>(Op{}, c);
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .need = need,
                     .run = run_op<Op, Ts>}...};
}

}  // namespace

rt::KernelTable solve_kernels() {
  using Both = Types<float, double>;
  static const auto table = concatenate(kernels<Cholesky>(Both{}),
                                        kernels<Inverse>(Both{}),
                                        kernels<Determinant>(Both{}),
                                        kernels<Solve>(Both{}),
                                        kernels<TriangularSolve>(Both{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
