// Trials of a command in which something fails: however it ends, it ends with a status in words,
// and what it leaves is whole. The fixture that the tests of one kind of failure share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/memory/tried_command.h"

namespace weir {

class FailureTrial : public ::testing::Test {
 protected:
  // Which of so many requests are made to fail: every WEIR_FAIL_STRIDE-th; without it `count`,
  // evenly on a logarithmic scale, as the later ones are all alike.
  static std::vector<unsigned long> Chosen(unsigned long requests, int count);

  // Fails each of those, alone or with all after it; adds a failure for what is wrong with how the
  // command ended or with what it left. Prints how often there was which status.
  static void TryAll(const TriedCommand& command, const std::string& kind,
                     const std::vector<unsigned long>& chosen, bool is_forever);
};

}  // namespace weir
