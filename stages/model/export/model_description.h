// model.json: what is to be known of a saved model beside its weights.
//
// Pure but for the file that is read. Any thread. Read, it takes the names of the classes, of
// which class_names.h says how many there may be, and at most 3 MB for the rest.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/yaml_node.h"
#include "stages/model/backbones/backbone.h"
#include "stages/model/model.h"
#include "stages/model/model_config.h"
#include "stages/model/precision.h"

namespace weir {

// Which of the models of a training it is, as is said of it: {"epoch": 7, "as": "best accuracy",
// "validation": {"accuracy": 0.94}}.
using ModelOrigin = nlohmann::ordered_json;

// How the model is to be used, for whoever has no more than its folder.
struct ModelUse {
  // The stages that bring a picture from its file to the model's size, as a pipeline lists them:
  // [{decode: {max_megapixels: 200}}, {augment: {size: [224, 224], ...}}]. Null where they are no
  // list, or it is not known.
  YamlNode pictures;
  Precision precision = Precision::kFloat32;  // the backbone's
};

struct ModelDescription {
  std::vector<std::string> classes;
  MapSize input;
  Convention convention;
  ModelConfig config;  // with preprocessing; all frozen
  ModelUse use;
  int epoch = 0;  // whose model it is, from 1; 0 where that is not said
};

// Gives the JSON text in pieces, the names of the classes some 64 KiB at a time: no more of them is
// held beside the model. Bytes of class names that are not UTF-8 become U+FFFD.
void Describe(const Model& model, const ModelUse& use, const ModelOrigin& origin,
              const std::function<void(std::string_view)>& write);

// Throws Error(kData) where it is missing, damaged, or of another version. A file may come from
// anybody.
ModelDescription ReadModelDescription(const std::filesystem::path& path);

}  // namespace weir
