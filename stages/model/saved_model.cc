#include "stages/model/saved_model.h"

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "framework/error.h"
#include "framework/yaml_reader.h"
#include "stages/model/atomic_file.h"
#include "stages/model/model_config.h"
#include "stages/model/safetensors_writer.h"
#include "stages/model/weights_file.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kVersion = 1;
constexpr const char* kWeights = "model.safetensors";
constexpr const char* kDescription = "model.json";

// JSON is YAML, so what is written this way is read by the parser of the configuration.
json ToJson(const YamlNode& node) {
  switch (node.kind()) {
    case YamlNode::Kind::kNull:
      return nullptr;
    case YamlNode::Kind::kList: {
      json list = json::array();
      for (const YamlNode& item : node.items()) list.push_back(ToJson(item));
      return list;
    }
    case YamlNode::Kind::kMap: {
      json map = json::object();
      for (const YamlEntry& entry : node.entries()) map[entry.key] = ToJson(entry.value);
      return map;
    }
    case YamlNode::Kind::kScalar:
      break;
  }
  if (node.quoted()) return node.scalar();
  json value = json::parse(node.scalar(), nullptr, false);
  return value.is_number() || value.is_boolean() ? value : json(node.scalar());
}

json ToJson(const Preprocessing& preprocessing) {
  return {{"scale", preprocessing.scale}, {"offset", preprocessing.offset}};
}

Preprocessing PreprocessingFrom(const json& value) {
  Preprocessing preprocessing;
  value.at("scale").get_to(preprocessing.scale);
  value.at("offset").get_to(preprocessing.offset);
  return preprocessing;
}

json Describe(const Model& model) {
  const Convention& convention = model.backbone().convention();
  ModelConfig config = model.config();
  config.preprocessing = model.preprocessing();
  return {{"version", kVersion},
          {"classes", model.classes()},
          {"input", {model.backbone().input().height, model.backbone().input().width}},
          {"convention",
           {{"padding", convention.padding == Padding::kSame ? "same" : "symmetric"},
            {"batch_norm_epsilon", convention.batch_norm_epsilon},
            {"preprocessing", ToJson(convention.preprocessing)}}},
          {"preprocessing", ToJson(model.preprocessing())},
          {"model", ToJson(ToYaml(config))}};
}

Convention ConventionFrom(const json& value) {
  Convention convention;
  convention.padding = value.at("padding") == "same" ? Padding::kSame : Padding::kSymmetric;
  convention.batch_norm_epsilon = value.at("batch_norm_epsilon");
  convention.preprocessing = PreprocessingFrom(value.at("preprocessing"));
  return convention;
}

json ReadDescription(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(ErrorKind::kData, "cannot read " + path.string(),
                "Give the folder of a finished run.");
  }
  json description = json::parse(file, nullptr, false);
  if (!description.is_object()) {
    throw Error(ErrorKind::kData, path.string() + " is damaged: it is not a JSON object",
                "Run `weir run --resume` again: it writes the model anew from the checkpoint.");
  }
  const json version = description.value("version", json());
  if (version != kVersion) {
    throw Error(ErrorKind::kData,
                path.string() + " is of version " + version.dump() + ", this weir reads version " +
                    std::to_string(kVersion),
                "Use the weir that wrote it.");
  }
  return description;
}

ModelConfig ConfigFrom(const json& description, const fs::path& path) {
  Problems problems;
  const YamlNode node =
      ParseYaml(YamlSource::File(path.string(), description.at("model").dump(), path.parent_path()),
                problems);
  ModelConfig config = ParseModel(node, problems);
  problems.ThrowIfAny();
  config.preprocessing = PreprocessingFrom(description.at("preprocessing"));
  config.frozen = {};  // all: nothing learns any more
  return config;
}

std::vector<float> ReadHead(const fs::path& path, const std::string& name, std::size_t values) {
  const auto file = WeightsFile::Open(path);
  const TensorInfo* tensor = file->Find(name);
  if (!tensor || static_cast<std::size_t>(tensor->values()) != values) {
    throw Error(ErrorKind::kData,
                path.string() + (tensor ? " has another shape of " : " lacks ") + name + " than " +
                    kDescription + " declares",
                "The two files of a model belong together.");
  }
  std::vector<float> out(values);
  file->Read(*tensor, out);
  return out;
}

}  // namespace

void SaveModel(const fs::path& folder, const Model& model, const Learner& learner) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorKind::kData,
                "cannot make the folder " + folder.string() + ": " + error.message());
  }
  struct Copy {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
  };
  std::vector<Copy> copies;
  learner.ForEachTensor([&copies](const NamedTensor& tensor) {
    copies.push_back({tensor.name, tensor.shape, {tensor.values.begin(), tensor.values.end()}});
  });
  std::vector<TensorToWrite> tensors;
  for (const Copy& copy : copies) {
    tensors.push_back(TensorToWrite::Of(copy.name, copy.shape, copy.values));
  }
  const Convention& convention = model.backbone().convention();
  std::ostringstream epsilon;
  epsilon << convention.batch_norm_epsilon;
  WriteSafetensors(
      folder / kWeights, std::move(tensors),
      {{"weir.convention", convention.padding == Padding::kSame ? "keras" : "torchvision"},
       {"weir.batch_norm_epsilon", epsilon.str()}});

  const std::string description =
      Describe(model).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  AtomicFile file(folder / kDescription);
  file.Write(std::as_bytes(std::span(description)));
  file.Commit();
}

SavedModel LoadSavedModel(const fs::path& folder) {
  const fs::path path = folder / kDescription;
  const fs::path weights = folder / kWeights;
  const json description = ReadDescription(path);
  try {
    SavedModel saved;
    description.at("classes").get_to(saved.classes);
    saved.input = {description.at("input").at(0), description.at("input").at(1)};
    saved.source.config = ConfigFrom(description, path);
    saved.source.convention = ConventionFrom(description.at("convention"));
    saved.source.load_backbone = [weights](const Model& model) {
      return LoadBackbone(*WeightsFile::Open(weights), model.backbone());
    };
    saved.source.load_head = [weights](const std::string& name, std::size_t values) {
      return ReadHead(weights, name, values);
    };
    return saved;
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kData, path.string() + " is damaged: " + error.what(),
                "Run `weir run --resume` again: it writes the model anew from the checkpoint.");
  }
}

}  // namespace weir
