#include "pipelines/record/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

TEST(RunFolder, RefusesToWriteOverARun) {
  const ScratchFolder scratch;
  RunFolder::Create(scratch / "run").WriteConfig("name: a\n");
  EXPECT_THAT([&] { RunFolder::Create(scratch / "run"); },
              ::testing::ThrowsMessage<Error>((scratch / "run").string() + " holds a run already"));
}

TEST(RunFolder, GoesOnOnlyWhereThereIsARun) {
  const ScratchFolder scratch;
  EXPECT_THAT([&] { RunFolder::Reopen(scratch / "none"); },
              ::testing::ThrowsMessage<Error>((scratch / "none").string() +
                                              " holds no run that could go on"));
}

TEST(RunFolder, TheYoungestIsOfThatNameAndNotOfALongerOne) {
  const ScratchFolder scratch;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  const std::filesystem::path first = RunFolder::MakeDefault("ants");
  const std::filesystem::path second = RunFolder::MakeDefault("ants");
  EXPECT_NE(first, second);
  for (const auto& path : {first, second, RunFolder::MakeDefault("ants-bees")}) {
    RunFolder::Create(path).WriteConfig("name: a\n");
  }
  EXPECT_EQ(RunFolder::Youngest("ants"), second);
  std::filesystem::current_path(before);
}

TEST(RunFolder, ListsAPictureOnceHoweverOftenItIsLost) {
  const ScratchFolder scratch;
  {
    RunFolder folder = RunFolder::Create(scratch / "run");
    folder.WriteConfig("name: a\n");
    folder.Dropped("a.jpg", "decode", "is truncated");
    folder.Dropped("b\xff.jpg", "decode", "is empty");  // a name that is not UTF-8
    folder.Dropped("a.jpg", "decode", "is truncated");
    EXPECT_EQ(folder.dropped(), 2u);
  }
  RunFolder again = RunFolder::Reopen(scratch / "run");
  again.Dropped("a.jpg", "decode", "is truncated");
  EXPECT_EQ(again.dropped(), 2u);
  EXPECT_EQ(FileText(scratch / "run/dropped.jsonl"),
            "{\"path\":\"a.jpg\",\"reason\":\"is truncated\",\"stage\":\"decode\"}\n"
            "{\"path\":\"b\xEF\xBF\xBD.jpg\",\"reason\":\"is empty\",\"stage\":\"decode\"}\n");
}

TEST(RunFolder, ALineThatAFullDiskToreTakesNoLaterOneWithIt) {
  const ScratchFolder scratch;
  RunFolder::Create(scratch / "run").WriteConfig("name: a\n");
  std::ofstream(scratch / "run/dropped.jsonl", std::ios::app) << "{\"path\":\"a.j";
  RunFolder again = RunFolder::Reopen(scratch / "run");
  again.Dropped("b.jpg", "decode", "is empty");
  EXPECT_EQ(FileText(scratch / "run/dropped.jsonl"),
            "{\"path\":\"b.jpg\",\"reason\":\"is empty\",\"stage\":\"decode\"}\n");
}

TEST(RunFolder, ForgetsTheMetricsThatAResumedRunWritesAgainAndATornLine) {
  const ScratchFolder scratch;
  RunFolder folder = RunFolder::Create(scratch / "run");
  for (int epoch : {1, 2, 3}) folder.AddMetrics({{"epoch", epoch}});
  std::ofstream(scratch / "run/metrics.jsonl", std::ios::app) << "{\"epoch\":";
  folder.ForgetMetricsFrom(3);
  EXPECT_EQ(FileText(scratch / "run/metrics.jsonl"), "{\"epoch\":1}\n{\"epoch\":2}\n");
  ASSERT_EQ(folder.notes().size(), 1u);
  EXPECT_EQ(scratch.Shortened(folder.notes()[0]),
            "$/run/metrics.jsonl: 1 damaged line was left out, line 4");
}

TEST(RunFolder, CountsFrom1WhatAnEarlierVersionCountedFrom0) {
  const ScratchFolder scratch;
  RunFolder folder = RunFolder::Create(scratch / "run");
  for (int epoch : {0, 1, 2}) folder.AddMetrics({{"epoch", epoch}});
  folder.ForgetMetricsFrom(3);
  EXPECT_EQ(FileText(scratch / "run/metrics.jsonl"), "{\"epoch\":1}\n{\"epoch\":2}\n");
  folder.ForgetMetricsFrom(3);
  EXPECT_EQ(FileText(scratch / "run/metrics.jsonl"), "{\"epoch\":1}\n{\"epoch\":2}\n");
  EXPECT_TRUE(folder.notes().empty());
}

TEST(RunFolder, LinesOfWrongTypesDoNotKeepARunFromGoingOn) {
  const ScratchFolder scratch;
  RunFolder::Create(scratch / "run").WriteConfig("name: a\n");
  scratch.Write("run/dropped.jsonl",
                "{\"path\":7}\n{\"path\":\"a.jpg\"}\n{\"stage\":\"decode\"}\n{\"path\":null}\n");
  scratch.Write("run/metrics.jsonl",
                "{\"epoch\":\"1\"}\n{\"epoch\":-1}\n{\"epoch\":1,\"loss\":\"x\"}\n"
                "{\"epoch\":1e300}\n{\"epoch\":1,\"split\":[]}\n{\"epoch\":1,\"loss\":1}\n");
  RunFolder again = RunFolder::Reopen(scratch / "run");
  again.ForgetMetricsFrom(2);
  EXPECT_EQ(again.dropped(), 1u);
  EXPECT_EQ(FileText(scratch / "run/metrics.jsonl"), "{\"epoch\":1,\"loss\":1}\n");
  ASSERT_EQ(again.notes().size(), 2u);
  EXPECT_EQ(scratch.Shortened(again.notes()[0]),
            "$/run/dropped.jsonl: 3 damaged lines were left out, from line 1 on");
  EXPECT_EQ(scratch.Shortened(again.notes()[1]),
            "$/run/metrics.jsonl: 5 damaged lines were left out, from line 1 on");
}

TEST(RunFolder, IsHadByOneRunAtATime) {
  const ScratchFolder scratch;
  {
    const RunFolder folder = RunFolder::Create(scratch / "run");
    folder.WriteConfig("name: a\n");
    for (const bool is_new : {true, false}) {
      EXPECT_THAT(
          [&] { is_new ? RunFolder::Create(scratch / "run") : RunFolder::Reopen(scratch / "run"); },
          ::testing::ThrowsMessage<Error>(::testing::StartsWith(
              (scratch / "run").string() + " is in use by another run: process ")));
    }
  }
  RunFolder::Reopen(scratch / "run");
}

TEST(RunFolder, ReopenedItSweepsWhatAKillLeftHalfWritten) {
  const ScratchFolder scratch;
  RunFolder::Create(scratch / "run").WriteConfig("name: a\n");
  const auto half = scratch.Write("run/checkpoint/.latest.safetensors.123.partial", "half");
  const auto kept = scratch.Write("run/checkpoint/latest.safetensors", "whole");
  RunFolder::Reopen(scratch / "run");
  EXPECT_FALSE(std::filesystem::exists(half));
  EXPECT_TRUE(std::filesystem::exists(kept));
}

}  // namespace
}  // namespace weir
