#include "io/checkpoint/state_file.h"

#include <gtest/gtest.h>

namespace weir::io::checkpoint {
namespace {

TEST(StateFile, ReadsWhatItWrites) {
  State state;
  state.latest = "ck \"\\\n\xc3\xa9-2";
  state.all = {"ck-1", state.latest};
  state.timestamps = {1.5, 1700000000.25};
  const State read = parse_state(format_state(state), "d");
  EXPECT_EQ(read.latest, state.latest);
  EXPECT_EQ(read.all, state.all);
  EXPECT_EQ(read.timestamps, state.timestamps);
}

TEST(StateFile, ReadsWhatTensorFlowWrites) {
  const State state = parse_state(
      "model_checkpoint_path: \"ckpt-2\"\n"
      "all_model_checkpoint_paths: \"ckpt-1\"  # a comment\n"
      "all_model_checkpoint_paths: '/runs/a/ckpt-2'\n"
      "all_model_checkpoint_timestamps: 1792013525.3\n"
      "all_model_checkpoint_timestamps: 1.792e+09\n"
      "last_preserved_timestamp: 1792013525.1\n",
      "/runs/a");
  EXPECT_EQ(state.latest, "ckpt-2");
  EXPECT_EQ(state.all, (std::vector<std::string>{"ckpt-1", "ckpt-2"}));
  ASSERT_EQ(state.timestamps.size(), 2U);
  EXPECT_EQ(state.timestamps[1], 1.792e9);
}

TEST(StateFile, KeepsToItsDirectory) {
  for (const char* path : {"../x", "/etc/x", "a/../../x", "..", "sub/x", ""}) {
    const std::string text = std::string("model_checkpoint_path: \"") + path + "\"\n";
    EXPECT_EQ(parse_state(text, "d").latest, "") << path;
  }
}

TEST(StateFile, SurvivesDamage) {
  const std::string text = format_state({"a", {"b", "a"}, {1, 2}});
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const State cut = parse_state(text.substr(0, i), "d");
    EXPECT_LE(cut.all.size(), 2U);
    std::string changed = text;
    if (i < text.size()) changed[i] = '\\';
    EXPECT_LE(parse_state(changed, "d").all.size(), 2U);
  }
}

}  // namespace
}  // namespace weir::io::checkpoint
