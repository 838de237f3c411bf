// Labels as the texts that manifests and shards have: the names of classes, or their numbers.
//
// Classes that are given are found by their names; or, where none of those is a number, by their
// place among them too: "1" is the second. Otherwise the classes are all the texts that there are,
// by number where all are whole numbers, else in byte order. A text in NFC and in NFD is the same
// (lookalikes.h), written as it first came.
//
// One thread. Holds the name of each class twice while labels are added: at most 16 MiB of names
// (class_names.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/params.h"

namespace weir {

class LabelTexts {
 public:
  using Place = std::function<std::string()>;  // where a label stands: "photos.csv:3"

  explicit LabelTexts(const Auto<std::vector<std::string>>& classes);

  // Which label that is: for now only the same for the same text. Throws Error(kData) where it is
  // empty, no text, no label at all, or not among the classes that are known beforehand.
  std::int32_t Add(std::string_view text, const Place& place);

  // Whether that is the name of a class that was given.
  bool IsGiven(std::string_view name) const { return are_given_ && Find(name); }

  // From here on only labels that have been added are known.
  void Close() { is_open_ = false; }

  // The classes in the order of their labels; makes `labels`, as Add gave them, such labels.
  std::vector<std::string> Settle(std::vector<std::int32_t>& labels);

 private:
  std::optional<std::int32_t> Find(std::string_view text) const;
  [[noreturn]] void ThrowUnknown(std::string_view text, const Place& place) const;

  const bool are_given_;
  bool is_open_;
  bool by_number_ = false;
  std::size_t names_bytes_ = 0;     // the bytes of the names that were added
  std::vector<std::string> names_;  // as they came, or were given
  std::map<std::string, std::int32_t, std::less<>> known_;  // their places, by the composed name
};

}  // namespace weir
