#pragma once

/// Small things that every kernel needs. Freestanding.

#include <weir/kernel.h>

#include <cstdint>

namespace weir::rt {

/// Runs body(slice) for each slice, in parallel if the host offers it.
template <class Body>
void parallel_for(const KernelCall& c, std::int64_t slices, Body&& body) {
  if (slices <= 1 || !c.context || !c.context->parallel_for) {
    for (std::int64_t i = 0; i < slices; ++i)
      body(i);
    return;
  }
  auto* b = &body;
  c.context->parallel_for(
      c.context->host,
      slices,
      [](void* arg, std::int64_t slice) { (**static_cast<decltype(b)*>(arg))(slice); },
      &b);
}

/// Cuts n elements into slices of at least `grain`, by n alone, so that results never depend on
/// threads. body(begin, end).
template <class Body>
void parallel_ranges(const KernelCall& c, std::int64_t n, std::int64_t grain, Body&& body) {
  const std::int64_t slices = n <= grain ? 1 : (n + grain - 1) / grain;
  parallel_for(c, slices, [&](std::int64_t s) {
    const std::int64_t begin = s * grain;
    body(begin, begin + grain < n ? begin + grain : n);
  });
}

/// Writes an error text piece by piece: Message(c) << "indices[" << i << "] = " << v.
class Message {
 public:
  explicit Message(const KernelCall& c) : text_(c.error) {}
  Message& operator<<(const char* s) {
    while (text_ && *s && used_ + 1 < sizeof text_->text)
      text_->text[used_++] = *s++;
    if (text_) text_->text[used_] = 0;
    return *this;
  }
  Message& operator<<(std::int64_t v) {
    char digits[24];
    int n = 0;
    std::uint64_t u = v < 0 ? 0 - std::uint64_t(v) : std::uint64_t(v);
    do
      digits[n++] = char('0' + u % 10);
    while (u /= 10);
    if (v < 0) digits[n++] = '-';
    char text[24];
    for (int i = 0; i < n; ++i)
      text[i] = digits[n - 1 - i];
    text[n] = 0;
    return *this << text;
  }

 private:
  ErrorText* text_;
  unsigned used_ = 0;
};

inline Status invalid(const char* message) {
  return Status(Code::invalid_argument, message);
}

}  // namespace weir::rt
