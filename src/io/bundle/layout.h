#pragma once

#include <string>
#include <string_view>

#include "io/bundle/bundle.h"
#include "io/proto/checkpoint.pb.h"

namespace weir::io::bundle {

inline constexpr int kMaxShards = 99999;  // five digits in the file's name

std::string index_path(const std::string& prefix);
std::string shard_path(const std::string& prefix, int shard, int shards);

/// Number of shards that a file's name tells ("of-00002"), 0 for other names. `base` is the last
/// component of the prefix.
int shards_of(std::string_view file, std::string_view base);

/// The key under which a part of a tensor is stored.
std::string part_key(std::string_view name, const proto::TensorSliceProto& slice);

/// Elements of a shape and bytes of them; false if the product leaves 63 bits.
bool checked_size(const std::vector<std::int64_t>& dims,
                  std::int64_t item,
                  std::int64_t* count,
                  std::int64_t* bytes);

/// Copies what two boxes of one tensor have in common; both are dense and row-major. Returns the
/// number of elements.
std::int64_t copy_common(
    const Part& from_box, const char* from, const Part& to_box, char* to, std::int64_t item);

bool overlap(const Part& a, const Part& b);

}  // namespace weir::io::bundle
