#include "pipelines/report/classification_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace weir {
namespace {

using nlohmann::json;

constexpr std::size_t kMostClassesOfMatrix = 1000;  // its rows are 2 MB of text

std::string Text(std::optional<double> figure) {
  if (!figure) return "-";
  char text[16];
  std::snprintf(text, sizeof text, "%.3f", *figure);
  return text;
}

json ToJson(std::optional<double> figure) { return figure ? json(*figure) : json(); }

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Interval> IntervalOf(const ClassificationReport& report, const std::string& metric) {
  if (!report.bootstrap) return std::nullopt;
  const auto found = report.bootstrap->intervals.find(metric);
  return found == report.bootstrap->intervals.end() ? std::nullopt : std::optional(found->second);
}

// "0.938 (0.854 to 1.000)".
std::string WithInterval(const ClassificationReport& report, const std::string& metric,
                         std::optional<double> value) {
  const std::optional<Interval> interval = IntervalOf(report, metric);
  if (!interval) return Text(value);
  return Text(value) + " (" + Text(interval->low) + " to " + Text(interval->high) + ")";
}

json ToJson(const ClassificationReport& report, const std::string& metric,
            std::optional<double> value) {
  json figures = {{"value", ToJson(value)}};
  if (!report.bootstrap) return figures;
  const std::optional<Interval> interval = IntervalOf(report, metric);
  figures["low"] = interval ? json(interval->low) : json();
  figures["high"] = interval ? json(interval->high) : json();
  return figures;
}

json ToJson(const MeanScores& scores) {
  return {{"f1", scores.f1}, {"precision", scores.precision}, {"recall", scores.recall}};
}

void PrintRow(const ClassificationReport& report, int truth, std::FILE* out) {
  std::vector<std::uint64_t> row(report.classes.size());
  report.confusion.ForEachTaken(
      truth, [&](int predicted, std::uint64_t pictures) { row[predicted] = pictures; });
  std::fputs(Dump(row).c_str(), out);
}

void PrintClass(const ClassificationReport& report, int label, std::FILE* out) {
  const ClassTally& counts = report.confusion.of_classes()[label];
  json taken_for = json::object();
  report.confusion.ForEachTaken(label, [&](int predicted, std::uint64_t pictures) {
    taken_for[report.classes[predicted]] = pictures;
  });
  const json figures = {{"f1", ToJson(F1Of(counts))},
                        {"images", counts.pictures},
                        {"precision", ToJson(PrecisionOf(counts))},
                        {"recall", ToJson(RecallOf(counts))},
                        {"taken_for", std::move(taken_for)}};
  std::fprintf(out, "%s: %s", Dump(report.classes[label]).c_str(), Dump(figures).c_str());
}

// The elements of a JSON list or object, a line each.
template <class PrintElement>
void PrintLines(std::size_t count, std::FILE* out, PrintElement print) {
  for (std::size_t i = 0; i < count; ++i) {
    std::fputs(i == 0 ? "\n    " : ",\n    ", out);
    print(static_cast<int>(i));
  }
  std::fputs("\n  ", out);
}

}  // namespace

void PrintTable(const ClassificationReport& report, std::FILE* out) {
  const Metrics& metrics = report.metrics;
  const std::string accuracy(Metrics::kAccuracy);
  std::fprintf(out, "%llu pictures: accuracy %s, loss %.4f",
               static_cast<unsigned long long>(metrics.images),
               WithInterval(report, accuracy, metrics.accuracy()).c_str(), metrics.loss());
  metrics.ForEach([&](const std::string& name, std::optional<double> value) {
    if (name == accuracy) return;
    std::fprintf(out, ", %s %s", name.c_str(), WithInterval(report, name, value).c_str());
  });
  if (report.bootstrap) {
    std::fprintf(out, "\nin brackets: where 95 %% of %d resamples of the pictures lie",
                 report.bootstrap->resamples);
  }
  std::fputs("\n\n", out);
  constexpr std::string_view kMacro = "macro mean", kWeighted = "weighted mean";
  std::size_t width = kWeighted.size();
  for (const std::string& name : report.classes) width = std::max(width, name.size());
  const int column = static_cast<int>(width);
  std::fprintf(out, "%-*s  pictures  precision  recall     F1   taken for\n", column, "class");
  for (int label = 0; label < static_cast<int>(report.classes.size()); ++label) {
    const ClassTally& counts = report.confusion.of_classes()[label];
    std::fprintf(out, "%-*s  %8llu  %9s  %6s  %5s  ", column, report.classes[label].c_str(),
                 static_cast<unsigned long long>(counts.pictures),
                 Text(PrecisionOf(counts)).c_str(), Text(RecallOf(counts)).c_str(),
                 Text(F1Of(counts)).c_str());
    report.confusion.ForEachTaken(label, [&](int predicted, std::uint64_t pictures) {
      std::fprintf(out, " %s %llu", report.classes[predicted].c_str(),
                   static_cast<unsigned long long>(pictures));
    });
    std::fputc('\n', out);
  }
  const auto print_mean = [&](std::string_view name, const MeanScores& scores) {
    std::fprintf(out, "%-*s  %8s  %9.3f  %6.3f  %5.3f\n", column, name.data(), "", scores.precision,
                 scores.recall, scores.f1);
  };
  print_mean(kMacro, MacroScores(report.confusion.of_classes()));
  print_mean(kWeighted, WeightedScores(report.confusion.of_classes()));
  if (report.dropped > 0) {
    std::fprintf(out, "\n%llu pictures could not be used\n",
                 static_cast<unsigned long long>(report.dropped));
  }
}

void PrintJson(const ClassificationReport& report, std::FILE* out) {
  const std::size_t count = report.classes.size();
  std::fprintf(out, "{\n  \"accuracy\": %s,\n  \"classes\": [",
               Dump(report.metrics.accuracy()).c_str());
  PrintLines(count, out, [&](int label) { std::fputs(Dump(report.classes[label]).c_str(), out); });
  std::fputs("],\n  \"confusion\": ", out);
  if (count <= kMostClassesOfMatrix) {
    std::fputc('[', out);
    PrintLines(count, out, [&](int label) { PrintRow(report, label, out); });
    std::fputc(']', out);
  } else {
    std::fputs("null", out);
  }
  std::fprintf(out,
               ",\n  \"dropped\": %llu,\n  \"images\": %llu,\n  \"left_out\": %s,\n  \"loss\": "
               "%s,\n",
               static_cast<unsigned long long>(report.dropped),
               static_cast<unsigned long long>(report.metrics.images),
               Dump(report.left_out).c_str(), Dump(report.metrics.loss()).c_str());
  const auto& tallies = report.confusion.of_classes();
  std::fprintf(out, "  \"macro\": %s,\n", Dump(ToJson(MacroScores(tallies))).c_str());
  json all = json::object();
  report.metrics.ForEach([&](const std::string& name, std::optional<double> value) {
    all[name] = ToJson(report, name, value);
    if (name == Metrics::kAccuracy) return;
    std::fprintf(out, "  %s: %s,\n", Dump(name).c_str(), Dump(ToJson(value)).c_str());
  });
  std::fprintf(out, "  \"metrics\": %s,\n  \"per_class\": {", Dump(all).c_str());
  PrintLines(count, out, [&](int label) { PrintClass(report, label, out); });
  std::fprintf(out, "},\n  \"weighted\": %s\n}\n", Dump(ToJson(WeightedScores(tallies))).c_str());
}

}  // namespace weir
