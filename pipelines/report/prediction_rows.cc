#include "pipelines/report/prediction_rows.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr const char* kNone = "none of these";

std::string Json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

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

struct PredictionRows::Answer {
  std::vector<int> labels;  // those that are shown
  std::span<const float> probabilities;
  bool is_sure = true;  // the first of them is the answer

  double of(std::size_t place) const {
    return static_cast<double>(probabilities[static_cast<std::size_t>(labels[place])]);
  }
};

PredictionRows::PredictionRows(const PredictionRowOptions& options,
                               const std::vector<std::string>& classes)
    : options_(options),
      classes_(classes),
      shown_(std::min<std::size_t>(classes.size(), static_cast<std::size_t>(options.top))) {
  if (options_.form == RowForm::kCsv) PrintCsvHead();
}

void PredictionRows::Add(const std::string& path, std::span<const float> probabilities) {
  Answer answer{.labels = std::vector<int>(probabilities.size()), .probabilities = probabilities};
  std::iota(answer.labels.begin(), answer.labels.end(), 0);
  std::partial_sort(answer.labels.begin(),
                    answer.labels.begin() + static_cast<std::ptrdiff_t>(shown_),
                    answer.labels.end(), [&](int a, int b) {
                      return std::pair(-probabilities[a], a) < std::pair(-probabilities[b], b);
                    });
  answer.labels.resize(shown_);
  answer.is_sure = !options_.threshold || answer.of(0) >= *options_.threshold;
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
      std::printf("{\"path\":%s,\"error\":%s}\n", Json(path).c_str(), Json(reason).c_str());
      return;
    case RowForm::kCsv:
      std::printf("%s,%s", Csv(path).c_str(), options_.threshold ? "," : "");
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
  std::printf("{\"path\":%s,", Json(path).c_str());
  if (options_.threshold) {
    std::printf("\"answer\":%s,",
                answer.is_sure ? Json(classes_[answer.labels[0]]).c_str() : "null");
  }
  std::printf("\"predictions\":[");
  for (std::size_t i = 0; i < answer.labels.size(); ++i) {
    const int label = answer.labels[i];
    const nlohmann::json prediction = {
        {"class", classes_[label]},
        {"probability", answer.probabilities[static_cast<std::size_t>(label)]}};
    std::printf("%s%s", i > 0 ? "," : "", Json(prediction).c_str());
  }
  std::printf("]}\n");
}

void PredictionRows::PrintCsv(const std::string& path, const Answer& answer) const {
  std::printf("%s,", Csv(path).c_str());
  if (options_.threshold) {
    std::printf("%s,", answer.is_sure ? Csv(classes_[answer.labels[0]]).c_str() : "");
  }
  for (std::size_t i = 0; i < answer.labels.size(); ++i) {
    std::printf("%s,%.9g,", Csv(classes_[answer.labels[i]]).c_str(), answer.of(i));
  }
  std::putchar('\n');
}

void PredictionRows::PrintCsvHead() const {
  std::printf("path,%s", options_.threshold ? "answer," : "");
  for (std::size_t i = 0; i < shown_; ++i) {
    const std::string place = i > 0 ? "_" + std::to_string(i + 1) : "";
    std::printf("class%s,probability%s,", place.c_str(), place.c_str());
  }
  std::printf("error\n");
}

}  // namespace weir
