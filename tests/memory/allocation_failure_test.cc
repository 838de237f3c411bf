// Memory that is not there, at any request of a run: it ends with a message and leaves what is
// whole, or it goes on and nothing is different.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/memory/failed_run.h"
#include "tests/support/scratch_folder.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEIR_SANITIZER_HAS_MALLOC true
#else
#define WEIR_SANITIZER_HAS_MALLOC false
#endif

namespace weir {
namespace {

namespace fs = std::filesystem;

// Libraries that end the process where they get no memory, and cannot be told otherwise: the
// signal, what stands innermost on its stack, and why nothing can be done about it here.
struct Excuse {
  int signal;
  std::string_view frame;
  std::string_view why;
};
constexpr Excuse kExcuses[] = {
    {SIGSEGV, "libdnnl.so", "oneDNN 3.2 copies descriptions into memory that it did not get"},
    {SIGSEGV, "libtorch_cpu.so", "the oneDNN inside it does the same"},
    {SIGSEGV, "liborc-0.4.so", "it fills its tables of rules without a look; libvips starts it"},
    {SIGABRT, "libglib-2.0.so",
     "g_slice_alloc aborts by its contract, and asks no handler of ours"},
    {SIGSEGV, "libglib-2.0.so", "g_log needs memory to say that there is none, and calls itself"},
};

std::string Bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> FilesBelow(const fs::path& folder) {
  std::set<std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.insert(fs::relative(entry.path(), folder).string());
  }
  return files;
}

// "N" for each number, so that the same name with another process' number is the same.
std::string WithoutNumbers(const std::string& name) {
  return std::regex_replace(name, std::regex("[0-9]+"), "N");
}

class AllocationFailure : public ::testing::Test {
 protected:
  void SetUp() override {
    if (WEIR_SANITIZER_HAS_MALLOC) GTEST_SKIP() << "a sanitizer's malloc cannot be replaced";
    const ProcessOutcome drawn = Weir({"draw", (scratch_ / "all").string(), "--per-class", "6"});
    ASSERT_EQ(drawn.status, 0) << drawn.err;
    for (const char* name : {"tree", "sailboat"}) {
      fs::create_directories(scratch_ / "pictures");
      fs::rename(scratch_ / "all" / name, scratch_ / "pictures" / name);
    }
    scratch_.Write("job.yaml", R"(
threads: 1
memory: {host: 1GiB}
pipeline:
  - directory: {path: pictures, validation_split: 0.17}
  - decode
  - augment: {size: [32, 32], zoom: 0.1}
  - batch: {size: 4}
  - prefetch: {device: cpu}
  - features
  - train
model:
  backbone: {name: mobilenet_v2, width: 0.35, weights: none, convention: torchvision}
  frozen: {through: block_14}
  head: [global_average_pooling, dense: {units: classes, activation: softmax}]
training: {epochs: 1, checkpoint_interval: 0s}
)");
    whole_ = Run("whole", {});
    ASSERT_EQ(whole_.outcome.status, 0) << whole_.outcome.err;
    ASSERT_GT(whole_.requests, 1000U);
    model_ = Model("whole");
    files_ = FilesBelow(scratch_ / "whole");
    ASSERT_FALSE(model_.empty());
  }

  std::vector<std::string> Arguments(const std::string& out) const {
    return {"run", (scratch_ / "job.yaml").string(), "--out", (scratch_ / out).string()};
  }
  FailedRun Run(const std::string& out, const Failing& failing) const {
    return RunFailing(Arguments(out), failing);
  }
  std::string Model(const std::string& out) const {
    return Bytes(scratch_ / out / "model/model.safetensors");
  }

  // What is wrong with how a run ended and with what it left in `out`; empty where nothing is.
  std::string Offence(const FailedRun& run, const std::string& out) const {
    const std::string ended = OffenceOfTheEnd(run, out);
    return ended.empty() ? OffenceOfWhatIsLeft(run.outcome.status, out) : ended;
  }

  std::string OffenceOfTheEnd(const FailedRun& run, const std::string& out) const {
    const int status = run.outcome.status;
    if (ExcuseFor(run)) return "";
    if (status > 4) return "ended with status " + std::to_string(status);
    static const std::regex kMessage("weir: [^\n]+\n  [^\n]+\n");
    if (status != 0 && !std::regex_match(run.outcome.err, kMessage)) {
      return "no line that says what went wrong and one that says what to do";
    }
    for (const std::string& file : FilesBelow(scratch_ / out)) {
      if (!files_.contains(file))
        return "left what a whole run does not leave, " + WithoutNumbers(file);
    }
    return "";
  }

  // Whole or absent, and where a picture was not lost over it, the same as ever.
  std::string OffenceOfWhatIsLeft(int status, const std::string& out) const {
    const std::string model = Model(out);
    if (model.empty() && status == 0) return "left no model";
    if (!Bytes(scratch_ / out / "dropped.jsonl").empty()) return "";
    if (!model.empty() && model != model_) return "left another model";
    if (!fs::exists(scratch_ / out / "checkpoint/latest.safetensors")) return "";
    std::vector<std::string> again = Arguments(out);
    again.push_back("--resume");
    const ProcessOutcome resumed = Weir(again);
    if (resumed.status != 0) return "left what does not go on: " + resumed.err;
    return Model(out) == model_ ? "" : "left what goes on to another model";
  }

  static const Excuse* ExcuseFor(const FailedRun& run) {
    for (const Excuse& excuse : kExcuses) {
      if (run.outcome.status == 128 + excuse.signal &&
          Place(run.signal_stack).starts_with(excuse.frame)) {
        return &excuse;
      }
    }
    return nullptr;
  }

  // Which requests are made to fail: every WEIR_FAIL_STRIDE-th; without it a few, evenly on a
  // logarithmic scale, as the later ones are all alike.
  std::vector<unsigned long> Chosen() const {
    std::vector<unsigned long> chosen;
    if (const char* stride = std::getenv("WEIR_FAIL_STRIDE")) {
      const unsigned long step = std::max(1UL, std::strtoul(stride, nullptr, 10));
      for (unsigned long at = 1; at <= whole_.requests; at += step) chosen.push_back(at);
      return chosen;
    }
    constexpr int kCount = 14;
    for (int i = 0; i < kCount; ++i) {
      const double part = (i + 1.0) / (kCount + 1.0);
      chosen.push_back(std::lround(std::pow(static_cast<double>(whole_.requests), part)));
    }
    return chosen;
  }

  void TryAll(bool is_forever) const {
    struct Cluster {
      int count = 0;
      std::string first;
    };
    std::map<std::string, Cluster> clusters;  // by what is wrong and where
    std::map<std::string_view, int> excused;  // by the reason
    for (const unsigned long at : Chosen()) {
      const std::string out = "at" + std::to_string(at) + (is_forever ? "on" : "");
      const FailedRun run = Run(out, {.at = at, .is_forever = is_forever});
      const std::string offence = Offence(run, out);
      if (const Excuse* excuse = ExcuseFor(run)) ++excused[excuse->why];
      std::error_code ignored;
      fs::remove_all(scratch_ / out, ignored);
      if (offence.empty()) continue;
      const std::string place = run.signal_stack.empty() ? "" : " in " + Place(run.signal_stack);
      Cluster& cluster = clusters[offence + place];
      if (cluster.count++ > 0) continue;
      cluster.first = "WEIR_FAIL_AT=" + std::to_string(at) + ", status " +
                      std::to_string(run.outcome.status) + ": " + run.outcome.err + "\n" +
                      run.request_stack + run.signal_stack;
    }
    for (const auto& [why, count] : excused) {
      std::printf("%d times ended by a signal: %s\n", count, why.data());
    }
    for (const auto& [what, cluster] : clusters) {
      ADD_FAILURE() << cluster.count << " times " << what << ", first with " << cluster.first;
    }
  }

  const ScratchFolder scratch_;
  FailedRun whole_;
  std::string model_;
  std::set<std::string> files_;
};

TEST_F(AllocationFailure, OfOneRequestEndsTheRunInWordsOrChangesNothing) { TryAll(false); }

TEST_F(AllocationFailure, OfAllFromOneOnEndsTheRunInWords) { TryAll(true); }

}  // namespace
}  // namespace weir
