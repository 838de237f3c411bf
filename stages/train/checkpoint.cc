#include "stages/train/checkpoint.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/bounded_json.h"
#include "stages/files/sha256.h"
#include "stages/model/weights/safetensors_writer.h"
#include "stages/model/weights/weights_file.h"
#include "stages/train/schedules/schedule.h"

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

[[noreturn]] void Refuse(const std::filesystem::path& file, const std::string& what,
                         const std::string& remedy) {
  throw Error(ErrorKind::kData, "'" + file.string() + "' " + what, remedy);
}

nlohmann::json ToJson(const TrainingPosition& position) {
  const Metrics& metrics = position.metrics;
  nlohmann::json json = {{"epoch", position.epoch},
                         {"next_sample", position.next_sample},
                         {"step", position.step},
                         {"phase_step", position.phase_step},
                         {"optimizer_step", position.optimizer_step},
                         {"phase_epoch", position.phase_epoch},
                         {"averaged_epochs", position.averaged_epochs},
                         {"monitored", position.monitored},
                         {"begun", position.begun},
                         {"loss_sum", metrics.loss_sum},
                         {"images", metrics.images},
                         {"correct", std::uint64_t{0}}};
  for (const Metrics::Mean& mean : metrics.means) {
    if (mean.name == Metrics::kAccuracy) {
      json["correct"] = static_cast<std::uint64_t>(mean.sum);
    } else {
      json["metrics"][mean.name] = {mean.sum, mean.images};
    }
  }
  return json;
}

// Throws where it is no whole number from 0 to `most`.
std::uint64_t Count(const nlohmann::json& value,
                    std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
    throw std::out_of_range("a count");
  }
  return value.get<std::uint64_t>();
}

TrainingPosition PositionOf(const nlohmann::json& json) {
  TrainingPosition position;
  position.epoch = static_cast<int>(Count(json.at("epoch"), std::numeric_limits<int>::max()));
  position.next_sample = Count(json.at("next_sample"));
  position.step = Count(json.at("step"));
  // What earlier versions wrote has one phase, and one optimizer's state.
  position.phase_step = json.contains("phase_step") ? Count(json["phase_step"]) : position.step;
  position.optimizer_step =
      json.contains("optimizer_step") ? Count(json["optimizer_step"]) : position.step;
  const auto epochs = [&](const char* key, int otherwise) {
    return json.contains(key)
               ? static_cast<int>(Count(json[key], std::numeric_limits<int>::max()))
               : otherwise;
  };
  position.phase_epoch = epochs("phase_epoch", position.epoch);
  position.averaged_epochs = epochs("averaged_epochs", 0);
  for (const auto& [name, step] : json.value("begun", nlohmann::json::object()).items()) {
    position.begun.emplace(name, Count(step, position.optimizer_step));
  }
  Metrics& metrics = position.metrics;
  json.at("loss_sum").get_to(metrics.loss_sum);
  metrics.images = Count(json.at("images"));
  const std::uint64_t correct = Count(json.at("correct"), metrics.images);
  if (metrics.images > 0) {
    metrics.means.push_back(
        {std::string(Metrics::kAccuracy), static_cast<double>(correct), metrics.images});
  }
  const nlohmann::json others = json.value("metrics", nlohmann::json::object());
  for (const auto& [name, mean] : others.items()) {
    metrics.means.push_back({name, mean.at(0), Count(mean.at(1), metrics.images)});
  }
  for (const nlohmann::json& figure : json.value("monitored", nlohmann::json::array())) {
    position.monitored.push_back(figure.get<double>());
  }
  if (position.monitored.size() > ScheduleClock::kMostMonitored) {
    throw std::out_of_range("too many figures");
  }
  return position;
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
    Refuse(path, "has damaged metadata", "Resume from another checkpoint, or begin anew.");
  }
}

void CheckTensors(const std::filesystem::path& path, const WeightsFile& file,
                  const CheckpointArrays& arrays) {
  const std::string remedy = "Resume from another checkpoint, or begin anew.";
  std::size_t count = 0;
  for (const CheckpointArrays::Run& run : arrays.runs) {
    for (const Parameter& parameter : run.table->all()) {
      const std::string name = run.prefix + parameter.name;
      const TensorInfo* const tensor = file.Find(name);
      if (tensor == nullptr) Refuse(path, "has no tensor " + name, remedy);
      if (tensor->shape != parameter.shape) {
        Refuse(path, "has " + name + " in another shape than the model", remedy);
      }
      if (!tensor->unread.empty()) {
        Refuse(path, "cannot be used: its " + name + " " + tensor->unread, remedy);
      }
      ++count;
    }
  }
  if (count != file.tensors().size()) {
    Refuse(path,
           "has " + std::to_string(file.tensors().size()) + " tensors, the model " +
               std::to_string(count),
           remedy);
  }
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
  for (const CheckpointArrays::Run& run : arrays.runs) {
    for (const Parameter& parameter : run.table->all()) {
      const TensorInfo* const tensor = file->Find(run.prefix + parameter.name);
      const bool is_there = tensor && tensor->shape == parameter.shape && tensor->unread.empty();
      if (is_there) {
        file->Read(*tensor, run.values.subspan(parameter.offset, parameter.values));
      } else {
        taken.missing.insert(parameter.name);
      }
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
