#pragma once

#include <stdlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "platform/file.h"

namespace weir::platform {

/// A fresh directory for the time of one test.
class TestDirectory {
 public:
  TestDirectory() {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() { static_cast<void>(remove_all(path_)); }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return join_path(path_, name); }

 private:
  std::string path_ = "/tmp/weir-test-XXXXXX";
};

}  // namespace weir::platform
