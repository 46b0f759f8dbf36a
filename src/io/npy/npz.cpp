#include "io/npy/npz.h"

#include <zip.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "io/file/file.h"
#include "io/npy/npy.h"
#include "io/npy/npy_header.h"

namespace weir {
namespace io {
namespace {

constexpr std::string_view kSuffix = ".npy";
constexpr std::size_t kChunk = 1 << 20;

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};
struct FreeSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;
using Entry = std::unique_ptr<zip_file_t, CloseEntry>;
using Source = std::unique_ptr<zip_source_t, FreeSource>;

[[noreturn]] void throw_write_error(const std::string& what) {
  fail(Code::invalid_argument, "save_npz: " + what);
}

Archive open_archive(std::string_view file, const std::string& name) {
  // libzip takes no bytes at all for an archive without entries.
  if (file.empty()) throw_npy_error(Code::data_loss, name, "not a zip archive: no bytes");
  zip_error_t error;
  zip_error_init(&error);
  Source source(zip_source_buffer_create(file.data(), file.size(), 0, &error));
  zip_t* opened =
      source ? zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error) : nullptr;
  const std::string cause = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (opened == nullptr) throw_npy_error(Code::data_loss, name, "not a zip archive: " + cause);
  static_cast<void>(source.release());  // the archive owns it now
  return Archive(opened);
}

// The size that the archive gives for the entry bounds what is read, and memory grows only with
// what has been read. libzip checks the CRC at the end of the entry.
std::string read_entry(zip_t* archive, zip_uint64_t index, const std::string& name) {
  zip_stat_t info;
  zip_stat_init(&info);
  if (zip_stat_index(archive, index, 0, &info) != 0 || (info.valid & ZIP_STAT_SIZE) == 0) {
    throw_npy_error(Code::data_loss, name, zip_strerror(archive));
  }
  const Entry entry(zip_fopen_index(archive, index, 0));
  if (!entry) throw_npy_error(Code::data_loss, name, zip_strerror(archive));
  std::string content;
  for (;;) {
    const std::size_t done = content.size();
    const std::size_t room = static_cast<std::size_t>(
        std::min<zip_uint64_t>(kChunk, info.size + 1 - std::min<zip_uint64_t>(info.size, done)));
    content.resize(done + room);
    const zip_int64_t got = zip_fread(entry.get(), content.data() + done, room);
    content.resize(done + static_cast<std::size_t>(std::max<zip_int64_t>(got, 0)));
    if (got < 0) throw_npy_error(Code::data_loss, name, zip_file_strerror(entry.get()));
    if (content.size() > info.size) throw_npy_error(Code::data_loss, name, "longer than it says");
    if (got == 0) return content;
  }
}

std::string entry_name(zip_t* archive, zip_uint64_t index, const std::string& name) {
  const char* text = zip_get_name(archive, index, ZIP_FL_ENC_GUESS);
  if (text == nullptr) throw_npy_error(Code::data_loss, name, zip_strerror(archive));
  std::string entry(text);
  if (entry.size() <= kSuffix.size() || !std::string_view(entry).ends_with(kSuffix)) {
    throw_npy_error(Code::data_loss, name, "it holds something else than .npy files");
  }
  entry.resize(entry.size() - kSuffix.size());
  return entry;
}

// libzip reads the bytes only when the archive is closed: they must live until then.
void add_entry(zip_t* archive, const std::string& name, const std::string& bytes) {
  zip_source_t* source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
  const zip_int64_t index =
      source == nullptr ? -1 : zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    throw_write_error(zip_strerror(archive));
  }
  const auto entry = static_cast<zip_uint64_t>(index);
  constexpr zip_uint16_t kFirstOfJanuary1980 = 0x21;
  if (zip_set_file_compression(archive, entry, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(archive, entry, 0, kFirstOfJanuary1980, 0) != 0) {
    throw_write_error(zip_strerror(archive));
  }
}

std::string content_of(zip_source_t* source) {
  zip_stat_t info;
  zip_stat_init(&info);
  if (zip_source_stat(source, &info) != 0 || zip_source_open(source) != 0) {
    throw_write_error("the archive cannot be read back");
  }
  std::string content(info.size, '\0');
  const zip_int64_t got = zip_source_read(source, content.data(), content.size());
  zip_source_close(source);
  if (got != static_cast<zip_int64_t>(content.size())) throw_write_error("the archive is cut off");
  return content;
}

void check_names(const NamedTensors& tensors) {
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    if (name.empty()) throw_write_error("a tensor without a name");
    if (!names.insert(name).second) throw_write_error("the name '" + name + "' twice");
  }
}

}  // namespace

NamedTensors parse_npz(std::string_view file, const std::string& name) {
  const Archive archive = open_archive(file, name);
  NamedTensors tensors;
  std::set<std::string> names;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const std::string entry = entry_name(archive.get(), index, name);
    if (!names.insert(entry).second) throw_npy_error(Code::data_loss, name, "a name twice");
    const std::string label = name + "(" + entry + ")";
    tensors.emplace_back(entry, parse_npy(read_entry(archive.get(), index, label), label));
  }
  return tensors;
}

std::string format_npz(const NamedTensors& tensors) {
  // libzip does not write an archive without entries: the end record alone is one.
  if (tensors.empty()) return "PK\5\6" + std::string(18, '\0');
  check_names(tensors);
  Source source(zip_source_buffer_create(nullptr, 0, 0, nullptr));
  if (!source) throw_write_error("out of memory");
  zip_source_keep(source.get());  // closing the archive gives up one of two references
  Archive archive(zip_open_from_source(source.get(), ZIP_TRUNCATE, nullptr));
  if (!archive) throw_write_error("cannot begin an archive");
  std::vector<std::string> files;
  files.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    files.push_back(format_npy(tensor));
    add_entry(archive.get(), name + std::string(kSuffix), files.back());
  }
  if (zip_close(archive.get()) != 0) throw_write_error(zip_strerror(archive.get()));
  static_cast<void>(archive.release());
  return content_of(source.get());
}

}  // namespace io

inline namespace v0 {

NamedTensors load_npz(const std::string& path) {
  return io::parse_npz(io::read_file(path), path);
}

void save_npz(const std::string& path, const NamedTensors& tensors) {
  io::write_file(path, io::format_npz(tensors));
}

}  // namespace v0
}  // namespace weir
