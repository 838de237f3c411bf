#include "framework/config/foreign_word.h"

#include <algorithm>

#include "framework/text.h"

namespace weir {
namespace {

constexpr std::string_view kPipeline = "pipeline.";

// "training.optimizer.*" is the place of every map in `training.optimizer`.
bool IsPlace(std::string_view pattern, std::string_view place) {
  if (!pattern.ends_with(".*")) return pattern == place;
  const std::string_view folder = pattern.substr(0, pattern.size() - 1);
  return place.starts_with(folder) && place.find('.', folder.size()) == std::string_view::npos;
}

// "training" for "training.phases.1", an item of a list in it; empty for what is no such item.
std::string_view SectionOfItem(std::string_view place) {
  const std::size_t index = place.rfind('.');
  if (index == std::string_view::npos || index == 0) return "";
  const std::string_view item = place.substr(index + 1);
  if (item.empty() || item.find_first_not_of("0123456789") != std::string_view::npos) return "";
  const std::size_t list = place.rfind('.', index - 1);
  return list == std::string_view::npos ? "" : place.substr(0, list);
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.eE+-/") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

// "a: {b: {c: value}}" for "a.b.c"; the key alone where there is no value.
std::string Nested(std::string_view key, std::string_view value) {
  const std::size_t dot = key.find('.');
  if (dot != std::string_view::npos) {
    return std::string(key.substr(0, dot)) + ": {" + Nested(key.substr(dot + 1), value) + "}";
  }
  return std::string(key) + (value.empty() ? "" : ": " + std::string(value));
}

// "`size` of the stage `batch`", "the stage `mixup`", "`training.epochs`".
std::string Called(std::string_view key) {
  if (!key.starts_with(kPipeline)) return InBackticks(key);
  const std::string_view stage = key.substr(kPipeline.size());
  const std::size_t dot = stage.find('.');
  if (dot == std::string_view::npos) return "the stage " + InBackticks(stage);
  return InBackticks(stage.substr(dot + 1)) + " of the stage " + InBackticks(stage.substr(0, dot));
}

}  // namespace

std::string WithUnderscores(std::string_view word) {
  std::string same(word);
  std::replace(same.begin(), same.end(), '-', '_');
  return same;
}

const ForeignWord* FindForeignWord(std::span<const ForeignWord> rows, std::string_view place,
                                   std::string_view word) {
  const std::string same = WithUnderscores(word);
  for (const ForeignWord& row : rows) {
    const bool is_there = std::any_of(row.places.begin(), row.places.end(),
                                      [&](std::string_view each) { return IsPlace(each, place); });
    if (is_there && std::find(row.words.begin(), row.words.end(), same) != row.words.end()) {
      return &row;
    }
  }
  const std::string_view section = SectionOfItem(place);
  return section.empty() ? nullptr : FindForeignWord(rows, section, word);
}

std::string WrittenHere(const ForeignWord& row, std::string_view written, AdviceForm form) {
  if (row.key.empty()) return "";
  const std::string_view value = IsNumber(row.value) && IsNumber(written) ? written : row.value;
  if (form == AdviceForm::kOption && !value.empty()) {
    const std::string option = std::string(row.key) + "=" + std::string(value);
    const bool wants_quotes = value.find_first_of(" {}[]*") != std::string_view::npos;
    return "--set " + (wants_quotes ? "'" + option + "'" : option);
  }
  if (!row.key.starts_with(kPipeline)) return Nested(row.key, value);
  return "- " + Nested(row.key.substr(kPipeline.size()), value);
}

std::string AdviceOn(const ForeignWord& row, std::string_view word, std::string_view written,
                     AdviceForm form) {
  std::string text = InBackticks(word) + " ";
  text += row.note.empty() ? "is " + Called(row.key) + " here" : std::string(row.note);
  const std::string here = WrittenHere(row, written, form);
  return here.empty() ? text : text + ": " + here;
}

}  // namespace weir
