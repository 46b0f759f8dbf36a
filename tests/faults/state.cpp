#include <weir/error.h>

#include <cstdio>

#include "faults.h"
#include "platform/file.h"
#include "platform/staging.h"

namespace weir::faults {
namespace {

constexpr std::int64_t kSizes[] = {1, 300, 5000, 3};
int failure_count = 0;

Tensor filled(std::int64_t size, int number) {
  return Tensor::full({size}, float(number));
}

std::vector<Variable> make_variables() {
  std::vector<Variable> variables;
  for (const std::int64_t size : kSizes)
    variables.emplace_back(filled(size, 0), "v");
  return variables;
}

}  // namespace

bool expect(bool ok, const std::string& what) {
  if (!ok) {
    ++failure_count;
    std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  }
  return ok;
}

int failures() {
  return failure_count;
}

State::State()
    : variables_(make_variables()),
      checkpoint_({{"list", std::vector<Trackable>(variables_.begin(), variables_.end())}}) {}

void State::set(int number) const {
  for (std::size_t i = 0; i < variables_.size(); ++i)
    variables_[i].assign(filled(kSizes[i], number));
}

int State::number() const {
  const float first = variables_[0].value().item<float>();
  for (const Variable& v : variables_) {
    const Tensor value = v.value();
    for (const float x : value.data<float>()) {
      if (x != first) return -1;
    }
  }
  return int(first);
}

int State::load(const std::string& path) {
  const State state;
  state.checkpoint().read(path).assert_consumed();
  return state.number();
}

int leftovers(const std::string& directory) {
  std::vector<std::string> names;
  int count = 0;
  if (!platform::list_directory(directory, &names).ok()) return 0;
  for (const std::string& name : names)
    count += platform::is_staging_name(name);
  return count;
}

}  // namespace weir::faults
