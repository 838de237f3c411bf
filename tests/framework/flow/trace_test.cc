#include "framework/flow/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "framework/flow/parallel.h"
#include "framework/flow/stopwatch.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class TraceTest : public ::testing::Test {
 protected:
  // The events of a kind: "X", a span; "C", a counter; "i", a mark; "M", a name.
  std::vector<json> Events(const std::string& phase) const {
    std::vector<json> found;
    for (const json& event : json::parse(FileText(path_))) {
      if (event["ph"] == phase) found.push_back(event);
    }
    return found;
  }

  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "trace.json";
};

TEST_F(TraceTest, HasSpansCountersAndMarks) {
  {
    Trace trace(path_);
    trace.Mark("epoch 1 \"train\"\n");
    const auto now = Trace::Clock::now();
    trace.Span("decode", now, now + std::chrono::microseconds(1500), 7);
    trace.Counter("held", 70);
    EXPECT_EQ(trace.Close(), "");
    trace.Mark("too late");
  }
  const auto spans = Events("X");
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0]["name"], "decode");
  EXPECT_EQ(spans[0]["dur"], 1500);
  EXPECT_GE(spans[0]["ts"], 0);
  EXPECT_EQ(spans[0]["args"]["item"], 7);
  EXPECT_EQ(Events("C").at(0)["args"], (json{{"bytes", 70}}));
  EXPECT_EQ(Events("i").at(0)["name"], "epoch 1 \"train\"\n");
}

TEST_F(TraceTest, IsReadableAsFarAsItGoes) {
  Trace trace(path_);
  const auto now = Trace::Clock::now();
  for (int i = 0; i < 5000; ++i) trace.Span("decode", now, now, i);
  const std::string text = FileText(path_);  // what a run that is killed now leaves
  const std::string whole_lines = text.substr(0, text.rfind(",\n")) + "]";
  EXPECT_GT(json::parse(whole_lines).size(), 1000u);
}

TEST_F(TraceTest, EndsEarlyWhereTheDiskIsFull) {
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit less { 100 << 10, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &less), 0);
  Trace trace(path_);
  const auto now = Trace::Clock::now();
  for (int i = 0; i < 5000; ++i) trace.Span("decode", now, now, i);
  // A short one is in the buffer until the end.
  const struct rlimit none { 16, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  Trace short_trace(folder_ / "short.json");
  short_trace.Mark("epoch 1 train");
  const std::string problem = trace.Close(), short_problem = short_trace.Close();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(problem, path_.string() + ": the trace ends early: File too large");
  EXPECT_EQ(short_problem,
            (folder_ / "short.json").string() + ": the trace ends early: File too large");
}

TEST_F(TraceTest, RefusesAFileThatCannotBeMade) {
  EXPECT_THAT(CaughtError([&] { Trace(folder_ / "none/trace.json"); }),
              HasSubstr("none/trace.json: cannot be written: the folder "));
}

TEST_F(TraceTest, HasTheWorkOfALoopOnEveryThread) {
  StageStats stats;
  std::atomic<int> here{0};
  {
    Trace trace(path_);
    const Stopwatch stopwatch(stats, "features", &trace, 3);
    // Each turn waits until two threads are in the loop.
    ParallelFor(2, [&](int) {
      ++here;
      while (here < 2) std::this_thread::yield();
    });
  }
  std::set<int> threads;
  for (const json& span : Events("X")) {
    EXPECT_EQ(span["name"], "features");
    EXPECT_EQ(span["args"]["item"], 3);
    threads.insert(span["tid"].get<int>());
  }
  EXPECT_EQ(threads.size(), 2u);
  EXPECT_EQ(stats.figures().items, 1u);
  EXPECT_GT(stats.figures().busy_seconds, 0);
  EXPECT_EQ(Stopwatch::InThread(), nullptr);
}

}  // namespace
}  // namespace weir
