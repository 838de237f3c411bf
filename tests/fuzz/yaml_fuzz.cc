// A configuration, and behind its first zero byte what is given to --set: it is read and changed,
// its section `model` is parsed, and all of it is written and read again.
#include "framework/config/config.h"
#include "framework/config/override.h"
#include "framework/config/yaml_emitter.h"
#include "framework/config/yaml_reader.h"
#include "stages/model/model_config.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/file_text.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const std::string zero(1, '\0');
  const std::string article = FileText("configs/article.yaml");
  return {article + zero + "training.epochs=3",
          article + zero + "pipeline.augment.size=[64, 64]",
          article + zero + "model.head.1={dense: {units: 'a'}}",
          "a: &x [1, 'two', \"\\u00e9\"]\nb: {<<: {c: ~}, d: *x}\n? e\n: |\n  text\n" + zero +
              "b.d.0=#1",
          "name: a\nname: b\n--- \n...\n%TAG\n",
          "training: {optimizer: {sgd: {momentum: 0.9}}}" + zero + "training.optimizer=sgd"};
}

void FuzzRead(std::string_view bytes) {
  const std::string_view text = bytes.substr(0, bytes.find('\0'));
  const std::string_view option = bytes.substr(std::min(text.size() + 1, bytes.size()));
  Problems problems;
  YamlNode tree = ParseYaml(YamlSource::File("a.yaml", std::string(text), "cfg"), problems);
  if (!option.empty()) tree = ApplyOverride(tree, std::string(option), problems);
  if (tree.is_map()) {
    ParseModel(tree.Find("model").value_or(YamlNode()), problems);
  }
  problems.text();
  if (tree.expanded_size() > kMostExpandedValues) return;
  Problems none;
  ParseYaml(YamlSource::File("b.yaml", EmitYaml(tree), "cfg"), none);
}

}  // namespace weir
