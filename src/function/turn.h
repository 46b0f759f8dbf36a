#pragma once

/// Whose turn it is to trace a function.

#include <thread>

namespace weir::tracing {

/// What one function needs so that its signatures are traced one at a time.
class TurnOwner {
 private:
  friend class Turn;
  std::thread::id thread_;
  bool taken_ = false;
};

/// The right to trace a function, waited for, so that threads that race trace a signature once. Who
/// would wait for itself, by recursion or because two threads trace functions that call each other,
/// goes on without it: then a signature may be traced twice, which costs time only.
class Turn {
 public:
  explicit Turn(TurnOwner& owner);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  TurnOwner& owner_;
  bool mine_ = false;
};

}  // namespace weir::tracing
