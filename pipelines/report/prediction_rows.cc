#include "pipelines/report/prediction_rows.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "framework/error.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr const char* kNone = "none of these";

// As RFC 4180 has it: in quotes where it holds what would end it.
std::string Csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) {
    quoted += letter;
    if (letter == '"') quoted += '"';
  }
  return quoted + "\"";
}

}  // namespace

PredictionRows::PredictionRows(const PredictionRowOptions& options,
                               const std::vector<std::string>& classes)
    : options_(options),
      classes_(classes),
      shown_(std::min<std::size_t>(classes.size(), static_cast<std::size_t>(options.answer.top))) {
  if (options_.form == RowForm::kCsv) PrintCsvHead();
}

void PredictionRows::Add(const std::string& path, std::span<const float> probabilities) {
  const Answer answer = AnswerOf(probabilities, options_.answer);
  const std::lock_guard lock(mutex_);
  switch (options_.form) {
    case RowForm::kText:
      PrintText(path, answer);
      break;
    case RowForm::kJson:
      PrintJson(path, answer);
      break;
    case RowForm::kCsv:
      PrintCsv(path, answer);
      break;
  }
  if (std::ferror(stdout)) throw Error(ErrorKind::kData, "cannot write to standard output");
  ++count_;
}

void PredictionRows::AddFailure(const std::string& path, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  switch (options_.form) {
    case RowForm::kText:
      std::fprintf(stderr, "weir: %s: %s\n", OneLine(path).c_str(), reason.c_str());
      return;
    case RowForm::kJson:
      std::printf("{\"path\":%s,\"error\":%s}\n", JsonString(path).c_str(),
                  JsonString(reason).c_str());
      return;
    case RowForm::kCsv:
      std::printf("%s,%s", Csv(path).c_str(), options_.answer.threshold ? "," : "");
      for (std::size_t i = 0; i < shown_; ++i) std::printf(",,");
      std::printf("%s\n", Csv(reason).c_str());
      return;
  }
}

void PredictionRows::PrintText(const std::string& path, const Answer& answer) const {
  std::printf("%s:", OneLine(path).c_str());
  if (!answer.is_sure) std::printf("  %s,", kNone);
  for (std::size_t i = 0; i < answer.labels.size(); ++i) {
    std::printf("  %s %.3f", classes_[answer.labels[i]].c_str(), answer.of(i));
  }
  std::putchar('\n');
}

void PredictionRows::PrintJson(const std::string& path, const Answer& answer) const {
  std::printf("{\"path\":%s,", JsonString(path).c_str());
  WriteJson(answer, options_.answer, classes_,
            [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
  std::printf("}\n");
}

void PredictionRows::PrintCsv(const std::string& path, const Answer& answer) const {
  std::printf("%s,", Csv(path).c_str());
  if (options_.answer.threshold) {
    std::printf("%s,", answer.is_sure ? Csv(classes_[answer.labels[0]]).c_str() : "");
  }
  for (std::size_t i = 0; i < answer.labels.size(); ++i) {
    std::printf("%s,%.9g,", Csv(classes_[answer.labels[i]]).c_str(), answer.of(i));
  }
  std::putchar('\n');
}

void PredictionRows::PrintCsvHead() const {
  std::printf("path,%s", options_.answer.threshold ? "answer," : "");
  for (std::size_t i = 0; i < shown_; ++i) {
    const std::string place = i > 0 ? "_" + std::to_string(i + 1) : "";
    std::printf("class%s,probability%s,", place.c_str(), place.c_str());
  }
  std::printf("error\n");
}

}  // namespace weir
