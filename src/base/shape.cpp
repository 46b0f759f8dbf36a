#include <weir/op_def.h>
#include <weir/shape.h>

#include <algorithm>
#include <atomic>
#include <deque>
#if __STDC_HOSTED__
#include <mutex>
#endif

namespace weir::inline v0 {

Dim make_symbol(std::int64_t number) {
  Dim d;
  d.v_ = -2 - number;
  return d;
}

namespace {

#if __STDC_HOSTED__
using Mutex = std::mutex;
using Lock = std::lock_guard<std::mutex>;
#else  // a device has one thread
struct Mutex {};
struct Lock {
  explicit Lock(Mutex&) {}
};
#endif

/// Fresh symbols have no name and are numbered from here.
constexpr std::int64_t kFirstFresh = std::int64_t{1} << 40;

/// Names of the other symbols.
struct SymbolTable {
  Mutex mutex;
  std::deque<std::string> names;

  Dim add(std::string name) {
    names.push_back(std::move(name));
    return make_symbol(std::int64_t(names.size()) - 1);
  }
};

SymbolTable& symbols() {
  static auto& table = *new SymbolTable;  // outlives every static that holds a shape
  return table;
}

}  // namespace

Dim Dim::symbol(const char* name) {
  SymbolTable& table = symbols();
  Lock lock(table.mutex);
  const auto it = std::find(table.names.begin(), table.names.end(), name);
  if (it != table.names.end()) return make_symbol(it - table.names.begin());
  return table.add(name);
}

Dim Dim::fresh_symbol() {
  static std::atomic<std::int64_t> next{kFirstFresh};
  return make_symbol(next.fetch_add(1, std::memory_order_relaxed));
}

std::string Dim::to_string() const {
  if (known()) return std::to_string(v_);
  if (!is_symbol() || -2 - v_ >= kFirstFresh) return "?";
  SymbolTable& table = symbols();
  Lock lock(table.mutex);
  return table.names[std::size_t(-2 - v_)];
}

Shape::Shape(std::span<const std::int64_t> dims) {
  for (std::int64_t d : dims)
    push_back(Dim(d));
}

Shape& Shape::operator=(const Shape& o) {
  if (this != &o) {
    assign(o.dims());
    known_rank_ = o.known_rank_;
  }
  return *this;
}

void Shape::assign(std::span<const Dim> dims) {
  known_rank_ = true;
  if (dims.size() <= capacity_) {
    std::copy(dims.begin(), dims.end(), data());
    rank_ = std::uint8_t(dims.size());
    return;
  }
  rank_ = 0;
  for (Dim d : dims)
    push_back(d);
}

void Shape::push_back_slowly(Dim d) {
  if (rank_ == capacity_) {
    const int capacity = std::min(2 * capacity_, 255);
    Dim* fresh = new Dim[std::size_t(capacity)];
    std::copy(data(), data() + rank_, fresh);
    release();
    heap_ = fresh;
    capacity_ = std::uint8_t(capacity);
  }
  if (rank_ == 255)
    return;  // one more than kMaxRank is kept, so that the check in dispatch sees it
  data()[rank_++] = d;
}

bool Shape::is_static() const {
  return ShapeView(*this).is_static();
}
std::int64_t Shape::size() const {
  return ShapeView(*this).size();
}

std::vector<std::int64_t> Shape::to_vector() const {
  std::vector<std::int64_t> v;
  for (Dim d : dims())
    v.push_back(d.value());
  return v;
}

std::string Shape::to_string() const {
  if (!known_rank_) return "<unknown>";
  std::string s = "[";
  for (int i = 0; i < rank_; ++i)
    s += (i ? ", " : "") + (*this)[i].to_string();
  return s + "]";
}

bool operator==(const Shape& a, const Shape& b) {
  return a.known_rank_ == b.known_rank_ && std::ranges::equal(a.dims(), b.dims());
}

bool ShapeView::is_static() const {
  return known_ && std::all_of(dims_, dims_ + rank_, [](Dim d) { return d.known(); });
}

std::int64_t ShapeView::size() const {
  if (!known_) return -1;
  std::int64_t n = 1;
  for (int i = 0; i < rank_; ++i) {
    if (!dims_[i].known()) return -1;
    n *= dims_[i].value();
  }
  return n;
}

Shape ShapeView::to_shape() const {
  return known_ ? Shape(dims()) : Shape::unknown_rank();
}

}  // namespace weir::inline v0
