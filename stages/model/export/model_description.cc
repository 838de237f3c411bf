#include "stages/model/export/model_description.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "framework/byte_size.h"
#include "framework/config/params.h"
#include "framework/error.h"
#include "stages/files/byte_reader.h"
#include "stages/files/class_names.h"
#include "stages/files/mapped_file.h"
#include "stages/model/export/yaml_json.h"

namespace weir {

template <>
struct EnumNames<Padding> {
  static constexpr std::array kNames{std::pair{"same", Padding::kSame},
                                     std::pair{"symmetric", Padding::kSymmetric}};
};

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr const char* kClasses = "classes";
// The longest that Describe() writes: the classes, each on a line of its own, and the rest.
constexpr JsonLimits kLimits{
    .text_bytes = kMostClassNamesBytes + kMostClasses * 8 + (std::size_t{1} << 20),
    .value_bytes = 6 * kLongestClassName};
constexpr std::size_t kWrittenAtOnce = std::size_t{64} << 10;  // bytes of names
constexpr const char* kRemedy = "Copy it again, or write it anew with `weir run --resume`.";

struct ConventionParams {
  Padding padding = Padding::kSame;
  double batch_norm_epsilon = 0;

  static auto Fields() {
    return std::tuple{
        Field{"padding", &ConventionParams::padding, "Of convolutions of stride 2.", Required{}},
        Field{"batch_norm_epsilon", &ConventionParams::batch_norm_epsilon, "Of the backbone.",
              MoreThan{0}, Required{}}};
  }
};

struct OriginParams {
  int epoch = 0;
  std::string phase;
  std::string as;
  std::string weights;
  YamlNode validation;

  static auto Fields() {
    return std::tuple{
        Field{"epoch", &OriginParams::epoch, "From 1.", AtLeast{0}},
        Field{"phase", &OriginParams::phase, "Where the training has phases."},
        Field{"as", &OriginParams::as, "Why this one: best accuracy, last."},
        Field{"weights", &OriginParams::weights, "ema or swa where they are an average."},
        Field{"validation", &OriginParams::validation, "The figures of its validation."}};
  }
};

// Beside the keys of the section `model:`.
struct DescriptionParams {
  int version = kVersion;
  std::vector<std::string> classes;  // empty: they are read beside it
  std::array<int, 2> input{};
  ConventionParams convention;
  YamlNode pictures;
  Precision precision = Precision::kFloat32;
  OriginParams kept;

  static auto Fields() {
    return std::tuple{
        Field{"version", &DescriptionParams::version, "Of this format.", Required{}},
        Field{"classes", &DescriptionParams::classes, "In the order of the outputs.", Required{}},
        Field{"input", &DescriptionParams::input, "Height and width in pixels.", Range{32, 65'536},
              Required{}},
        Field{"convention", &DescriptionParams::convention, "Of the weights."},
        Field{"pictures", &DescriptionParams::pictures,
              "The stages that bring a picture to the model's size."},
        Field{"precision", &DescriptionParams::precision, "Of the backbone."},
        Field{"kept", &DescriptionParams::kept, "Which model of a training it is."}};
  }
};

const std::vector<std::string> kModelKeys = {"preprocessing", "backbone", "head"};

// The shortest decimal that reads back as this float: 0.001, not 0.0010000000474974513.
double Shortest(float value) {
  std::array<char, 32> text;
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double shortest = value;
  std::from_chars(text.data(), end, shortest);
  return shortest;
}

// The elements of the list of the classes, as Json::dump(2) places them.
void WriteNames(const std::vector<std::string>& names,
                const std::function<void(std::string_view)>& write) {
  std::string piece;
  for (std::size_t i = 0; i < names.size(); ++i) {
    piece += (i == 0 ? "\n    " : ",\n    ") + QuotedJson(names[i]);
    if (piece.size() < kWrittenAtOnce) continue;
    write(piece);
    piece.clear();
  }
  if (!names.empty()) piece += "\n  ";
  write(piece);
}

MappedFile Mapped(const std::filesystem::path& path) {
  try {
    return MappedFile(path);
  } catch (const Error& error) {  // it names the path itself
    throw Error(ErrorKind::kData, error.what(), kRemedy);
  }
}

// The description but its classes, which go to `classes`.
YamlNode ReadTree(const MappedFile& file, std::vector<std::string>& classes) {
  if (file.bytes().size() > kLimits.text_bytes) {
    throw Error(ErrorKind::kData, "it is longer than " + ToRoundText(ByteSize{kLimits.text_bytes}));
  }
  YamlNode root;
  try {
    root = YamlFromJson(
        AsText(file.bytes()),
        {.limits = kLimits, .key = kClasses, .texts = &classes, .most_texts = kMostClasses});
  } catch (const JsonRefusal& refusal) {
    throw Error(ErrorKind::kData, std::string("it ") + refusal.what());
  }
  if (!root.is_map()) throw Error(ErrorKind::kData, "it is not a JSON object");
  const auto version = root.Find("version");
  const bool is_number =
      version && version->scalar().find_first_not_of("0123456789") == version->scalar().npos;
  if (is_number && version->scalar() != std::to_string(kVersion)) {
    throw Error(ErrorKind::kData, "it is of version " + version->scalar() +
                                      ", this weir reads version " + std::to_string(kVersion));
  }
  return root;
}

ModelDescription FromParams(const YamlNode& root, std::vector<std::string> classes) {
  Problems problems;
  const auto params = Parse<DescriptionParams>(root, problems, kModelKeys);
  YamlNode model = YamlNode::Map({});
  for (const std::string& key : kModelKeys) {
    if (const auto value = root.Find(key)) model = model.With({key, *value});
  }
  if (const auto backbone = model.Find("backbone"); backbone && backbone->is_map()) {
    // They lie beside the description, whatever it says.
    model = model.With({"backbone", backbone->With({"weights", YamlNode::Scalar("none")})});
  }
  ModelDescription description{.classes = std::move(classes),
                               .input = {params.input[0], params.input[1]},
                               .convention = {},
                               .config = ParseModel(model, problems),
                               .use = {params.pictures, params.precision},
                               .epoch = params.kept.epoch};
  if (!problems.empty()) throw Error(ErrorKind::kData, problems.messages().front());
  description.convention.padding = params.convention.padding;
  description.convention.batch_norm_epsilon =
      static_cast<float>(params.convention.batch_norm_epsilon);
  if (!description.config.preprocessing) {
    throw Error(ErrorKind::kData, "missing required key `preprocessing`");
  }
  description.convention.preprocessing = *description.config.preprocessing;
  return description;
}

}  // namespace

void Describe(const Model& model, const ModelUse& use, const ModelOrigin& origin,
              const std::function<void(std::string_view)>& write) {
  const Network& network = model.network();
  ModelConfig config = model.config();
  config.preprocessing = model.preprocessing();
  const YamlNode section = ToYaml(config);
  Json json = {
      {"version", kVersion},
      {kClasses, Json::array()},
      {"input", {network.input().height, network.input().width}},
      {"convention",
       ToJson(ToYaml(ConventionParams{network.convention().padding,
                                      Shortest(network.convention().batch_norm_epsilon)}))},
      {"preprocessing", ToJson(*section.Find("preprocessing"))},
      {"backbone", {{"name", config.backbone.name}, {"width", config.backbone.width}}},
      {"head", ToJson(*section.Find("head"))}};
  if (!use.pictures.is_null()) json["pictures"] = ToJson(use.pictures);
  json["precision"] = std::string(NameIn(use.precision));
  if (!origin.empty()) json["kept"] = origin;
  const std::string text =
      json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
  const std::size_t classes_end = text.find("[]") + 1;  // `classes` is the first list
  write(std::string_view(text).substr(0, classes_end));
  WriteNames(model.classes(), write);
  write(std::string_view(text).substr(classes_end));
}

ModelDescription ReadModelDescription(const std::filesystem::path& path) {
  const MappedFile file = Mapped(path);
  try {
    std::vector<std::string> classes;
    const YamlNode root = ReadTree(file, classes);
    return FromParams(root, std::move(classes));
  } catch (const Error& error) {
    throw Error(ErrorKind::kData, path.string() + ": " + error.what(), kRemedy);
  }
}

}  // namespace weir
