#include "pipelines/record/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using nlohmann::json;

LineUse KeepAll(const json&) { return LineUse::kKeep; }

TEST(JsonLines, LeavesOutWhatNoRunWroteAndSaysSo) {
  const ScratchFolder scratch;
  const std::string whole = "{\"epoch\": 0,  \"by\":\"hand\"}\n{\"epoch\":1}\n";
  const std::string deep = "{\"a\":" + std::string(200'000, '[') + "\n";
  const std::string huge = "{\"a\":\"" + std::string(1 << 20, 'x') + "\"}\n";
  const auto path = scratch.Write("lines", "[1]\n" + whole + std::string("\0\xff\x80\n", 4) + "\n" +
                                               deep + huge + "{\"epoch\":");
  EXPECT_EQ(scratch.Shortened(SiftLines(path, KeepAll)),
            "$/lines: 6 damaged lines were left out, from line 1 on");
  EXPECT_EQ(FileText(path), whole);
  EXPECT_EQ(SiftLines(path, KeepAll), "");
}

TEST(JsonLines, NamesTheOneLineThatIsDamaged) {
  const ScratchFolder scratch;
  const auto path = scratch.Write("lines", "{\"a\":1}\n{\"a\":\n{\"a\":2}");
  EXPECT_EQ(scratch.Shortened(SiftLines(path, KeepAll)),
            "$/lines: 1 damaged line was left out, line 2");
  EXPECT_EQ(FileText(path), "{\"a\":1}\n{\"a\":2}\n");
}

TEST(JsonLines, ForgetsWithoutAWord) {
  const ScratchFolder scratch;
  const auto path = scratch.Write("lines", "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(SiftLines(path,
                      [](const json& line) {
                        return line["a"] == 1 ? LineUse::kForget : LineUse::kKeep;
                      }),
            "");
  EXPECT_EQ(FileText(path), "{\"a\":2}\n");
}

TEST(JsonLines, MakesTheFileWhereThereIsNone) {
  const ScratchFolder scratch;
  EXPECT_EQ(SiftLines(scratch / "lines", KeepAll), "");
  EXPECT_EQ(FileText(scratch / "lines"), "");
}

TEST(JsonLines, ALineThatDoesNotFitLeavesNothingOfIt) {
  const ScratchFolder scratch;
  const auto path = scratch / "lines";
  AppendLine(path, {{"a", 1}});
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 20, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string error = scratch.Shortened(CaughtError([&] {
    AppendLine(path, {{"a", "longer than that"}});
  }));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error,
            "$/lines: cannot be written: File too large\nA file may not become that large here: "
            "raise the limit (`ulimit -f`), or copy the run to another place; then go on with "
            "--resume.");
  EXPECT_EQ(FileText(path), "{\"a\":1}\n");
}

}  // namespace
}  // namespace weir
