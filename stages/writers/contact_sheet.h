// Ends a branch of pictures with a sheet of them: a grid in a PNG, in the order in which they come.
//
// The first pictures of the first pass are on it; what comes later is let by. The file appears
// whole, when the sheet is full or the pass is over. Memory: the sheet, and its file while that is
// made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/stage.h"
#include "stages/files/output_files.h"
#include "stages/payloads.h"

namespace weir {

class ContactSheet final : public SinkStage<Image> {
 public:
  static constexpr std::string_view kName = "contact_sheet";
  static constexpr std::string_view kDoc = "Puts the first pictures on one sheet, a PNG.";

  struct Params {
    std::filesystem::path path;
    int columns = 8;
    int rows = 4;
    int cell = 160;

    static auto Fields() {
      return std::tuple{
          Field{"path", &Params::path, "The PNG to write.", Required{}},
          Field{"columns", &Params::columns, "Pictures side by side.", Range{1, 100}},
          Field{"rows", &Params::rows, "Pictures one below the other.", Range{1, 100}},
          Field{"cell", &Params::cell,
                "The longer side of a picture on the sheet, in pixels; smaller ones stay as they "
                "are.",
                Range{8, 2048}}};
    }
  };

  ContactSheet(const Params& params, BuildContext& context);

  static std::vector<ResourceUse> Provides() { return {ResourceOf<OutputFiles>()}; }

  Footprint footprint() const override;
  void Open(OpenContext& context) override;
  void Consume(const Image& image, StageContext& context) override;
  void EndPass(const Pass& pass) override;

  // Called once the sheet is written before its pass is over, by a thread of the pipeline.
  void set_on_full(std::function<void()> on_full) { on_full_ = std::move(on_full); }
  int pictures() const { return count_; }

 private:
  void Write();
  int height(int rows) const;
  int width() const;

  const Params params_;
  std::function<void()> on_full_ = [] {};
  std::vector<std::uint8_t> sheet_;  // [height, width, 3]
  int count_ = 0;                    // how many pictures are on it
  bool is_written_ = false;
};

}  // namespace weir
