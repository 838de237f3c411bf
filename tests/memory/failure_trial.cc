#include "tests/memory/failure_trial.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <stdexcept>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/training_job.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr Excuse kExcuses[] = {
    {SIGSEGV, "libdnnl.so", "oneDNN 3.2 copies descriptions into memory that it did not get"},
    {SIGSEGV, "libtorch_cpu.so", "the oneDNN inside it does the same"},
    {SIGSEGV, "libc10.so",
     "LibTorch's cpuinfo looks into its list of processors where it could not open /proc/cpuinfo"},
    {SIGSEGV, "liborc-0.4.so", "it fills its tables of rules without a look; libvips starts it"},
    {SIGABRT, "libglib-2.0.so",
     "g_slice_alloc aborts by its contract, and asks no handler of ours"},
    {SIGSEGV, "libglib-2.0.so", "g_log needs memory to say that there is none, and calls itself"},
};

const Excuse* ExcuseFor(const FailedRun& run) {
  for (const Excuse& excuse : kExcuses) {
    if (run.outcome.status == 128 + excuse.signal &&
        Place(run.signal_stack).starts_with(excuse.frame)) {
      return &excuse;
    }
  }
  return nullptr;
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

}  // namespace

FailureTrial::Job::Job() {
  for (const char* name : {"tree", "sailboat"}) {
    fs::create_directories(scratch / "pictures");
    fs::copy(DrawnPictures<6>() / name, scratch / "pictures" / name);
  }
  scratch.Write("job.yaml",
                TrainingYaml({.settings = "threads: 1\nmemory: {host: 1GiB}",
                              .source = "directory: {path: pictures, validation_split: 0.17}",
                              .picture_stages = {"augment: {size: [32, 32], zoom: 0.1}"},
                              .batch = "batch: {size: 4}",
                              .convention = "torchvision",
                              .frozen = "{through: block_14}",
                              .training = "{epochs: 1, checkpoint_interval: 0s}"}));
  const ProcessOutcome outcome = Weir(Arguments("whole"));
  if (outcome.status != 0) throw std::runtime_error(outcome.err);
  model = Model("whole");
  files = FilesBelow(scratch / "whole");
}

const FailureTrial::Job& FailureTrial::TheJob() {
  static const Job job;
  return job;
}

unsigned long FailureTrial::CountRequests(const Failing& failing) const {
  const FailedRun run = RunFailing(TheJob().Arguments("counted"), failing);
  EXPECT_EQ(run.outcome.status, 0) << run.outcome.err;
  EXPECT_EQ(TheJob().Model("counted"), TheJob().model);
  fs::remove_all(TheJob().scratch / "counted");
  return run.requests;
}

std::vector<std::string> FailureTrial::Job::Arguments(const std::string& out) const {
  return {"run", (scratch / "job.yaml").string(), "--out", (scratch / out).string()};
}

std::string FailureTrial::Job::Model(const std::string& out) const {
  return FileText(scratch / out / "model/model.safetensors");
}

// What is wrong with how a run ended and with what it left in `out`; empty where nothing is.
std::string FailureTrial::Offence(const FailedRun& run, const std::string& out) const {
  const std::string ended = OffenceOfTheEnd(run, out);
  return ended.empty() ? OffenceOfWhatIsLeft(run.outcome.status, out) : ended;
}

std::string FailureTrial::OffenceOfTheEnd(const FailedRun& run, const std::string& out) const {
  const int status = run.outcome.status;
  if (ExcuseFor(run)) return "";
  if (status > 4) return "ended with status " + std::to_string(status);
  // Behind what a library says by itself. A problem of the configuration is one line, which says
  // where.
  static const std::regex kMessage("weir: [^\n]+\n  [^\n]+\n"), kProblem("weir: [^\n]+\n");
  const std::string& text = run.outcome.err;
  const std::size_t begin = text.starts_with("weir: ") ? 0 : text.find("\nweir: ") + 1;
  if (status != 0 && !std::regex_match(text.substr(begin), status == 2 ? kProblem : kMessage)) {
    return "no line that says what went wrong and one that says what to do";
  }
  for (const std::string& file : FilesBelow(TheJob().scratch / out)) {
    if (!TheJob().files.contains(file))
      return "left what a whole run does not leave, " + WithoutNumbers(file);
  }
  return "";
}

// Whole or absent, and where a picture was not lost over it, the same as ever.
std::string FailureTrial::OffenceOfWhatIsLeft(int status, const std::string& out) const {
  const std::string model = TheJob().Model(out);
  if (model.empty() && status == 0) return "left no model";
  if (!FileText(TheJob().scratch / out / "dropped.jsonl").empty()) return "";
  if (!model.empty() && model != TheJob().model) return "left another model";
  if (!fs::exists(TheJob().scratch / out / "checkpoint/latest.safetensors")) return "";
  const ProcessOutcome resumed = Weir(Joined(TheJob().Arguments(out), {"--resume"}));
  if (resumed.status != 0) return "left what does not go on: " + resumed.err;
  return TheJob().Model(out) == TheJob().model ? "" : "left what goes on to another model";
}

std::vector<unsigned long> FailureTrial::Chosen(unsigned long requests, int count) {
  std::vector<unsigned long> chosen;
  if (const char* stride = std::getenv("WEIR_FAIL_STRIDE")) {
    const unsigned long step = std::max(1UL, std::strtoul(stride, nullptr, 10));
    for (unsigned long at = 1; at <= requests; at += step) chosen.push_back(at);
    return chosen;
  }
  for (int i = 0; i < count; ++i) {
    const double part = (i + 1.0) / (count + 1.0);
    chosen.push_back(std::lround(std::pow(static_cast<double>(requests), part)));
  }
  return chosen;
}

void FailureTrial::TryAll(const std::string& kind, const std::vector<unsigned long>& chosen,
                          bool is_forever) const {
  struct Cluster {
    int count = 0;
    std::string first;
  };
  std::map<std::string, Cluster> clusters;  // by what is wrong and where
  std::map<std::string_view, int> excused;  // by the reason
  std::map<int, int> statuses;
  for (const unsigned long at : chosen) {
    const std::string out = "at" + std::to_string(at);
    const FailedRun run =
        RunFailing(TheJob().Arguments(out), {.call = kind, .at = at, .is_forever = is_forever});
    ++statuses[run.outcome.status];
    const std::string offence = Offence(run, out);
    if (const Excuse* excuse = ExcuseFor(run)) ++excused[excuse->why];
    std::error_code ignored;
    fs::remove_all(TheJob().scratch / out, ignored);
    if (offence.empty()) continue;
    const std::string place = run.signal_stack.empty() ? "" : " in " + Place(run.signal_stack);
    Cluster& cluster = clusters[offence + place];
    if (cluster.count++ > 0) continue;
    cluster.first = kind + ", WEIR_FAIL_AT=" + std::to_string(at) + ", status " +
                    std::to_string(run.outcome.status) + ": " + run.outcome.err + "\n" +
                    run.request_stack + run.signal_stack;
  }
  std::printf("%s%s:", kind.empty() ? "malloc" : kind.c_str(),
              is_forever ? ", all from one on" : "");
  for (const auto& [status, count] : statuses) std::printf(" status %d %d times", status, count);
  std::printf("\n");
  for (const auto& [why, count] : excused) {
    std::printf("%d times ended by a signal: %s\n", count, why.data());
  }
  for (const auto& [what, cluster] : clusters) {
    ADD_FAILURE() << cluster.count << " times " << what << ", first with " << cluster.first;
  }
}

}  // namespace weir
