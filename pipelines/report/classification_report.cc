#include "pipelines/report/classification_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace weir {
namespace {

using nlohmann::json;

constexpr std::size_t kMostClassesOfMatrix = 1000;  // its rows are 2 MB of text

std::optional<double> Part(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

// The part that is of the class among the pictures that were taken for it; empty without any.
std::optional<double> Precision(const ConfusionCounts::OfClass& counts) {
  return Part(counts.hits, counts.taken);
}
// The part that was found among the pictures of the class; empty where there are none.
std::optional<double> Recall(const ConfusionCounts::OfClass& counts) {
  return Part(counts.hits, counts.pictures);
}

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

// What `training.metrics` of the run names beside accuracy.
template <class Visit>
void ForEachFurtherMean(const Metrics& metrics, Visit visit) {
  for (const Metrics::Mean& mean : metrics.means) {
    if (mean.name != Metrics::kAccuracy) visit(mean);
  }
}

void PrintRow(const ClassificationReport& report, int truth, std::FILE* out) {
  std::vector<std::uint64_t> row(report.classes.size());
  report.confusion.ForEachTaken(
      truth, [&](int predicted, std::uint64_t pictures) { row[predicted] = pictures; });
  std::fputs(Dump(row).c_str(), out);
}

void PrintClass(const ClassificationReport& report, int label, std::FILE* out) {
  const ConfusionCounts::OfClass& counts = report.confusion.of_classes()[label];
  json taken_for = json::object();
  report.confusion.ForEachTaken(label, [&](int predicted, std::uint64_t pictures) {
    taken_for[report.classes[predicted]] = pictures;
  });
  const json figures = {{"images", counts.pictures},
                        {"precision", ToJson(Precision(counts))},
                        {"recall", ToJson(Recall(counts))},
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
  std::fprintf(out, "%llu pictures: accuracy %.4f, loss %.4f",
               static_cast<unsigned long long>(metrics.images), metrics.accuracy(), metrics.loss());
  ForEachFurtherMean(metrics, [out](const Metrics::Mean& mean) {
    std::fprintf(out, ", %s %.4f", mean.name.c_str(), mean.value());
  });
  std::fputs("\n\n", out);
  std::size_t width = 5;
  for (const std::string& name : report.classes) width = std::max(width, name.size());
  const int column = static_cast<int>(width);
  std::fprintf(out, "%-*s  pictures  precision  recall   taken for\n", column, "class");
  for (int label = 0; label < static_cast<int>(report.classes.size()); ++label) {
    const ConfusionCounts::OfClass& counts = report.confusion.of_classes()[label];
    std::fprintf(out, "%-*s  %8llu  %9s  %6s  ", column, report.classes[label].c_str(),
                 static_cast<unsigned long long>(counts.pictures), Text(Precision(counts)).c_str(),
                 Text(Recall(counts)).c_str());
    report.confusion.ForEachTaken(label, [&](int predicted, std::uint64_t pictures) {
      std::fprintf(out, " %s %llu", report.classes[predicted].c_str(),
                   static_cast<unsigned long long>(pictures));
    });
    std::fputc('\n', out);
  }
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
  ForEachFurtherMean(report.metrics, [out](const Metrics::Mean& mean) {
    std::fprintf(out, "  %s: %s,\n", Dump(mean.name).c_str(), Dump(mean.value()).c_str());
  });
  std::fputs("  \"per_class\": {", out);
  PrintLines(count, out, [&](int label) { PrintClass(report, label, out); });
  std::fputs("}\n}\n", out);
}

}  // namespace weir
