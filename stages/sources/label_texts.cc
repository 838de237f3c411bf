#include "stages/sources/label_texts.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "framework/error.h"
#include "stages/files/class_names.h"
#include "stages/sources/listing/lookalikes.h"
#include "stages/sources/whole_number.h"

namespace weir {
namespace {

constexpr const char* kIsItALabel = "Is that where the labels are?";

// "01" is a name: as a number it would be another label's.
bool IsNumber(std::string_view text) {
  return WholeNumber(text) && (text.size() == 1 || text.front() != '0');
}

}  // namespace

LabelTexts::LabelTexts(const Auto<std::vector<std::string>>& classes)
    : are_given_(!classes.is_auto()), is_open_(classes.is_auto()) {
  if (are_given_) names_ = classes.value();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    known_.emplace(Composed(names_[i]), static_cast<std::int32_t>(i));
  }
  by_number_ = are_given_ && std::none_of(names_.begin(), names_.end(), IsNumber);
}

std::optional<std::int32_t> LabelTexts::Find(std::string_view text) const {
  auto found = known_.find(text);
  if (found == known_.end()) found = known_.find(Composed(text));
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

std::int32_t LabelTexts::Add(std::string_view text, const Place& place) {
  if (const std::optional<std::int32_t> label = Find(text)) return *label;
  if (by_number_ && IsNumber(text) && *WholeNumber(text) < names_.size()) {
    return static_cast<std::int32_t>(*WholeNumber(text));
  }
  if (text.size() > kLongestClassName) {
    throw Error(ErrorKind::kData, place() + ": the label is longer than 4 KiB", kIsItALabel);
  }
  if (!is_open_) ThrowUnknown(text, place);
  if (text.empty()) {
    throw Error(ErrorKind::kData, place() + ": the label is empty",
                "Give it one, or take its line out.");
  }
  if (!IsText(text)) {
    throw Error(
        ErrorKind::kData,
        place() + ": the label " + Shown(text) + " is not UTF-8, or has a control character in it",
        "Write it as one line of text.");
  }
  if (names_.size() == kMostClasses) {
    throw Error(ErrorKind::kData, place() + ": the label is the 65,537th that there is",
                kIsItALabel);
  }
  names_bytes_ += text.size();
  if (names_bytes_ > kMostClassNamesBytes) {
    throw Error(ErrorKind::kData, place() + ": the labels up to here take more than 16 MiB",
                kIsItALabel);
  }
  const auto label = static_cast<std::int32_t>(names_.size());
  names_.emplace_back(text);
  known_.emplace(Composed(text), label);
  return label;
}

void LabelTexts::ThrowUnknown(std::string_view text, const Place& place) const {
  const std::string remedy = RemedyForClass(text, names_);
  throw Error(ErrorKind::kData,
              place() + ": the label " + Shown(text) + " is none of the " +
                  std::to_string(names_.size()) + (are_given_ ? " `classes`" : " trained with"),
              !remedy.empty() ? remedy : "They are " + ShownList(names_) + ".");
}

std::vector<std::string> LabelTexts::Settle(std::vector<std::int32_t>& labels) {
  if (are_given_) return std::move(names_);
  std::vector<std::int32_t> order(names_.size());
  std::iota(order.begin(), order.end(), 0);
  const bool are_numbers = std::all_of(names_.begin(), names_.end(), IsNumber);
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return are_numbers ? *WholeNumber(names_[a]) < *WholeNumber(names_[b]) : names_[a] < names_[b];
  });
  std::vector<std::int32_t> label_of(names_.size());
  std::vector<std::string> classes;
  for (const std::int32_t id : order) {
    label_of[id] = static_cast<std::int32_t>(classes.size());
    classes.push_back(std::move(names_[id]));
  }
  for (std::int32_t& label : labels) label = label_of[label];
  return classes;
}

}  // namespace weir
