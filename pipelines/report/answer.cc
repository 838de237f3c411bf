#include "pipelines/report/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

namespace weir {
namespace {

std::string Text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string JsonString(const std::string& text) { return Text(text); }

Answer AnswerOf(std::span<const float> probabilities, const AnswerOptions& options) {
  const std::size_t shown =
      std::min<std::size_t>(probabilities.size(), static_cast<std::size_t>(options.top));
  Answer answer{.labels = std::vector<int>(probabilities.size()), .probabilities = probabilities};
  std::iota(answer.labels.begin(), answer.labels.end(), 0);
  std::partial_sort(answer.labels.begin(),
                    answer.labels.begin() + static_cast<std::ptrdiff_t>(shown), answer.labels.end(),
                    [&](int a, int b) {
                      return std::pair(-probabilities[a], a) < std::pair(-probabilities[b], b);
                    });
  answer.labels.resize(shown);
  answer.is_sure = !options.threshold || answer.of(0) >= *options.threshold;
  return answer;
}

void WriteJson(const Answer& answer, const AnswerOptions& options,
               const std::vector<std::string>& classes,
               const std::function<void(std::string_view)>& write) {
  if (options.threshold) {
    write("\"answer\":");
    write(answer.is_sure ? Text(classes[answer.labels[0]]) : "null");
    write(",");
  }
  write("\"predictions\":[");
  for (std::size_t i = 0; i < answer.labels.size(); ++i) {
    const int label = answer.labels[i];
    if (i > 0) write(",");
    write(Text({{"class", classes[label]},
                {"probability", answer.probabilities[static_cast<std::size_t>(label)]}}));
  }
  write("]");
}

}  // namespace weir
