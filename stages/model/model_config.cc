#include "stages/model/model_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <tuple>
#include <utility>

#include "framework/config/component.h"
#include "framework/config/params.h"
#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/weights_source.h"
#include "stages/model/frozen_config.h"
#include "stages/model/weights/weights_formats.h"

namespace weir {

template <>
struct EnumNames<ConventionChoice> {
  static constexpr std::array kNames{std::pair{"auto", ConventionChoice::kAuto},
                                     std::pair{"keras", ConventionChoice::kKeras},
                                     std::pair{"torchvision", ConventionChoice::kTorchvision}};
};

namespace {

std::string Absolute(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

bool IsAddress(std::string_view text) { return text.find("://") != std::string_view::npos; }

// What the weights are read from. A word without a dot or a slash is a name, not a path.
struct Weights {
  std::string from = BackboneConfig{}.weights;
  std::string sha256;
};

struct Address {
  std::string url;
  std::string sha256;

  static auto Fields() {
    return std::tuple{
        Field{"url", &Address::url, "Where it is fetched from, once.", Required{}},
        Field{"sha256", &Address::sha256, "Of the file: 64 hexadecimal digits.", Required{}}};
  }
};

}  // namespace

template <>
struct ParamType<Weights> {
  static TypeWords Words(const FieldRules&) {
    return {"a name, a path, a URL or {url: ..., sha256: ...}", "weights"};
  }

  static std::optional<Weights> Read(const YamlNode& node, const FieldRules& rules,
                                     Problems& problems) {
    if (node.is_null()) return Weights{"none", ""};  // Keras' None
    if (node.is_map()) {
      const std::size_t before = problems.size();
      const auto address = Parse<Address>(node, problems);
      if (problems.size() != before) return std::nullopt;
      return Weights{address.url, address.sha256};
    }
    const std::vector<std::string> names = WeightsNames();
    const std::string& text = node.scalar();
    if (std::find(names.begin(), names.end(), text) != names.end() || IsAddress(text)) {
      return Weights{text, ""};
    }
    if (text.find_first_of("./") == std::string::npos) {
      std::string ending = DidYouMean(text, names);
      if (ending.empty()) ending = "; the names are " + Enumerate(names);
      detail::AddWrongType(node, rules, Words(rules).one, problems, ending);
      return std::nullopt;
    }
    const auto path = ParamType<std::filesystem::path>::Read(node, rules, problems);
    if (!path) return std::nullopt;
    return Weights{Absolute(*path), ""};
  }

  static YamlNode Write(const Weights& weights, const FieldRules&) {
    if (weights.sha256.empty()) return detail::WriteText(weights.from);
    return weir::ToYaml(Address{weights.from, weights.sha256});
  }
  static YamlNode Schema(const FieldRules&) {
    return schema::AnyOf({schema::OfType("null"), schema::OfType("string"), SchemaOf<Address>()});
  }
};

namespace {

// A number for each of the three channels; written as one where they are equal.
struct PerChannel {
  std::array<float, 3> values;
};

}  // namespace

template <>
struct ParamType<PerChannel> {
  static TypeWords Words(const FieldRules&) {
    return {"a number or a list of 3 numbers", "numbers or lists of 3 numbers"};
  }

  static std::optional<PerChannel> Read(const YamlNode& node, const FieldRules& rules,
                                        Problems& problems) {
    if (!node.is_list()) {
      const auto value = ParamType<double>::Read(node, rules, problems);
      if (!value) return std::nullopt;
      const auto channel = static_cast<float>(*value);
      return PerChannel{{channel, channel, channel}};
    }
    const auto list = ParamType<std::array<double, 3>>::Read(node, rules, problems);
    if (!list) return std::nullopt;
    PerChannel channels{};
    std::transform(list->begin(), list->end(), channels.values.begin(),
                   [](double value) { return static_cast<float>(value); });
    return channels;
  }

  static YamlNode Write(const PerChannel& channels, const FieldRules&) {
    const auto& [red, green, blue] = channels.values;
    if (red == green && green == blue) return WriteFloat(red);
    return YamlNode::List({WriteFloat(red), WriteFloat(green), WriteFloat(blue)});
  }

  static YamlNode Schema(const FieldRules& rules) {
    const YamlNode number = detail::NumberSchema(rules);
    return schema::AnyOf({number, schema::ListOf(number, 3)});
  }

 private:
  static YamlNode WriteFloat(float value) {
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return YamlNode::Scalar(std::string(text.data(), end));
  }
};

namespace {

struct PreprocessingParams {
  PerChannel scale = {{1, 1, 1}};
  PerChannel offset = {{0, 0, 0}};

  static auto Fields() {
    return std::tuple{
        Field{"scale", &PreprocessingParams::scale,
              "What a pixel in [0, 255] is multiplied with, for all channels or for red, green and "
              "blue: 1/255.",
              Range{-1'000'000, 1'000'000}},
        Field{"offset", &PreprocessingParams::offset, "What is added then.",
              Range{-1'000'000, 1'000'000}}};
  }
  void Check(const Blame& blame) const {
    for (float value : scale.values) {
      if (value == 0)
        return blame("scale", "`scale` takes numbers other than 0: the picture is lost");
    }
  }
};

Choices BackboneChoices() {
  std::vector<Choice> names;
  for (const BackboneKind* kind : Backbones()) names.emplace_back(kind->name);
  return Choices(std::move(names));
}

struct BackboneParams {
  std::string name = BackboneConfig{}.name;
  bool include_top = false;
  double width = BackboneConfig{}.width;
  Weights weights;
  Auto<std::string> prefix;
  ConventionChoice convention = ConventionChoice::kAuto;
  BatchNormMode batch_norm = BatchNormMode::kStored;

  static auto Fields() {
    static const std::string kWeightsDoc =
        "What it starts from: none (random), imagenet or another name of published weights, a " +
        WeightsEndings() + " file, or where to fetch one.";
    return std::tuple{
        Field{"name", &BackboneParams::name, "The architecture.", BackboneChoices(),
              ElsewhereCalled{"model_name", "arch", "architecture", "type", "model"}},
        Field{"include_top", &BackboneParams::include_top,
              "false: without the classifier it was trained with."},
        Field{"width", &BackboneParams::width,
              "What the channels are multiplied with (Keras' alpha, torchvision's width_mult).",
              MoreThan{0}, ElsewhereCalled{"alpha", "width_mult", "width_multiplier"}},
        Field{"weights", &BackboneParams::weights, kWeightsDoc,
              ElsewhereCalled{"pretrained", "initial_checkpoint", "checkpoint_path", "checkpoint",
                              "ckpt", "weights_path"}},
        Field{"prefix", &BackboneParams::prefix,
              "What the names of its tensors begin with (encoder_q., state_dict_ema.), where the "
              "file of weights holds several networks; auto is the only one that fits."},
        Field{"convention", &BackboneParams::convention,
              "How it pads and what it is fed; auto is what the weights were trained with."},
        Field{
            "batch_norm", &BackboneParams::batch_norm,
            "What the batch norms of layers that learn use in train passes: stored statistics, or "
            "the batch's (train), which must then fit in one micro-batch."}};
  }
  void Check(const Blame& blame) const {
    if (include_top) {
      blame("include_top",
            "weir builds the headless backbone; declare the classes in `head`, and leave "
            "`include_top` false");
    }
    if (weights.from == "none" && !prefix.is_auto()) {
      blame("prefix", "`prefix` says which network of a file, and `weights: none` reads no file");
    }
    try {
      ParseWeightsSource(weights.from, weights.sha256, FindBackbone(name), width);
    } catch (const Error& error) {
      blame("weights", std::string(error.what()) + "; " + error.remedy());
    }
  }
};

struct ModelParams {
  std::optional<std::filesystem::path> from;
  BackboneParams backbone;
  Auto<PreprocessingParams> preprocessing;
  FrozenConfig frozen;
  Head head;

  static auto Fields() {
    return std::tuple{
        Field{"from", &ModelParams::from,
              "The folder of an earlier run, or its model/: backbone and head begin with its "
              "weights, each class with those of the class of that name."},
        Field{"backbone", &ModelParams::backbone, "The pretrained part.",
              ElsewhereCalled{"encoder", "base_model", "base", "feature_extractor"}},
        Field{"preprocessing", &ModelParams::preprocessing,
              "What the backbone is fed: auto is what its weights were trained with.",
              ElsewhereCalled{"preprocess", "preprocessing_function", "preprocess_input",
                              "rescaling"}},
        Field{"frozen", &ModelParams::frozen,
              "The layers of the backbone that keep their weights, in Keras', torchvision's or "
              "timm's names; a pattern may hold * and ?.",
              ElsewhereCalled{"freeze", "freeze_backbone", "freeze_base", "freeze_layers",
                              "frozen_layers", "freeze_until"}},
        Field{"head", &ModelParams::head, "The layers behind the backbone, in order.", Required{},
              ElsewhereCalled{"classifier", "classifier_head", "top"}}};
  }
  void Check(const Blame& blame) const {
    const bool has_weights =
        backbone.weights.from != BackboneConfig{}.weights && backbone.weights.from != "none";
    if (from && (has_weights || !backbone.prefix.is_auto())) {
      blame("from",
            "`from` brings the backbone's weights too: leave `weights` and `prefix` out of "
            "`backbone`");
    }
    if (head.empty()) {
      blame("head",
            "`head` takes at least one layer: dense: {units: classes, activation: softmax}");
    }
  }
};

}  // namespace

ModelConfig ParseModel(const YamlNode& node, Problems& problems) {
  const auto params = Parse<ModelParams>(node, problems);
  const BackboneParams& backbone = params.backbone;
  ModelConfig config{.from = params.from ? Absolute(*params.from) : "",
                     .backbone = {.name = backbone.name,
                                  .include_top = backbone.include_top,
                                  .width = backbone.width,
                                  .weights = backbone.weights.from,
                                  .sha256 = backbone.weights.sha256,
                                  .prefix = backbone.prefix.value_or(""),
                                  .convention = backbone.convention,
                                  .batch_norm = backbone.batch_norm},
                     .frozen = params.frozen,
                     .head = params.head};
  if (!params.preprocessing.is_auto()) {
    const PreprocessingParams& fixed = params.preprocessing.value();
    config.preprocessing = Preprocessing{fixed.scale.values, fixed.offset.values};
  }
  return config;
}

YamlNode ToYaml(const ModelConfig& config) {
  const BackboneConfig& backbone = config.backbone;
  ModelParams params{.from = {},
                     .backbone = {.name = backbone.name,
                                  .include_top = backbone.include_top,
                                  .width = backbone.width,
                                  .weights = {backbone.weights, backbone.sha256},
                                  .prefix = {},
                                  .convention = backbone.convention,
                                  .batch_norm = backbone.batch_norm},
                     .preprocessing = {},
                     .frozen = config.frozen,
                     .head = config.head};
  if (!config.from.empty()) params.from = config.from;
  if (!backbone.prefix.empty()) params.backbone.prefix = backbone.prefix;
  if (config.preprocessing) {
    params.preprocessing =
        PreprocessingParams{{config.preprocessing->scale}, {config.preprocessing->offset}};
  }
  const YamlNode written = ToYaml(params);
  return params.from ? written : written.Without("from");
}

YamlNode ModelSchema() { return SchemaOf<ModelParams>(); }

std::vector<FieldDoc> DescribeModel() { return Describe<ModelParams>(); }

}  // namespace weir
