#include "tests/memory/failure_offence.h"

#include <map>
#include <regex>

#include "tests/memory/excuse.h"
#include "tests/memory/whole_file.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

constexpr const char* kCheckpoint = "checkpoint/latest.safetensors";

// "N" for each number, so that the same name with another process' number is the same.
std::string WithoutNumbers(const std::string& name) {
  return std::regex_replace(name, std::regex("[0-9]+"), "N");
}

// The process is measured, which differs by some pages, and sizes stand in columns.
std::string WithoutSizes(const std::string& text) {
  return std::regex_replace(text, std::regex(" +[0-9.]+ [KMG]iB"), " SIZE");
}

// A problem of the configuration is one line, which says where; so is the end of a `check`, which
// has told the problems and what to do about them before. Anything else is a line that says what
// went wrong and one that says what to do. A library may say something by itself before.
bool IsInWords(const TriedCommand& command, const ProcessOutcome& outcome) {
  static const std::regex kMessage("weir: [^\n]+\n  [^\n]+\n"), kProblem("weir: [^\n]+\n");
  if (outcome.status == 0) return true;
  const std::string words = outcome.err.substr(outcome.err.rfind("\nweir: ") + 1);
  const bool may_be_a_line = outcome.status == 2 || command.name == "check";
  return std::regex_match(words, kMessage) || (may_be_a_line && std::regex_match(words, kProblem));
}

// Whether nothing but a whole run's bytes, or those that were there before, may be in it.
bool IsTheSameInEveryRun(const std::string& name) {
  static const std::regex kSame(R"(.*\.(safetensors|png|tar|yaml))");
  return name != kCheckpoint && std::regex_match(name, kSame);
}

std::string Find(const Files& files, const std::string& name) {
  const auto found = files.find(name);
  return found == files.end() ? "" : found->second;
}

// What words there are for the reason why requests of a kind fail (failing_calls.cc).
std::string_view ReasonOf(const std::string& kind) {
  if (kind == "open") return "oo many open files";
  if (kind == "write" || kind == "truncate") return "o space left on device";
  if (kind == "thread") return "thread";
  return kind == "mmap" || kind == kMemoryKind ? "memory" : "nput/output error";
}

bool TellsReason(const std::string& kind, const ProcessOutcome& outcome, const Files& left) {
  const std::string told = outcome.out + outcome.err + Find(left, "dropped.jsonl");
  return told.find(ReasonOf(kind)) != std::string::npos;
}

std::string OffenceOfFiles(const Files& left, const Files& before, const WholeRun& whole,
                           bool is_less, const fs::path& out) {
  for (const auto& [name, bytes] : left) {
    if (!whole.files.contains(name)) {
      return "left what a whole run does not leave, " + WithoutNumbers(name);
    }
    const bool is_as_before = before.contains(name) && bytes == Find(before, name);
    if (is_as_before || bytes == Find(whole.files, name)) continue;
    if (!IsWholeFile(out / name)) return "left a torn " + WithoutNumbers(name);
    if (IsTheSameInEveryRun(name) && !is_less) return "left another " + WithoutNumbers(name);
  }
  return "";
}

std::string OffenceOfSuccess(const FailedRun& run, const WholeRun& whole, const Files& left,
                             bool is_less) {
  if (is_less) return "";
  for (const auto& [name, bytes] : whole.files) {
    if (!left.contains(name)) return "left no " + WithoutNumbers(name);
    if (IsTheSameInEveryRun(name) && bytes != Find(left, name)) {
      return "left " + WithoutNumbers(name) + " as it was";
    }
  }
  // A run says how long it took.
  const bool says_the_same =
      !whole.files.empty() || WithoutSizes(run.outcome.out) == WithoutSizes(whole.said);
  return says_the_same ? "" : "said something else: " + WithoutNumbers(run.outcome.out);
}

std::string OffenceOfGoingOn(const TriedCommand& command, const WholeRun& whole,
                             const fs::path& out) {
  std::vector<std::string> again = command.ArgumentsFor(out);
  again.emplace_back("--resume");
  const ProcessOutcome resumed = Weir(again);
  if (resumed.status != 0) return "left what does not go on: " + resumed.err;
  for (const auto& [name, bytes] : FilesBelow(out)) {
    if (IsTheSameInEveryRun(name) && bytes != Find(whole.files, name)) {
      return "left what goes on to another " + name;
    }
  }
  return "";
}

}  // namespace

std::string OffenceOf(const TriedCommand& command, const std::string& kind, const FailedRun& run,
                      const WholeRun& whole, const fs::path& out) {
  const int status = run.outcome.status;
  const Files left = FilesBelow(out);
  const Files before = command.before.empty() ? Files() : FilesBelow(command.before);
  const bool tells = TellsReason(kind, run.outcome, left);
  // A picture was lost over it: it is named, and there may be less of everything.
  const bool is_less = !Find(left, "dropped.jsonl").empty() ||
                       (status == 0 && run.outcome.err.find("weir: ") != std::string::npos) ||
                       (command.name == "check" && tells);
  std::string offence;
  if (!ExcuseFor(run)) {
    if (status > 4) return "ended with status " + std::to_string(status);
    if (status == 1) return "ended as a fault of weir's";
    if (!IsInWords(command, run.outcome)) {
      return "no line that says what went wrong and one that says what to do";
    }
    if ((status != 0 || is_less) && !tells) {
      const std::string& err = run.outcome.err;
      const std::string told = err.substr(err.rfind("\nweir: ") + 1) + Find(left, "dropped.jsonl");
      return "did not tell the reason: " + WithoutNumbers(told);
    }
    offence = OffenceOfFiles(left, before, whole, is_less, out);
  }
  if (offence.empty() && status == 0) offence = OffenceOfSuccess(run, whole, left, is_less);
  if (offence.empty() && command.goes_on && !is_less && left.contains(kCheckpoint)) {
    offence = OffenceOfGoingOn(command, whole, out);
  }
  return offence;
}

}  // namespace weir
