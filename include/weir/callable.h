/// Callable: what std::function is, at a tenth of the time that <functional> takes a compiler to
/// read. Copies share the callable.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

template <class Signature>
class Callable;

template <class R, class... Args>
class Callable<R(Args...)> {
 public:
  Callable() = default;
  Callable(std::nullptr_t) {}
  /// Empty if `f` is a null function pointer or an empty std::function.
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Callable> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) Callable(F&& f) {
    using Object = std::decay_t<F>;
    if constexpr (std::is_pointer_v<std::remove_reference_t<F>> || requires { f.target_type(); }) {
      if (!f) return;
    }
    object_ = std::make_shared<Object>(std::forward<F>(f));
    call_ = [](void* object, Args... args) -> R {
      return (*static_cast<Object*>(object))(std::forward<Args>(args)...);
    };
  }

  explicit operator bool() const { return call_ != nullptr; }
  /// Undefined if empty.
  R operator()(Args... args) const { return call_(object_.get(), std::forward<Args>(args)...); }

 private:
  std::shared_ptr<void> object_;
  R (*call_)(void* object, Args... args) = nullptr;
};

}  // namespace weir::inline v0
