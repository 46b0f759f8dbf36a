/// Callable: what std::function is, at a tenth of the time that <functional> takes a compiler to
/// read. Copies share the callable. Pointers to members are not taken: wrap them in a lambda.
#pragma once

#include <weir/export.h>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

template <class Signature>
class Callable;

namespace detail {

/// Throws Error.
[[noreturn]] WEIR_API void throw_empty_callable();

template <class T>
inline constexpr bool kIsCallable = false;
template <class Signature>
inline constexpr bool kIsCallable<Callable<Signature>> = true;

/// A value of these can be empty.
template <class T>
concept CanBeEmpty = std::is_pointer_v<T> || kIsCallable<T> || requires(const T& f) {
  f.target_type();
};

}  // namespace detail

template <class R, class... Args>
class Callable<R(Args...)> {
 public:
  Callable() = default;
  Callable(std::nullptr_t) {}
  /// Empty if `f` is a null function pointer, an empty std::function or an empty Callable of
  /// another signature. What `f` returns is dropped where R is void.
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Callable> &&
           !std::is_member_pointer_v<std::decay_t<F>> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) Callable(F&& f) {
    using Object = std::decay_t<F>;
    if constexpr (detail::CanBeEmpty<std::remove_cvref_t<F>>) {
      if (!f) return;
    }
    object_ = std::make_shared<Object>(std::forward<F>(f));
    call_ = [](void* object, Args... args) -> R {
      Object& own = *static_cast<Object*>(object);
      if constexpr (std::is_void_v<R>)
        static_cast<void>(own(std::forward<Args>(args)...));
      else
        return own(std::forward<Args>(args)...);
    };
  }

  explicit operator bool() const { return call_ != nullptr; }
  /// Error: it is empty.
  R operator()(Args... args) const {
    if (!call_) detail::throw_empty_callable();
    return call_(object_.get(), std::forward<Args>(args)...);
  }

 private:
  std::shared_ptr<void> object_;
  R (*call_)(void* object, Args... args) = nullptr;
};

}  // namespace weir::inline v0
