// Compares an exported model with `weir predict` on real pictures: `weir export --check`.
//
// Weir predicts, and then hands the same pictures to a python3 that runs the exported model. That
// process holds the probabilities of all of them meanwhile; this one holds what `weir predict`
// does. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "pipelines/recipe/stage_table.h"
#include "stages/model/export/formats/export_format.h"

namespace weir {

struct ExportCheck {
  std::string opening;  // Python's text of open_model(), as ExportFormat has it
  ExportInput input = ExportInput::kUint8;
  bool channels_last = false;  // an input of numbers is [N, H, W, 3]
  Preprocessing preprocessing{};
  std::filesystem::path exported;      // the file that was written
  std::filesystem::path run;           // the folder of the run
  std::filesystem::path pictures;      // a folder of pictures, or one
  std::vector<std::string> overrides;  // that change the run's configuration
};

struct ExportDifference {
  struct OtherClass {
    std::string path;
    int predicted = 0;  // the label that weir predicts
    int exported = 0;   // and the exported model
    double difference = 0;
  };

  std::uint64_t pictures = 0;  // that both saw
  std::uint64_t missing = 0;   // that weir predicts and the exported model was not given
  double largest = 0;          // difference of a probability
  std::string largest_of;      // the path of that picture
  std::vector<OtherClass> others;
  std::vector<std::string> classes;
};

// Throws Error(kConfig) where no python3 can run the format, before anything is written.
void CheckCanRun(const ExportFormat& format);

// Throws Error(kData) where not one picture could be read, or python3 fails.
ExportDifference CompareWithPredict(const ExportCheck& check, StageTable& stages);

}  // namespace weir
