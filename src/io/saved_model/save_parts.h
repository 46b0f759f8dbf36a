#pragma once

/// What both forms of a SavedModel have in common.

#include <weir/saved_model.h>

#include <algorithm>
#include <string>
#include <vector>

#include "io/proto/saved_model.pb.h"

namespace weir::io {

inline constexpr const char* kPredict = "tensorflow/serving/predict";

/// Throws weir::Error (invalid_argument).
[[noreturn]] void refuse_to_save(const std::string& what, const std::string& fix = {});

/// The names a signature gives, checked; or those of the function, made different from each other.
std::vector<std::string> names_for(const std::vector<TensorSpec>& specs,
                                   const std::vector<std::string>& given,
                                   const std::string& what);

/// Throws unless there are signatures, each of a plain name of its own.
void check_names(const std::vector<ModelSignature>& signatures);

void set_meta_info(proto::MetaGraphDef* meta);

void add_tensor_info(google::protobuf::RepeatedPtrField<proto::TensorInfoEntry>* map,
                     const std::string& key,
                     const std::string& tensor,
                     const TensorSpec& spec);

/// Files keep maps sorted, so that the same model gives the same bytes.
void sort_by_key(auto* map) {
  std::sort(
      map->begin(), map->end(), [](const auto& a, const auto& b) { return a.key() < b.key(); });
}

/// Throws for one that is too large for a message.
std::string serialise(const proto::SavedModel& model);

/// Writes saved_model.pb into a directory that is being made.
void write_model_file(const std::string& directory, const std::string& bytes);

}  // namespace weir::io
