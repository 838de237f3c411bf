#include "pipelines/job/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <system_error>

#include "pipelines/report/plan_text.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A flow over one file, which is no picture.
class RunReportTest : public ::testing::Test {
 protected:
  RunReportTest() {
    scratch_.Write("a.jpg", "no picture");
    const fs::path job = scratch_.Write("job.yaml",
                                        "threads: 1\nmemory: {host: 1GiB}\npipeline:\n"
                                        "  - list: {paths: [a.jpg]}\n  - decode\n"
                                        "  - contact_sheet: {path: sheet.png}\n");
    session_.emplace(LoadRecipe(stages_, job, {}), SessionOptions{});
    session_->Open();
  }

  nlohmann::json Plan() { return ToJson(session_->plan(), session_->device()); }
  RunReport Begin() { return {RunFolder::Create(out_), "name: job\n", Plan(), *session_, {}}; }

  // How a run ends whose work throws that, as memory.json says it.
  template <class Thrown>
  std::string StateAfter(const Thrown& thrown) {
    fs::remove_all(out_);
    RunReport report = Begin();
    EXPECT_EQ(MemoryLog::Read(out_ / "memory.json").state, "running");
    EXPECT_THROW(report.Record([&] { throw Thrown(thrown); }), Thrown);
    return MemoryLog::Read(out_ / "memory.json").state;
  }

  const ScratchFolder scratch_;
  const fs::path out_ = scratch_ / "out";
  StageTable stages_;
  std::optional<Session> session_;
};

TEST_F(RunReportTest, NotesEachWayInWhichARunEnds) {
  EXPECT_EQ(StateAfter(Error(ErrorKind::kInterrupted, "interrupted after 3 samples")),
            "interrupted");
  EXPECT_EQ(StateAfter(Error(ErrorKind::kData, "there is no room")), "failed: there is no room");
  EXPECT_EQ(StateAfter(std::bad_alloc()), "failed: the system has no more memory");
  EXPECT_EQ(StateAfter(
                std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again))),
            "failed: a thread cannot be made: Resource temporarily unavailable");
  EXPECT_EQ(StateAfter(std::runtime_error("the lens broke")), "failed: the lens broke");
  EXPECT_EQ(StateAfter(42), "failed: what was thrown is no exception");
  const fs::filesystem_error gone("cannot list", "photos",
                                  std::make_error_code(std::errc::not_a_directory));
  EXPECT_EQ(StateAfter(gone), std::string("failed: ") + gone.what());
}

TEST_F(RunReportTest, NotesThatARunIsDone) {
  RunReport report = Begin();
  report.Record([] {});
  EXPECT_EQ(MemoryLog::Read(out_ / "memory.json").state, "done");
}

TEST_F(RunReportTest, WritesWhatEveryRunLeaves) {
  RunReport report = Begin();
  EXPECT_EQ(FileText(out_ / "config.yaml"), "name: job\n");
  EXPECT_THAT(FileText(out_ / "plan.json"), HasSubstr("\"smallest_bytes\""));
  report.Record([&] {
    report.RunPass({.split = Split::kTrain},
                   {.title = "samples", .state = [] { return ProgressState{.done = 1}; }});
    report.WriteSummary({{"images", 1}});
  });
  EXPECT_THAT(FileText(out_ / "dropped.jsonl"), HasSubstr("a.jpg\",\"reason\":\""));
  const auto summary = nlohmann::json::parse(FileText(out_ / "summary.json"));
  EXPECT_EQ(summary["images"], 1);
  EXPECT_EQ(summary["dropped"], 1);
  for (const char* key :
       {"peak_budget_bytes", "peak_rss_anon_bytes", "planned_bytes", "share_of_time", "left_out"}) {
    EXPECT_TRUE(summary.contains(key)) << key;
  }
}

// There is no report of a run whose folder cannot be written.
TEST_F(RunReportTest, IsThereWholeOrNotAtAll) {
  RunFolder folder = RunFolder::Create(out_);
  fs::create_directories(out_ / "plan.json" / "in its place");
  const std::string error =
      CaughtError([&] { RunReport(std::move(folder), "name: job\n", Plan(), *session_, {}); });
  EXPECT_THAT(error, StartsWith((out_ / "plan.json").string()));
  EXPECT_FALSE(fs::exists(out_ / "memory.json"));
}

}  // namespace
}  // namespace weir
