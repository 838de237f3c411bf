#include "stages/train/checkpoint.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/bounded_json.h"
#include "stages/files/sha256.h"
#include "stages/model/weights/safetensors_writer.h"
#include "stages/model/weights/weights_file.h"
#include "stages/train/position_json.h"

namespace weir {
namespace {

constexpr const char* kFormatKey = "weir.checkpoint";
constexpr const char* kFormat = "1";
constexpr const char* kPositionKey = "weir.position";
constexpr const char* kDeclarationKey = "weir.declaration";
constexpr const char* kExtraKey = "weir.extra";

// What the metadata say is short: a declaration, and where the training stands.
constexpr JsonLimits kLimits{.text_bytes = std::size_t{1} << 20,
                             .held_bytes = std::size_t{4} << 20};
constexpr std::size_t kLongestClassList = std::size_t{256} << 10;  // bytes
constexpr std::string_view kSeparator = ", ";
constexpr const char* kTakeAnother = "Resume from another checkpoint, or begin anew.";

[[noreturn]] void Refuse(const std::filesystem::path& file, const std::string& what,
                         const std::string& remedy) {
  throw Error(ErrorKind::kData, "'" + file.string() + "' " + what, remedy);
}

std::string ToText(double value) { return nlohmann::json(value).dump(); }

template <class Items, class Text>
std::string Join(const Items& items, Text text) {
  std::string joined;
  for (const auto& item : items) {
    if (!joined.empty()) joined += kSeparator;
    joined += text(item);
  }
  return joined;
}

// The names of the classes, of which no second list is held; where that is long, the beginning, and
// what tells it from others.
std::string ClassesText(const std::vector<std::string>& classes) {
  std::size_t bytes = 0;
  for (const std::string& name : classes) bytes += ToUtf8(name).size() + kSeparator.size();
  if (bytes <= kLongestClassList + kSeparator.size()) {
    return Join(classes, [](const std::string& name) { return ToUtf8(name); });
  }
  Sha256 sha256;
  for (const std::string& name : classes) {
    const std::string quoted = QuotedJson(name);
    sha256.Add(std::as_bytes(std::span(quoted)));
  }
  return ToUtf8(Printable(classes.front())) + ", ... (" + std::to_string(classes.size()) +
         " classes, SHA-256 " + sha256.Finish() + ")";
}

// "scale 0.00784, offset -1": one of each where the channels are alike.
std::string ToText(const Preprocessing& preprocessing) {
  const auto text = [](const auto& channels) {
    const bool alike = std::ranges::count(channels, channels[0]) == std::ssize(channels);
    return alike ? ToText(channels[0])
                 : Join(channels, [](float channel) { return ToText(channel); });
  };
  return "scale " + text(preprocessing.scale) + ", offset " + text(preprocessing.offset);
}

std::string LearningLayerNames(const Model& model) {
  std::vector<std::string> names;
  for (int i = 0; i < model.network().size(); ++i) {
    if (model.learns(i)) names.push_back(model.network().layers()[i].name);
  }
  return names.empty() ? "none" : Join(names, [](const std::string& name) { return name; });
}

Declaration ReadDeclaration(const WeightsFile& file) {
  const auto found = file.metadata().find(kDeclarationKey);
  if (found == file.metadata().end()) return {};
  return ParseJson(found->second, kLimits).get<Declaration>();
}

const std::string* Find(const Declaration& declaration, const std::string& key) {
  const auto found = std::ranges::find(declaration, key, &Declaration::value_type::first);
  return found == declaration.end() ? nullptr : &found->second;
}

bool IsWithinCharacter(const std::string& text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;  // UTF-8
}

// The text, or of a long one what stands around `at`: the names of a thousand classes would fill a
// screen.
std::string Around(const std::string& text, std::size_t at) {
  constexpr std::size_t kShownBytes = 200, kShownBefore = 60;
  if (text.size() <= kShownBytes) return text;
  std::size_t begin = at > kShownBefore ? at - kShownBefore : 0;
  std::size_t end = std::min(text.size(), begin + kShownBytes);
  while (IsWithinCharacter(text, begin)) ++begin;
  while (end > begin && IsWithinCharacter(text, end)) --end;
  return (begin > 0 ? "... " : "") + text.substr(begin, end - begin) +
         (end < text.size() ? " ..." : "");
}

void CheckIsTheSame(const std::filesystem::path& file, const std::string& key,
                    const std::string& was, const std::string& is) {
  if (is == was) return;
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(was, is).in1 - was.begin());
  Refuse(file,
         "is of another training: " + key + " was `" + Around(was, at) + "`, and is `" +
             Around(is, at) + "` now",
         "Resume with the configuration, the weights and the pictures that it was begun with, or "
         "begin anew in another folder.");
}

// What an earlier version did not declare cannot be compared.
void CompareDeclarations(const std::filesystem::path& file, const Declaration& saved,
                         const Declaration& wanted) {
  for (const auto& [key, was] : saved) {
    const std::string* const is = Find(wanted, key);
    if (!is) {
      Refuse(file, "is of a later version of weir, and declares its " + key,
             "Go on with that version, or begin anew in another folder.");
    }
    CheckIsTheSame(file, key, was, *is);
  }
  const std::string* const average = Find(wanted, kAverageKey);
  if (average && !Find(saved, kAverageKey)) CheckIsTheSame(file, kAverageKey, kNoAverage, *average);
}

// A file that cannot be read is told as what it is: no weights of somebody else's to download
// again.
std::unique_ptr<WeightsFile> OpenCheckpoint(const std::filesystem::path& path) {
  const MappedFile mapped(path);  // a file that cannot be opened is not a damaged one
  try {
    return WeightsFile::OpenOwn(path, mapped);
  } catch (const Error& damage) {
    throw Error(ErrorKind::kData, damage.what(),
                "The checkpoint is damaged: remove it, and the run begins anew.");
  }
}

struct Metadata {
  Declaration declaration;
  TrainingPosition position;
  std::string extra;
};

// Throws Error(kData) where they are not those of a checkpoint.
Metadata ReadMetadata(const std::filesystem::path& path, const WeightsFile& file) {
  const auto& metadata = file.metadata();
  const auto format = metadata.find(kFormatKey);
  if (format == metadata.end() || format->second != kFormat) {
    Refuse(path, "is not a checkpoint of this version of weir", "Give the checkpoint of a run.");
  }
  try {
    return {ReadDeclaration(file), PositionOf(ParseJson(metadata.at(kPositionKey), kLimits)),
            metadata.at(kExtraKey)};
  } catch (const std::exception&) {  // broken JSON, a missing key or an impossible number
    Refuse(path, "has damaged metadata", kTakeAnother);
  }
}

void CheckTensor(const std::filesystem::path& path, const std::string& name,
                 const TensorInfo& tensor, const Parameter& parameter) {
  if (tensor.shape != parameter.shape) {
    Refuse(path, "has " + name + " in another shape than the model", kTakeAnother);
  }
  if (!tensor.unread.empty()) {
    Refuse(path, "cannot be used: its " + name + " " + tensor.unread, kTakeAnother);
  }
}

void CheckTensors(const std::filesystem::path& path, const WeightsFile& file,
                  const CheckpointArrays& arrays) {
  std::size_t count = 0;
  for (const CheckpointArrays::Run& run : arrays.runs) {
    for (const Parameter& parameter : run.table->all()) {
      const std::string name = run.prefix + parameter.name;
      const TensorInfo* const tensor = file.Find(name);
      if (tensor == nullptr) Refuse(path, "has no tensor " + name, kTakeAnother);
      CheckTensor(path, name, *tensor, parameter);
      ++count;
    }
  }
  if (count != file.tensors().size()) {
    Refuse(path,
           "has " + std::to_string(file.tensors().size()) + " tensors, the model " +
               std::to_string(count),
           kTakeAnother);
  }
}

// The parameters of which the file has nothing; what it has of the others is checked.
std::set<std::string> MissingOf(const std::filesystem::path& path, const WeightsFile& file,
                                const CheckpointArrays& arrays) {
  std::set<std::string> missing;
  std::map<std::string, std::string> found;  // parameter -> one of its tensors
  for (const CheckpointArrays::Run& run : arrays.runs) {
    for (const Parameter& parameter : run.table->all()) {
      const std::string name = run.prefix + parameter.name;
      const TensorInfo* const tensor = file.Find(name);
      if (tensor) CheckTensor(path, name, *tensor, parameter);
      if (tensor) found.emplace(parameter.name, name);
      if (!tensor) missing.insert(parameter.name);
    }
  }
  for (const auto& [parameter, name] : found) {
    if (!missing.contains(parameter)) continue;
    Refuse(path, "has " + name + ", but not all that the optimizer keeps of it", kTakeAnother);
  }
  return missing;
}

}  // namespace

Declaration DeclarationOf(const Model& model, std::string_view optimizer) {
  const MapSize input = model.network().input();
  const BackboneConfig& config = model.config().backbone;
  const Convention& convention = model.network().convention();
  return {
      {"backbone", config.name + ", width " + ToText(model.backbone().width())},
      {"picture size", std::to_string(input.height) + " x " + std::to_string(input.width)},
      {"padding", convention.padding == Padding::kSame ? "same" : "symmetric"},
      {"batch norm epsilon", ToText(convention.batch_norm_epsilon)},
      {"preprocessing", ToText(model.preprocessing())},
      {"batch norm", config.batch_norm == BatchNormMode::kTrain ? "train" : "stored"},
      {"layers that learn", LearningLayerNames(model)},
      {"head", Join(model.head(), [](const auto& layer) { return layer->declaration(); })},
      {"classes", ClassesText(model.classes())},
      {"optimizer", std::string(optimizer)},
      {"seed", std::to_string(model.seed())},
  };
}

void SaveCheckpoint(const std::filesystem::path& file, const CheckpointArrays& arrays,
                    const Declaration& declaration, const TrainingPosition& position,
                    const std::string& extra) {
  std::vector<TensorToWrite> tensors;
  for (const CheckpointArrays::Run& run : arrays.runs) {
    for (const Parameter& parameter : run.table->all()) {
      tensors.push_back(TensorToWrite::Of(run.prefix + parameter.name, parameter.shape,
                                          run.values.subspan(parameter.offset, parameter.values)));
    }
  }
  WriteSafetensors(file, std::move(tensors),
                   {{kFormatKey, kFormat},
                    {kPositionKey, ToJson(position).dump()},
                    {kDeclarationKey, nlohmann::json(declaration).dump()},
                    {kExtraKey, extra}});
}

std::string ReadCheckpointDeclaration(const std::filesystem::path& path, const std::string& key) {
  const Metadata metadata = ReadMetadata(path, *OpenCheckpoint(path));
  const std::string* const found = Find(metadata.declaration, key);
  return found ? *found : "";
}

std::string ReadCheckpointExtra(const std::filesystem::path& path) {
  return ReadMetadata(path, *OpenCheckpoint(path)).extra;
}

TakenOver TakeOverCheckpoint(const std::filesystem::path& path, const CheckpointArrays& arrays,
                             const Declaration& declaration) {
  const std::unique_ptr<WeightsFile> file = OpenCheckpoint(path);
  Metadata metadata = ReadMetadata(path, *file);
  TakenOver taken{.position = std::move(metadata.position), .missing = {}};
  for (const auto& [key, is] : declaration) {
    const std::string* const was = Find(metadata.declaration, key);
    if (was) CheckIsTheSame(path, key, *was, is);
  }
  taken.missing = MissingOf(path, *file, arrays);
  for (const CheckpointArrays::Run& run : arrays.runs) {
    for (const Parameter& parameter : run.table->all()) {
      if (taken.missing.contains(parameter.name)) continue;
      file->Read(*file->Find(run.prefix + parameter.name),
                 run.values.subspan(parameter.offset, parameter.values));
    }
  }
  return taken;
}

RestoredState RestoreCheckpoint(const std::filesystem::path& path, const CheckpointArrays& arrays,
                                const Declaration& declaration) {
  const std::unique_ptr<WeightsFile> file = OpenCheckpoint(path);
  Metadata metadata = ReadMetadata(path, *file);
  CompareDeclarations(path, metadata.declaration, declaration);
  RestoredState state{std::move(metadata.position), std::move(metadata.extra)};
  CheckTensors(path, *file, arrays);
  for (const CheckpointArrays::Run& run : arrays.runs) {
    for (const Parameter& parameter : run.table->all()) {
      file->Read(*file->Find(run.prefix + parameter.name),
                 run.values.subspan(parameter.offset, parameter.values));
    }
  }
  return state;
}

}  // namespace weir
