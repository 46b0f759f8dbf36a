// Runs a fuzz target without libFuzzer: on the empty input, on each seed file named on the command
// line, on its prefixes, and on the seed with one byte changed. The target itself does the
// checking.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

// Positions tried per seed: all of a small one, evenly spread ones of a large one.
constexpr std::size_t kMaxPositions = 2000;

bool read_file(const char* path, Bytes* bytes) {
  std::ifstream file(path, std::ios::binary);
  bytes->assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return file.good() || file.eof();
}

void try_variations(Bytes bytes) {
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  const std::size_t step = bytes.size() / kMaxPositions + 1;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    LLVMFuzzerTestOneInput(prefix.data(), prefix.size());
    const std::uint8_t original = bytes[at];
    for (const int value : {0x00, 0x7f, 0x80, 0xff, original ^ 0x01}) {
      bytes[at] = static_cast<std::uint8_t>(value);
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
    bytes[at] = original;
  }
}

}  // namespace

int main(int argc, char** argv) {
  LLVMFuzzerTestOneInput(nullptr, 0);
  for (int i = 1; i < argc; ++i) {
    Bytes bytes;
    if (!read_file(argv[i], &bytes)) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
    try_variations(bytes);
  }
  return 0;
}
