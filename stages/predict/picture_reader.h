// A picture from wherever it is to the pixels that a model reads, by the stages that a saved model
// names (ModelUse::pictures): what a run's pipeline does to it, without a pipeline.
//
//   const PictureReader reader(saved.use.pictures, model.network().input());
//   auto bytes = reader.BytesFor(file);                  // a Drop where it is no picture
//   auto pixels = reader.Read(file, std::get<std::size_t>(bytes));
//
// Immutable: any number of threads may read with one, each holds what BytesFor() says. Nothing is
// drawn by chance outside of training, so a picture gives the same bits each time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/yaml_node.h"
#include "framework/flow/any_stage.h"
#include "framework/flow/registry.h"
#include "framework/flow/resources.h"
#include "framework/flow/stage.h"
#include "stages/decode/decode.h"
#include "stages/model/backbones/network.h"
#include "stages/payloads.h"

namespace weir {

class PictureReader {
 public:
  // Throws Error(kData) where `pictures` is no list of stages of weir's own that makes of a file a
  // picture of the size `input`.
  PictureReader(const YamlNode& pictures, MapSize input);

  // What reading holds at most, its result included, told from the file's header.
  Outcome<std::size_t> BytesFor(const ImageFile& file) const;
  // [height, width, 3] of the model's size. `bytes` is what BytesFor() gave of it.
  Outcome<Image> Read(const ImageFile& file, std::size_t bytes) const;

  // The same for a picture that is decoded already, of any size.
  std::size_t BytesForPixels() const { return bytes_behind_decode_; }
  Outcome<Image> ReadPixels(Image picture) const;

 private:
  void Append(const YamlNode& stage, const Registry& registry, BuildContext& context);

  MapSize input_;
  Resources resources_;
  std::unique_ptr<Decode> decode_;
  std::vector<PlacedStage> behind_;  // in their order
  std::size_t bytes_behind_decode_ = 0;
};

// Pixels that somebody else holds, as a picture that can be read.
Image CopyOf(const PixelView& pixels);

// The bytes of a picture in memory as a file; they outlive what reads them.
ImageFile FileInMemory(const void* bytes, std::size_t size);

}  // namespace weir
