#include "tests/support/sim_cuda/operators.h"

#include <map>
#include <mutex>
#include <random>
#include <set>
#include <tuple>

#include "tests/support/sim_cuda/card.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir::sim {
namespace {

struct AllOperators {
  std::mutex mutex;
  std::set<std::tuple<int, std::string, std::string>> launched;  // since the modules were set
  int new_launches = 0;
  std::size_t least_bytes = 0, most_bytes = 0;
  std::mt19937 random{1};
  std::map<std::string, std::string> failures;  // messages by operator
};

AllOperators& All() {
  static auto* const all = new AllOperators;
  return *all;
}

}  // namespace

std::string BeginOperator(int card, const std::string& name, const std::string& shapes) {
  std::lock_guard lock(All().mutex);
  const auto failure = All().failures.find(name);
  if (failure != All().failures.end()) return failure->second;
  if (!All().launched.emplace(card, name, shapes).second) return "";
  ++All().new_launches;
  const std::size_t more = All().most_bytes - All().least_bytes;
  CardOf(card).LoadModule(All().least_bytes + (more > 0 ? All().random() % more : 0));
  return "";
}

void SetModuleBytes(std::size_t least, std::size_t most) {
  std::lock_guard lock(All().mutex);
  All().launched.clear();
  All().least_bytes = least;
  All().most_bytes = most;
  for (int card = 0; card < kCards; ++card) CardOf(card).UnloadModules();
}

int NewLaunches() {
  std::lock_guard lock(All().mutex);
  return All().new_launches;
}

void FailOperator(const std::string& name, const std::string& message) {
  std::lock_guard lock(All().mutex);
  if (message.empty()) {
    All().failures.erase(name);
  } else {
    All().failures[name] = message;
  }
}

}  // namespace weir::sim
