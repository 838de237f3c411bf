#include "stages/model/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/params.h"
#include "framework/config/yaml_emitter.h"
#include "framework/config/yaml_reader.h"
#include "stages/model/model.h"

namespace weir {
namespace {

YamlNode Read(const std::string& text, Problems& problems) {
  return ParseYaml(YamlSource::File("a.yaml", text, "/photos"), problems);
}

ModelConfig Model(const std::string& text) {
  Problems problems;
  const ModelConfig config = ParseModel(Read(text, problems), problems);
  EXPECT_EQ(problems.text(), "");
  return config;
}

std::string ProblemsOfModel(const std::string& text) {
  Problems problems;
  ParseModel(Read(text, problems), problems);
  return problems.text();
}

// One line of `model:` beside a head that is right.
std::string ProblemsWith(const std::string& line) {
  return ProblemsOfModel(line + "\nhead: [flatten, dense: {units: classes}]");
}

TEST(ParseModel, ReadsTheArticlesModel) {
  const ModelConfig config = Model(R"(
backbone: {name: mobilenet_v2, include_top: false, width: 1.0, weights: imagenet}
frozen: all
head:
  - global_average_pooling
  - dense: {units: 1024, activation: relu}
  - dense: {units: classes, activation: softmax}
)");
  EXPECT_EQ(config.backbone.weights, "imagenet");
  EXPECT_EQ(config.frozen.kind, FrozenConfig::Kind::kAll);
  EXPECT_FALSE(config.preprocessing.has_value());
  ASSERT_EQ(config.head.size(), 3u);
  EXPECT_EQ(config.head[0]->declaration(), "global_average_pooling");
  EXPECT_EQ(config.head[1]->declaration(), "dense 1024 relu");
  EXPECT_TRUE(config.head[2]->needs_classes());
  EXPECT_EQ(config.head[2]->WithClasses(7)->declaration(), "dense 7 softmax");
}

TEST(ParseModel, TakesThePathOfWeightsFromTheFolderOfTheFile) {
  const auto weights = [](const std::string& written) {
    return Model("backbone: {weights: " + written + "}\nhead: [flatten]").backbone.weights;
  };
  EXPECT_EQ(weights("w/../mobilenet.pth"), "/photos/mobilenet.pth");
  EXPECT_EQ(weights("/w/mobilenet.h5"), "/w/mobilenet.h5");
  EXPECT_EQ(weights("https://example.com/w-0123abcd.pth"), "https://example.com/w-0123abcd.pth");
  EXPECT_EQ(weights("imagenet_keras"), "imagenet_keras");
  EXPECT_EQ(weights("null"), "none");
}

TEST(ParseModel, TakesAUrlWithItsSum) {
  const std::string sum(64, 'a');
  const BackboneConfig backbone =
      Model("backbone: {weights: {url: https://example.com/w.pth, sha256: " + sum +
            "}}\nhead: [flatten]")
          .backbone;
  EXPECT_EQ(backbone.weights, "https://example.com/w.pth");
  EXPECT_EQ(backbone.sha256, sum);
}

TEST(ParseModel, TakesThePrefixOfOneOfAFilesNetworks) {
  EXPECT_EQ(
      Model("backbone: {weights: a.pth, prefix: encoder_q.}\nhead: [flatten]").backbone.prefix,
      "encoder_q.");
  EXPECT_EQ(Model("backbone: {weights: a.pth, prefix: auto}\nhead: [flatten]").backbone.prefix, "");
  EXPECT_EQ(
      ProblemsWith("backbone: {weights: none, prefix: a.}"),
      "a.yaml:1:35: `prefix` says which network of a file, and `weights: none` reads no file\n"
      "    1 | backbone: {weights: none, prefix: a.}\n"
      "      |                                   ^");
}

TEST(ParseModel, ReadsPreprocessingAsFractionsAndPerChannel) {
  const ModelConfig config =
      Model("preprocessing: {scale: 1/255, offset: [-1, 0, 0.5]}\nhead: [flatten]");
  EXPECT_EQ(config.preprocessing,
            (Preprocessing{{1 / 255.f, 1 / 255.f, 1 / 255.f}, {-1, 0, 0.5f}}));
  EXPECT_FALSE(Model("preprocessing: auto\nhead: [flatten]").preprocessing.has_value());
}

TEST(ParseModel, ReadsWhatIsFrozen) {
  const auto frozen = [](const std::string& written) {
    return Model("frozen: " + written + "\nhead: [flatten]").frozen;
  };
  EXPECT_EQ(frozen("none").kind, FrozenConfig::Kind::kNone);
  EXPECT_EQ(frozen("{through: block_12}").through, "block_12");
  EXPECT_THAT(frozen("[Conv1, block_1_*]").patterns, testing::ElementsAre("Conv1", "block_1_*"));
}

TEST(ParseModel, BlamesThePlace) {
  EXPECT_EQ(ProblemsWith("frozen: {through: blok_12}"),
            "a.yaml:1:9: model.frozen: there is no layer `blok_12` in mobilenet_v2; did you mean "
            "`block_12`?\n"
            "    1 | frozen: {through: blok_12}\n"
            "      |         ^");
  EXPECT_EQ(ProblemsWith("frozen: block_12"),
            "a.yaml:1:9: `frozen` takes all, none, {through: LAYER} or a list of patterns, not "
            "`block_12`\n"
            "    1 | frozen: block_12\n"
            "      |         ^");
  EXPECT_EQ(ProblemsWith("backbone: {include_top: true}"),
            "a.yaml:1:25: weir builds the headless backbone; declare the classes in `head`, and "
            "leave `include_top` false\n"
            "    1 | backbone: {include_top: true}\n"
            "      |                         ^");
  EXPECT_EQ(ProblemsWith("backbone: {name: mobilenet_v3}"),
            "a.yaml:1:18: `name` takes mobilenet_v2, not `mobilenet_v3`; did you mean "
            "`mobilenet_v2`?\n"
            "    1 | backbone: {name: mobilenet_v3}\n"
            "      |                  ^");
  EXPECT_EQ(ProblemsWith("backbone: {width: 0}"),
            "a.yaml:1:19: `width` takes more than 0, not 0\n"
            "    1 | backbone: {width: 0}\n"
            "      |                   ^");
  EXPECT_EQ(ProblemsWith("preprocessing: {scale: 0}"),
            "a.yaml:1:24: `scale` takes numbers other than 0: the picture is lost\n"
            "    1 | preprocessing: {scale: 0}\n"
            "      |                        ^");
}

TEST(ParseModel, BlamesWeightsThatCannotBe) {
  EXPECT_EQ(ProblemsWith("backbone: {weights: imagnet}"),
            "a.yaml:1:21: `weights` takes a name, a path, a URL or {url: ..., sha256: ...}, not "
            "`imagnet`; did you mean `imagenet`?\n"
            "    1 | backbone: {weights: imagnet}\n"
            "      |                     ^");
  EXPECT_EQ(ProblemsWith("backbone: {weights: {url: https://a.b/c, sha256: abc}}"),
            "a.yaml:1:21: weights: sha256 'abc' is no digest; give 64 hexadecimal digits in lower "
            "case, as sha256sum prints them\n"
            "    1 | backbone: {weights: {url: https://a.b/c, sha256: abc}}\n"
            "      |                     ^");
  EXPECT_EQ(ProblemsWith("backbone: {weights: https://a.b/c}"),
            "a.yaml:1:21: weights: https://a.b/c has no sha256, so it cannot be checked; write "
            "weights: {url: https://a.b/c, sha256: <the file's 64 digits>}\n"
            "    1 | backbone: {weights: https://a.b/c}\n"
            "      |                     ^");
}

TEST(ParseModel, BlamesTheLayerOfTheHead) {
  EXPECT_EQ(ProblemsOfModel("frozen: all"),
            "a.yaml:1:1: missing required key `head`\n"
            "    1 | frozen: all\n"
            "      | ^");
  EXPECT_EQ(ProblemsOfModel("head: [flaten]"),
            "a.yaml:1:8: there is no head layer `flaten`; did you mean `flatten`?\n"
            "    1 | head: [flaten]\n"
            "      |        ^");
  EXPECT_EQ(ProblemsOfModel("head: [lstm]"),
            "a.yaml:1:8: there is no head layer `lstm`; there is global_average_pooling, "
            "global_max_pooling, flatten, dropout, batch_norm and dense\n"
            "    1 | head: [lstm]\n"
            "      |        ^");
  EXPECT_EQ(ProblemsOfModel("head: [dense]"),
            "a.yaml:1:8: missing required key `units` in dense\n"
            "    1 | head: [dense]\n"
            "      |        ^");
  EXPECT_EQ(ProblemsOfModel("head: [dense: {unit: 3, units: many}]"),
            "a.yaml:1:16: unknown key `unit` in dense; did you mean `units`?\n"
            "    1 | head: [dense: {unit: 3, units: many}]\n"
            "      |                ^\n"
            "a.yaml:1:32: `units` takes a whole number or `classes`, not `many`\n"
            "    1 | head: [dense: {unit: 3, units: many}]\n"
            "      |                                ^");
  EXPECT_EQ(ProblemsOfModel("head: [dropout: {rate: 1}]"),
            "a.yaml:1:24: `rate` takes less than 1, not 1\n"
            "    1 | head: [dropout: {rate: 1}]\n"
            "      |                        ^");
  EXPECT_EQ(ProblemsOfModel("head: [{flatten: {}, dense: {}}]"),
            "a.yaml:1:8: `head[0]` takes the name of one head layer, or {name: {parameters}}, not "
            "a map of 2 keys\n"
            "    1 | head: [{flatten: {}, dense: {}}]\n"
            "      |        ^");
}

TEST(ToYaml, OfAModelReadsBackToTheSame) {
  const std::string text = EmitYaml(ToYaml(Model(R"(
backbone: {width: 0.35, weights: w/a.pth, prefix: encoder_q., convention: torchvision,
           batch_norm: train}
preprocessing: {scale: 1/255, offset: [-1, 0, 0.5]}
frozen: {through: features.13}
head:
  - dropout: {rate: 0.2}
  - batch_norm: {momentum: 0.9}
  - flatten
  - dense: {units: 7, activation: tanh}
  - dense: {units: classes}
)")));
  EXPECT_EQ(text, R"(backbone:
  name: mobilenet_v2
  include_top: false
  width: 0.35
  weights: /photos/w/a.pth
  prefix: encoder_q.
  convention: torchvision
  batch_norm: train
preprocessing:
  scale: 0.003921569
  offset: [-1, 0, 0.5]
frozen:
  through: features.13
head:
  - dropout:
      rate: 0.2
  - batch_norm:
      momentum: 0.9
      epsilon: 0.001
  - flatten
  - dense:
      units: 7
      activation: tanh
  - dense:
      units: classes
      activation: linear
)");
  EXPECT_EQ(EmitYaml(ToYaml(Model(text))), text);
  EXPECT_EQ(Model(text).preprocessing->scale[0], 1 / 255.f);
}

TEST(DescribeModel, NamesTheLayersOfTheHead) {
  std::string names;
  for (const FieldDoc& doc : DescribeModel()) {
    if (doc.name != "head") continue;
    for (const FieldDoc& row : doc.nested) names += row.name + " ";
  }
  EXPECT_EQ(names, "global_average_pooling global_max_pooling flatten dropout batch_norm dense ");
}

}  // namespace
}  // namespace weir
