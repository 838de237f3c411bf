// What `weir predict` prints: a row for each picture, in text, JSON or CSV.
//
//   PredictionRows rows({.form = RowForm::kCsv, .answer = {.top = 1}}, classes);
//   rows.Add("photo.jpg", probabilities);
//   rows.AddFailure("scan.pdf", "is a PDF, which weir does not read");
//
// Any thread, one row after another; a row is written a class at a time, as there may be 65,536.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "pipelines/report/answer.h"

namespace weir {

enum class RowForm { kText, kJson, kCsv };

struct PredictionRowOptions {
  RowForm form = RowForm::kText;
  AnswerOptions answer{};
};

class PredictionRows {
 public:
  // The classes outlive it. A table of CSV begins with its head.
  PredictionRows(const PredictionRowOptions& options, const std::vector<std::string>& classes);

  // The classes by their probability, the most probable first, ties by label. Throws Error(kData)
  // where standard output cannot be written.
  void Add(const std::string& path, std::span<const float> probabilities);
  // A row in JSON and in CSV; in text a line on standard error.
  void AddFailure(const std::string& path, const std::string& reason);

  std::uint64_t count() const { return count_; }  // without failures

 private:
  void PrintText(const std::string& path, const Answer& answer) const;
  void PrintJson(const std::string& path, const Answer& answer) const;
  void PrintCsv(const std::string& path, const Answer& answer) const;
  void PrintCsvHead() const;

  const PredictionRowOptions options_;
  const std::vector<std::string>& classes_;
  const std::size_t shown_;  // classes in a row
  std::mutex mutex_;
  std::uint64_t count_ = 0;
};

}  // namespace weir
