// Words that other programs have for what is set here: `batch_size` in `training`, `lr` at the top
// level. A key that is unknown where it stands, and is one of them, gets an error that says what it
// is here and how that is written.
//
// Where the same map has the key under another name, the field itself knows the word
// (ElsewhereCalled, params.h). The others are rows of a list, kept by whoever knows all sections
// and stages, which Problems carry to where keys are read. Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct ForeignWord {
  // The maps that it may be found in, addressed as by --set: "" (the top level), "training",
  // "pipeline.directory", or "training.optimizer.*" for each key of that map.
  std::vector<std::string_view> places;
  std::vector<std::string_view> words;  // with underscores, which `-` counts as
  std::string_view key{};    // what it is here: "pipeline.batch.size"; empty where nothing is
  std::string_view value{};  // as an example: "32"; empty for a stage without parameters
  // Ends the sentence that begins with the word; empty: "is `size` of the stage `batch` here".
  std::string_view note{};
};

enum class AdviceForm {
  kYaml,    // "- batch: {size: 32}"
  kOption,  // "--set pipeline.batch.size=32"
};

// "label-smoothing" is "label_smoothing".
std::string WithUnderscores(std::string_view word);

// Null where there is none. In an item of a list the words hold as if it stood in the section that
// the list is in: those of "training.optimizer" for "training.phases.1.optimizer".
const ForeignWord* FindForeignWord(std::span<const ForeignWord> rows, std::string_view place,
                                   std::string_view word);

// Gives `place` where it is an item of a list, "training.phases.1", in the section of what is meant
// and has that among its own `keys`; else nothing.
std::string_view ItemThatHas(const ForeignWord& row, std::string_view place,
                             std::span<const std::string> keys);

// How what is meant is written: with the value `written` where that and the example are numbers,
// else with the example; in `item` where it is to stand there. Empty where nothing is meant.
std::string WrittenHere(const ForeignWord& row, std::string_view written, AdviceForm form,
                        std::string_view item = "");

// "`batch_size` is `size` of the stage `batch` here: - batch: {size: 64}".
std::string AdviceOn(const ForeignWord& row, std::string_view word, std::string_view written,
                     AdviceForm form, std::string_view item = "");

}  // namespace weir
