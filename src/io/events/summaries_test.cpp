#include "io/events/summaries.h"

#include <gtest/gtest.h>

namespace weir::io {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// The bytes that an independent implementation writes, which real TensorBoards show; that one marks
// the data class, which TensorFlow leaves out.
TEST(Summaries, ScalarEvent_HasTheBytesOfTheFormat) {
  proto::Event event;
  event.set_wall_time(2);
  event.set_step(7);
  *event.mutable_summary()->add_value() = scalar_summary("loss", 0.5F);
  event.mutable_summary()->mutable_value(0)->mutable_metadata()->set_data_class(1);
  EXPECT_EQ(event.SerializeAsString(),
            from_hex("09000000000000004010072a230a210a046c6f7373420a08011200"
                     "2a040000003f4a0d0a090a077363616c6172732001"));
}

TEST(Summaries, Histogram_IsRowsOfLeftRightCount) {
  const std::vector<Bucket> buckets = {{0, 1, 4}, {1, 2, 5}};
  const auto value = histogram_summary("w", buckets);
  EXPECT_EQ(value.metadata().plugin_data().plugin_name(), "histograms");
  const auto& tensor = value.tensor();
  EXPECT_EQ(tensor.dtype(), proto::DT_DOUBLE);
  EXPECT_EQ(tensor.tensor_shape().dim(0).size(), 2);
  EXPECT_EQ(tensor.tensor_shape().dim(1).size(), 3);
  const std::vector<double> numbers(tensor.double_val().begin(), tensor.double_val().end());
  EXPECT_EQ(numbers, (std::vector<double>{0, 1, 4, 1, 2, 5}));
}

TEST(Summaries, Image_StartsWithWidthAndHeight) {
  const std::vector<std::string> pngs = {"png1", "png2"};
  const auto value = image_summary("digits", 8, 9, pngs);
  EXPECT_EQ(value.tensor().tensor_shape().dim(0).size(), 4);
  EXPECT_EQ(value.tensor().string_val(0), "9");
  EXPECT_EQ(value.tensor().string_val(1), "8");
  EXPECT_EQ(value.tensor().string_val(3), "png2");
}

TEST(Summaries, StepStats_GroupByDevice_AndShowEvenTheFastest) {
  const std::vector<NodeStats> nodes = {{"a", "/device:CPU:0", 1500, 100, 64, {Shape{2, 3}}},
                                        {"b", "/device:GPU:0", 2000, 2600, 0, {}},
                                        {"c", "/device:CPU:0", 9000, 1000, 8, {Shape{}}}};
  const auto stats = step_stats(nodes);
  ASSERT_EQ(stats.dev_stats_size(), 2);
  ASSERT_EQ(stats.dev_stats(0).node_stats_size(), 2);
  const auto& a = stats.dev_stats(0).node_stats(0);
  EXPECT_EQ(a.all_start_micros(), 1);
  EXPECT_EQ(a.all_end_rel_micros(), 1) << "0 would hide the node";
  EXPECT_EQ(a.all_end_rel_nanos(), 100);
  EXPECT_EQ(a.memory(0).total_bytes(), 64);
  EXPECT_EQ(a.output(0).tensor_description().shape().dim(1).size(), 3);
  EXPECT_EQ(stats.dev_stats(1).node_stats(0).all_end_rel_micros(), 3);
}

TEST(Summaries, Graph_IsABlobOfTheUnoptimisedGraph) {
  proto::GraphDef graph;
  graph.add_node()->set_name("x");
  const auto value = graph_summary("traced", graph.SerializeAsString(), {});
  EXPECT_EQ(value.metadata().plugin_data().content(), "1");
  ASSERT_EQ(value.tensor().tensor_shape().dim_size(), 1);
  proto::RunMetadata metadata;
  ASSERT_TRUE(metadata.ParseFromString(value.tensor().string_val(0)));
  EXPECT_EQ(metadata.function_graphs(0).pre_optimization_graph().node(0).name(), "x");
}

TEST(Summaries, HParams_KeepTheirKinds) {
  const std::vector<std::pair<std::string, HParam>> values = {
      {"lr", 0.5}, {"shuffle", true}, {"optimizer", std::string("adam")}};
  const auto value = hparams_summary(values, 12);
  EXPECT_EQ(value.tag(), "_hparams_/session_start_info");
  proto::HParamsPluginData data;
  ASSERT_TRUE(data.ParseFromString(value.metadata().plugin_data().content()));
  const auto& info = data.session_start_info();
  ASSERT_EQ(info.hparams_size(), 3);
  EXPECT_EQ(info.hparams(0).value().number_value(), 0.5);
  EXPECT_TRUE(info.hparams(1).value().bool_value());
  EXPECT_EQ(info.hparams(2).value().string_value(), "adam");
}

TEST(Summaries, Graph_ThatIsNone_GivesNoTensor) {
  EXPECT_FALSE(graph_summary("t", "not a graph", {}).has_tensor());
}

}  // namespace
}  // namespace weir::io
