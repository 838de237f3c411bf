// Trials of a small run in which something fails: however it ends, it ends with a status in words,
// and what it leaves is whole. The fixture that the tests of one kind of failure share.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/memory/failed_run.h"
#include "tests/support/scratch_folder.h"

namespace weir {

// A library that ends the process where it gets no memory, and cannot be told otherwise: the
// signal, what stands innermost on its stack, and why nothing can be done about it here.
struct Excuse {
  int signal;
  std::string_view frame;
  std::string_view why;
};

class FailureTrial : public ::testing::Test {
 protected:
  // How many requests of that kind the whole run makes.
  unsigned long CountRequests(const Failing& failing) const;

  // Which of them are made to fail: every WEIR_FAIL_STRIDE-th; without it `count`, evenly on a
  // logarithmic scale, as the later ones are all alike.
  static std::vector<unsigned long> Chosen(unsigned long requests, int count);

  // Fails each of those, alone or with all after it; adds a failure for what is wrong with how a
  // run ended or with what it left. Prints how often there was which status.
  void TryAll(const std::string& kind, const std::vector<unsigned long>& chosen,
              bool is_forever) const;

 private:
  // The small job, made once: its pictures drawn, and run without a failure.
  struct Job {
    Job();
    std::vector<std::string> Arguments(const std::string& out) const;
    std::string Model(const std::string& out) const;  // the bytes of what that run left

    const ScratchFolder scratch;
    std::string model;
    std::set<std::string> files;
  };
  static const Job& TheJob();

  std::string Offence(const FailedRun& run, const std::string& out) const;
  std::string OffenceOfTheEnd(const FailedRun& run, const std::string& out) const;
  std::string OffenceOfWhatIsLeft(int status, const std::string& out) const;
};

}  // namespace weir
