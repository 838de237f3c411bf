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

// An item of a list: "training.phases.1" is one, and lies in "training".
struct Item {
  std::string_view path{};     // empty: there is none
  std::string_view section{};  // "training"
  std::string_view list{};     // "phases"
  std::string_view index{};    // "1"
};

// The first item that `place` is, or lies in: "training.phases.1.optimizer" lies in one.
Item ItemIn(std::string_view place) {
  for (std::size_t dot = place.find('.'); dot != std::string_view::npos;) {
    const std::size_t end = std::min(place.find('.', dot + 1), place.size());
    const std::string_view index = place.substr(dot + 1, end - dot - 1);
    if (!index.empty() && index.find_first_not_of("0123456789") == std::string_view::npos) {
      const std::size_t list = place.rfind('.', dot - 1);
      if (dot == 0 || list == std::string_view::npos) return {};
      return {.path = place.substr(0, end),
              .section = place.substr(0, list),
              .list = place.substr(list + 1, dot - list - 1),
              .index = index};
    }
    dot = end < place.size() ? end : std::string_view::npos;
  }
  return {};
}

// `place` as it would be outside of the item: "training.optimizer".
std::string PlaceOutside(const Item& item, std::string_view place) {
  return std::string(item.section) + std::string(place.substr(item.path.size()));
}

// The key as it is called in `path`, an item of a list in its section; else the whole key.
std::string_view KeyIn(const ForeignWord& row, std::string_view path) {
  const std::string_view section = ItemIn(path).section;
  const bool is_in = !section.empty() && row.key.starts_with(section) &&
                     row.key.substr(section.size()).starts_with('.');
  return is_in ? row.key.substr(section.size() + 1) : row.key;
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

// "`size` of the stage `batch`", "the stage `mixup`", "`training.epochs`", "`epochs` of phases[1]".
std::string Called(std::string_view key, const Item& item) {
  if (!item.path.empty()) {
    return InBackticks(key) + " of " + std::string(item.list) + "[" + std::string(item.index) + "]";
  }
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
  const Item item = ItemIn(place);
  return item.path.empty() ? nullptr : FindForeignWord(rows, PlaceOutside(item, place), word);
}

std::string_view ItemThatHas(const ForeignWord& row, std::string_view place,
                             std::span<const std::string> keys) {
  if (ItemIn(place).path != place) return "";
  const std::string_view key = KeyIn(row, place);
  const bool has_key =
      key.size() < row.key.size() && std::ranges::count(keys, key.substr(0, key.find('.'))) > 0;
  return has_key ? place : "";
}

std::string WrittenHere(const ForeignWord& row, std::string_view written, AdviceForm form,
                        std::string_view item) {
  if (row.key.empty()) return "";
  const std::string_view key = KeyIn(row, item);
  const std::string_view value = IsNumber(row.value) && IsNumber(written) ? written : row.value;
  if (form == AdviceForm::kOption && !value.empty()) {
    const std::string option =
        (item.empty() ? "" : std::string(item) + ".") + std::string(key) + "=" + std::string(value);
    const bool wants_quotes = value.find_first_of(" {}[]*") != std::string_view::npos;
    return "--set " + (wants_quotes ? "'" + option + "'" : option);
  }
  if (!key.starts_with(kPipeline)) return Nested(key, value);
  return "- " + Nested(key.substr(kPipeline.size()), value);
}

std::string AdviceOn(const ForeignWord& row, std::string_view word, std::string_view written,
                     AdviceForm form, std::string_view item) {
  std::string text = InBackticks(word) + " ";
  text += row.note.empty() ? "is " + Called(KeyIn(row, item), ItemIn(item)) + " here"
                           : std::string(row.note);
  const std::string here = WrittenHere(row, written, form, item);
  return here.empty() ? text : text + ": " + here;
}

}  // namespace weir
