#include "io/file/file.h"

#include <weir/error.h>

#include "platform/file.h"
#include "platform/file_writer.h"

namespace weir::io {

void fail(Code code, const std::string& what, const std::string& fix) {
  ErrorInfo info;
  info.code = code;
  info.what = what;
  info.fix = fix;
  throw Error(info);
}

void check(const platform::FileStatus& status) {
  if (!status.ok()) fail(status.code(), status.message);
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
