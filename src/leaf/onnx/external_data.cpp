#include "leaf/onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <vector>

#include "io/file/file.h"

namespace weir::onnx_io {
namespace {

constexpr std::size_t kMaxPath = 4096;

[[noreturn]] void refuse(const std::string& what, const std::string& cause) {
  io::fail(Code::data_loss, what + ": external data: " + cause);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Place {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

std::uint64_t parse_number(const std::string& text, const std::string& what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > INT64_MAX) {
    refuse(what, "an offset or length that is no number of bytes");
  }
  return value;
}

Place parse_place(const onnx_proto::TensorProto& proto, const std::string& what) {
  Place place;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      place.location = entry.value();
    } else if (entry.key() == "offset") {
      place.offset = parse_number(entry.value(), what);
    } else if (entry.key() == "length") {
      place.length = parse_number(entry.value(), what);
    } else if (entry.key() != "checksum" && entry.key() != "basepath") {
      refuse(what, "an unknown key");
    }
  }
  return place;
}

// The parts of a relative path that goes down only.
std::vector<std::string> split_location(const std::string& location, const std::string& what) {
  if (location.empty() || location.size() > kMaxPath || location.front() == '/' ||
      location.find('\\') != std::string::npos || location.find(':') != std::string::npos ||
      location.find('\0') != std::string::npos) {
    refuse(what, "a location that is no relative path");
  }
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= location.size();) {
    const std::size_t end = std::min(location.find('/', at), location.size());
    std::string part = location.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") refuse(what, "a location that leaves the model's directory");
    parts.push_back(std::move(part));
  }
  if (parts.empty()) refuse(what, "a location that names no file");
  return parts;
}

// Opened part by part, so that nothing on the way can be a link, whenever it is put there.
Descriptor open_confined(const std::string& directory,
                         const std::vector<std::string>& parts,
                         const std::string& what) {
  Descriptor at(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t i = 0; i < parts.size() && at.get() >= 0; ++i) {
    const bool last = i + 1 == parts.size();
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK : O_DIRECTORY);
    at = Descriptor(::openat(at.get(), parts[i].c_str(), flags));
  }
  if (at.get() < 0) refuse(what, "its file does not exist, or is a link, or cannot be read");
  return at;
}

std::uint64_t checked_file_size(int fd, const std::string& what) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) refuse(what, "it is no regular file");
  if (info.st_nlink != 1) refuse(what, "its file has more than one name");
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

std::string read_external(const onnx_proto::TensorProto& proto,
                          const DataFiles& files,
                          std::uint64_t expected_bytes,
                          const std::string& what) {
  if (files.directory.empty()) refuse(what, "a model that is no file has none");
  const Place place = parse_place(proto, what);
  const Descriptor file =
      open_confined(files.directory, split_location(place.location, what), what);
  const std::uint64_t size = checked_file_size(file.get(), what);
  if (place.offset > size || expected_bytes > size - place.offset) {
    refuse(what, "the file ends before it");
  }
  if (place.length.value_or(expected_bytes) != expected_bytes) {
    refuse(what, "its length is not what its shape needs");
  }
  std::string bytes(expected_bytes, '\0');
  for (std::uint64_t done = 0; done < expected_bytes;) {
    const ssize_t n =
        ::pread(file.get(), bytes.data() + done, expected_bytes - done, off_t(place.offset + done));
    if (n <= 0) refuse(what, "its file cannot be read");
    done += static_cast<std::uint64_t>(n);
  }
  return bytes;
}

}  // namespace weir::onnx_io
