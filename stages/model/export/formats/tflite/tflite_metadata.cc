#include "stages/model/export/formats/tflite/tflite_metadata.h"

#include <flatbuffers/flatbuffers.h>

#include <array>
#include <cstdint>
#include <span>

#include "stages/files/bounded_json.h"
#include "stages/model/export/formats/preprocessing_text.h"
#include "stages/model/export/formats/tflite/flat_table.h"
#include "stages/model/export/formats/tflite/tflite_fields.h"

namespace weir {
namespace {

using flatbuffers::FlatBufferBuilder;
using tflite::ColorSpace;
using tflite::ContentField;
using tflite::ContentType;
using tflite::FileField;
using tflite::FileType;
using tflite::ImageField;
using tflite::ModelMetadataField;
using tflite::NormalizationField;
using tflite::ProcessUnitField;
using tflite::ProcessUnitType;
using tflite::StatsField;
using tflite::SubgraphMetadataField;
using tflite::TensorMetadataField;

constexpr const char* kFileIdentifier = "M001";
constexpr const char* kMinParserVersion = "1.0.0";  // the first one knows all of it
constexpr float kLargestByte = 255;

// Numbers of which there is one for all, or one for each channel.
using Numbers = std::vector<float>;

// What is done to a byte of each channel before it is fed: less the mean, over the deviation.
struct Normalization {
  Numbers mean, std;
  Numbers least, largest;  // what may become of it
};

Normalization NormalizationOf(const ExportJob& job) {
  if (job.input != ExportInput::kFloat) return {{0}, {1}, {0}, {kLargestByte}};
  const auto& [scales, offsets] = job.graph.model().preprocessing();
  const auto are_one = [](const std::array<float, 3>& channels) {
    return channels[1] == channels[0] && channels[2] == channels[0];
  };
  // Where one will do it is one: MediaPipe takes no more.
  const std::size_t numbers = are_one(scales) && are_one(offsets) ? 1 : scales.size();
  Normalization normalization;
  for (std::size_t c = 0; c < numbers; ++c) {
    const float scale = scales.at(c), offset = offsets.at(c);
    normalization.mean.push_back(-offset / scale);
    normalization.std.push_back(1 / scale);
    normalization.least.push_back(offset);
    normalization.largest.push_back(kLargestByte * scale + offset);
  }
  return normalization;
}

FlatOffset Stats(FlatBufferBuilder& builder, const Numbers& least, const Numbers& largest) {
  const auto max = builder.CreateVector(largest), min = builder.CreateVector(least);
  return FlatTable(builder).Add(StatsField::kMax, max).Add(StatsField::kMin, min).End();
}

// The table that holds the properties of one kind of content.
FlatOffset Content(FlatBufferBuilder& builder, ContentType type, FlatOffset properties) {
  return FlatTable(builder)
      .Add(ContentField::kPropertiesType, type)
      .Add(ContentField::kProperties, properties)
      .End();
}

FlatOffset Input(FlatBufferBuilder& builder, const ExportJob& job) {
  const Normalization normalization = NormalizationOf(job);
  const auto name = builder.CreateString("images");
  const auto description = builder.CreateString(PreprocessingText(job, /*channels_last=*/true));
  const FlatOffset image = FlatTable(builder).Add(ImageField::kColorSpace, ColorSpace::kRgb).End();
  const FlatOffset content = Content(builder, ContentType::kImage, image);
  const auto mean = builder.CreateVector(normalization.mean),
             std = builder.CreateVector(normalization.std);
  const FlatOffset options = FlatTable(builder)
                                 .Add(NormalizationField::kMean, mean)
                                 .Add(NormalizationField::kStd, std)
                                 .End();
  const FlatOffset unit = FlatTable(builder)
                              .Add(ProcessUnitField::kOptionsType, ProcessUnitType::kNormalization)
                              .Add(ProcessUnitField::kOptions, options)
                              .End();
  const auto units = builder.CreateVector(&unit, 1);
  const FlatOffset stats = Stats(builder, normalization.least, normalization.largest);
  return FlatTable(builder)
      .Add(TensorMetadataField::kName, name)
      .Add(TensorMetadataField::kDescription, description)
      .Add(TensorMetadataField::kContent, content)
      .Add(TensorMetadataField::kProcessUnits, units)
      .Add(TensorMetadataField::kStats, stats)
      .End();
}

FlatOffset Output(FlatBufferBuilder& builder) {
  const auto name = builder.CreateString("probabilities");
  const auto description = builder.CreateString("The probability of each class.");
  const FlatOffset feature = FlatTable(builder).End();
  const FlatOffset content = Content(builder, ContentType::kFeature, feature);
  const FlatOffset stats = Stats(builder, {0}, {1});
  const auto file_name = builder.CreateString(kTfliteLabels);
  const auto of_file = builder.CreateString("The names of the classes, a line each.");
  const FlatOffset file = FlatTable(builder)
                              .Add(FileField::kName, file_name)
                              .Add(FileField::kDescription, of_file)
                              .Add(FileField::kType, FileType::kTensorAxisLabels)
                              .End();
  const auto files = builder.CreateVector(&file, 1);
  return FlatTable(builder)
      .Add(TensorMetadataField::kName, name)
      .Add(TensorMetadataField::kDescription, description)
      .Add(TensorMetadataField::kContent, content)
      .Add(TensorMetadataField::kStats, stats)
      .Add(TensorMetadataField::kFiles, files)
      .End();
}

}  // namespace

std::string TfliteLabelsOf(const Model& model) {
  std::string labels;
  for (const std::string& name : model.classes()) {
    std::string line = ToUtf8(name);
    for (char& each : line) {
      if (each == '\n' || each == '\r') each = ' ';  // it would be two labels
    }
    labels.append(line).append("\n");
  }
  return labels;
}

std::vector<std::byte> TfliteMetadataOf(const ExportJob& job) {
  FlatBufferBuilder builder;
  const FlatOffset input = Input(builder, job), output = Output(builder);
  const auto inputs = builder.CreateVector(&input, 1), outputs = builder.CreateVector(&output, 1);
  const FlatOffset subgraph = FlatTable(builder)
                                  .Add(SubgraphMetadataField::kInputs, inputs)
                                  .Add(SubgraphMetadataField::kOutputs, outputs)
                                  .End();
  const auto subgraphs = builder.CreateVector(&subgraph, 1);
  const auto name = builder.CreateString(job.graph.model().config().backbone.name);
  const auto description =
      builder.CreateString("An image classifier that weir " + job.weir_version +
                           " trained. Its weights have the sha256 " + job.weights_sha256 + ".");
  const auto parser = builder.CreateString(kMinParserVersion);
  builder.Finish(FlatTable(builder)
                     .Add(ModelMetadataField::kName, name)
                     .Add(ModelMetadataField::kDescription, description)
                     .Add(ModelMetadataField::kSubgraphs, subgraphs)
                     .Add(ModelMetadataField::kMinParserVersion, parser)
                     .End(),
                 kFileIdentifier);
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace weir
