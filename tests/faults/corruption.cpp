// Damaged files: loading says so, or the values are right all the same (unused bytes).
#include <weir/error.h>

#include <cstdio>
#include <fstream>

#include "faults.h"
#include "io/bundle/bundle.h"
#include "io/bundle/layout.h"
#include "io/file/file.h"
#include "platform/test_directory.h"

namespace weir::faults {
namespace {

constexpr int kNumber = 7;

// In place, as a failing disk would.
void overwrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// True if the damage was noticed.
bool check_load(const std::string& prefix, const std::string& what) {
  try {
    expect(State::load(prefix) == kNumber, what + ": wrong values were loaded");
    return false;
  } catch (const Error& error) {
    const std::string message = error.what();
    expect(error.code() == Code::data_loss || error.code() == Code::unimplemented,
           what + ": another error: " + message);
    expect(message.find(prefix) != std::string::npos, what + ": the file is not named: " + message);
    return true;
  }
}

// Damages a file of the checkpoint, loads, and mends it.
bool try_bytes(const std::string& prefix,
               const std::string& file,
               const std::string& bytes,
               const std::string& what) {
  const std::string good = io::read_file(file);
  overwrite(file, bytes);
  const bool noticed = check_load(prefix, what);
  overwrite(file, good);
  return noticed;
}

int flip_bits(const std::string& prefix,
              const std::string& file,
              int rounds,
              std::mt19937_64& random) {
  const std::string good = io::read_file(file);
  int noticed = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = good;
    const std::size_t bit = random() % (8 * bytes.size());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    noticed += try_bytes(prefix, file, bytes, "bit " + std::to_string(bit) + " of " + file);
  }
  return noticed;
}

void cut_off(const std::string& prefix, const std::string& file, int rounds) {
  const std::string good = io::read_file(file);
  for (int i = 0; i < rounds; ++i) {
    const std::size_t size = good.size() * std::size_t(i) / std::size_t(rounds);
    expect(try_bytes(prefix, file, good.substr(0, size), "cut off"),
           file + ": a cut is not noticed");
    const std::string zeros(good.size() - size, '\0');
    if (size + 8 < good.size())
      try_bytes(prefix, file, good.substr(0, size) + zeros, "zeros at the end");
  }
}

void swap_shards(const std::string& prefix) {
  io::bundle::Writer writer(prefix, {.shard_bytes = 1});
  writer.add("a", Tensor::full({100}, 1.f));
  writer.add("b", Tensor::full({100}, 2.f));
  writer.commit();
  const std::string a = io::bundle::shard_path(prefix, 0, 2),
                    b = io::bundle::shard_path(prefix, 1, 2);
  const std::string bytes = io::read_file(a);
  overwrite(a, io::read_file(b));
  overwrite(b, bytes);
  try {
    io::bundle::Reader(prefix).read("a");
    expect(false, "swapped shards are not noticed");
  } catch (const Error& error) {
    expect(error.code() == Code::data_loss, error.what());
  }
}

}  // namespace

int corruption(const Options& options) {
  const platform::TestDirectory directory;
  std::mt19937_64 random(options.seed);
  const std::string prefix = directory / "ck";
  const State state;
  state.set(kNumber);
  state.checkpoint().write(prefix);
  const std::string data = io::bundle::shard_path(prefix, 0, 1),
                    index = io::bundle::index_path(prefix);
  int noticed = flip_bits(prefix, data, options.rounds / 2, random);
  noticed += flip_bits(prefix, index, options.rounds / 2, random);
  cut_off(prefix, data, options.rounds / 10);
  cut_off(prefix, index, options.rounds / 10);
  swap_shards(directory / "shards");
  std::printf(
      "corruption: %d bits, %d noticed, the others in unused bytes\n", options.rounds, noticed);
  return failures();
}

}  // namespace weir::faults
