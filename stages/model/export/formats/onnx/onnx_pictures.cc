#include "stages/model/export/formats/onnx/onnx_pictures.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/error.h"
#include "framework/shape.h"

namespace weir {
namespace {

constexpr const char* kImages = "images";
constexpr std::int64_t kToFloat = static_cast<std::int64_t>(onnx::DataType::kFloat);

class PictureAppender {
 public:
  PictureAppender(const ExportJob& job, OnnxGraph& graph) : job_(job), graph_(graph) {}

  std::string Run() { return job_.graph.picture_zero() ? PictureOfBytes() : Picture(); }

 private:
  // What the network is fed, [N, 3, H, W].
  std::string Picture() {
    const MapSize size = job_.graph.model().network().input();
    if (job_.input == ExportInput::kFloat) {
      graph_.AddInput(kImages, onnx::DataType::kFloat, {"N", 3, size.height, size.width});
      return kImages;
    }
    std::string channels_first = ChannelsFirst(size);
    if (job_.input == ExportInput::kUint8) {
      channels_first = graph_.AddNode("Cast", "images_float", {channels_first}, {{"to", kToFloat}});
    }
    const Preprocessing& preprocessing = job_.graph.model().preprocessing();
    const Shape by_channel = {1, 3, 1, 1};
    const std::string scaled = graph_.AddNode(
        "Mul", "images_scaled",
        {channels_first, graph_.AddFloats("preprocessing.scale", by_channel, preprocessing.scale)});
    return graph_.AddNode(
        "Add", "images_preprocessed",
        {scaled, graph_.AddFloats("preprocessing.offset", by_channel, preprocessing.offset)});
  }

  // What a backbone in int8 is fed: whole numbers, with as much taken off the bytes of each channel
  // as stands for 0.
  std::string PictureOfBytes() {
    const MapSize size = job_.graph.model().network().input();
    const std::array<std::uint8_t, 3>& zero = *job_.graph.picture_zero();
    if (job_.input == ExportInput::kFloat) {
      throw Error(ErrorKind::kConfig, "--input float: a model in int8 reads the bytes of pictures",
                  "Leave --input out, or add --precision float32.");
    }
    const std::string channels_first = ChannelsFirst(size);
    if (job_.input == ExportInput::kAnySize) {
      const std::array<float, 3> zeros = {static_cast<float>(zero[0]), static_cast<float>(zero[1]),
                                          static_cast<float>(zero[2])};
      return graph_.AddNode("Sub", "images_centred",
                            {channels_first, graph_.AddFloats("images_zero", {1, 3, 1, 1}, zeros)});
    }
    static constexpr std::array<float, 3> kOnes = {1, 1, 1};
    // With one number for all, runtimes can leave them in bytes.
    if (zero[0] == zero[1] && zero[1] == zero[2]) {
      return graph_.AddNode(
          "DequantizeLinear", "images_centred",
          {channels_first, graph_.AddFloats("images_scale", {}, std::span(kOnes).first(1)),
           graph_.AddBytes("images_zero", onnx::DataType::kUint8, {}, std::span(zero).first(1))});
    }
    return graph_.AddNode("DequantizeLinear", "images_centred",
                          {channels_first, graph_.AddFloats("images_scale", {3}, kOnes),
                           graph_.AddBytes("images_zero", onnx::DataType::kUint8, {3}, zero)},
                          {{"axis", 1}});
  }

  // The input in the model's size with the channels first: bytes, or numbers where it was resized.
  std::string ChannelsFirst(const MapSize& size) {
    std::string pictures = kImages;
    if (job_.input == ExportInput::kUint8) {
      graph_.AddInput(kImages, onnx::DataType::kUint8, {"N", size.height, size.width, 3});
    } else {
      graph_.AddInput(kImages, onnx::DataType::kUint8, {"N", "height", "width", 3});
      pictures = Resized(size);
    }
    return graph_.AddNode("Transpose", "images_channels_first", {pictures},
                          {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  }

  // The pictures in the model's size, [N, H, W, 3], in whole numbers. In float32, as weir keeps
  // fractions between its two directions, which ONNX Runtime does not in bytes; with the channels
  // last, as its optimiser breaks a Resize with `axes` that it moves a Transpose past.
  std::string Resized(const MapSize& size) {
    const std::string as_float =
        graph_.AddNode("Cast", "images_float", {kImages}, {{"to", kToFloat}});
    const std::array<std::int64_t, 2> sizes = {size.height, size.width};
    const std::string resized = graph_.AddNode(
        "Resize", "images_resized", {as_float, "", "", graph_.AddInts("images_size", sizes)},
        {{"mode", std::string("linear")},
         {"coordinate_transformation_mode", std::string("half_pixel")},
         {"antialias", 1},
         {"exclude_outside", 1},
         {"axes", std::vector<std::int64_t>{1, 2}}});
    return graph_.AddNode("Round", "images_rounded", {resized});
  }

  const ExportJob& job_;
  OnnxGraph& graph_;
};

}  // namespace

std::string AppendPictures(const ExportJob& job, OnnxGraph& graph) {
  return PictureAppender(job, graph).Run();
}

}  // namespace weir
