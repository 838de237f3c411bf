// Calls to the system that fail, at any place of a command: it ends with a message and leaves what
// is whole, or it goes on and nothing is different.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/memory/failure_trial.h"
#include "tests/support/sanitizer.h"

namespace weir {
namespace {

struct TriedCall {
  std::string command, kind;

  friend std::ostream& operator<<(std::ostream& stream, const TriedCall& call) {
    return stream << call.command << ", " << call.kind;
  }
};

// Each command with the kinds of call that it makes.
std::vector<TriedCall> TriedCalls() {
  const std::vector<std::string> looks = {"read", "open", "close"},
                                 works = {"mmap", "thread", "read", "open", "close"},
                                 draws = {"mmap",  "thread", "read",   "open",
                                          "close", "sync",   "rename", "write"},
                                 runs = {"mmap", "thread", "read",   "open",    "close",
                                         "sync", "write",  "rename", "truncate"},
                                 writes = {"mmap", "open", "close", "sync", "write", "rename"};
  std::vector<TriedCall> calls;
  for (const auto& [command, kinds] : {std::pair("run", runs),
                                       {"resume", runs},
                                       {"flow", runs},
                                       {"predict", works},
                                       {"evaluate", works},
                                       {"check", looks},
                                       {"preview", draws},
                                       {"plan", looks},
                                       {"explain", looks},
                                       {"export", writes},
                                       {"keras", writes},
                                       {"torchvision", writes},
                                       {"torchscript", writes}}) {
    for (const std::string& kind : kinds) calls.push_back({command, kind});
  }
  return calls;
}

class CallFailure : public FailureTrial, public ::testing::WithParamInterface<TriedCall> {
 protected:
  void SetUp() override {
    if (kHasSanitizer) GTEST_SKIP() << "a sanitizer has to be the first library";
  }
};

TEST_P(CallFailure, EndsInWordsOrChangesNothing) {
  const auto& [name, kind] = GetParam();
  const TriedCommand& command = FindTriedCommand(name);
  const unsigned long calls = FindWholeRun(command, /*counts_memory=*/false).requests.at(kind);
  ASSERT_GT(calls, 0U);
  TryAll(command, kind, Chosen(calls, name == "run" ? 3 : 1), /*is_forever=*/false);
  TryAll(command, kind, Chosen(calls, 1), /*is_forever=*/true);
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, CallFailure, ::testing::ValuesIn(TriedCalls()),
                         [](const auto& call) {
                           return call.param.command + "_" + call.param.kind;
                         });

}  // namespace
}  // namespace weir
