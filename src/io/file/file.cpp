#include "io/file/file.h"

#include <weir/error.h>

#include "platform/file.h"
#include "platform/file_writer.h"

namespace weir::io {

void check(const platform::FileStatus& status) {
  if (status.ok()) return;
  ErrorInfo info;
  info.code = status.code();
  info.what = status.message;
  throw Error(info);
}

std::string read_file(const std::string& path) {
  std::string bytes;
  check(platform::read_file(path, &bytes));
  return bytes;
}

void write_file(const std::string& path, std::string_view bytes) {
  check(platform::write_file_atomic(path, bytes));
}

}  // namespace weir::io
