#include "platform/file_status.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace weir::platform {

Code FileStatus::code() const {
  switch (error) {
    case 0:
      return Code::ok;
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return Code::already_exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::permission_denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return Code::resource_exhausted;
    case EINVAL:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return Code::invalid_argument;
    default:
      return Code::unavailable;
  }
}

FileStatus file_error(std::string_view action,
                      std::string_view path,
                      int error,
                      std::string_view cause) {
  std::string message = "cannot ";
  message.append(action).append(" '").append(path).append("': ").append(cause);
  return {error == 0 ? EIO : error, std::move(message)};
}

FileStatus file_error(std::string_view action, std::string_view path, int error) {
  return file_error(action, path, error, std::generic_category().message(error));
}

}  // namespace weir::platform
