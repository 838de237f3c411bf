// What a TensorFlow Lite file says of its input and output to the TFLite Task Library and others.
//
// Pure functions; any thread. Hold the names of the classes once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "stages/model/export/formats/export_format.h"

namespace weir {

// The file of labels that the metadata name: a line for each class.
inline constexpr const char* kTfliteLabels = "labels.txt";
std::string TfliteLabelsOf(const Model& model);

// The flatbuffer that is called TFLITE_METADATA in the file: how pictures are normalised before
// they are fed, of which values they then are, and where the labels of the output stand.
std::vector<std::byte> TfliteMetadataOf(const ExportJob& job);

}  // namespace weir
