#include "framework/config/yaml_emitter.h"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <algorithm>

namespace weir {
namespace {

bool IsScalarLike(const YamlNode& node) { return node.is_scalar() || node.is_null(); }

void Emit(const YamlNode& node, YAML::Emitter& out) {
  switch (node.kind()) {
    case YamlNode::Kind::kNull:
      out << YAML::Null;
      return;
    case YamlNode::Kind::kScalar:
      if (node.quoted()) out << YAML::DoubleQuoted;
      out << node.scalar();
      return;
    case YamlNode::Kind::kList: {
      const std::vector<YamlNode> items = node.items();
      if (std::all_of(items.begin(), items.end(), IsScalarLike)) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const YamlNode& item : items) Emit(item, out);
      out << YAML::EndSeq;
      return;
    }
    case YamlNode::Kind::kMap: {
      const std::vector<YamlEntry> entries = node.entries();
      if (entries.empty()) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const YamlEntry& entry : entries) {
        out << YAML::Key << entry.key << YAML::Value;
        Emit(entry.value, out);
      }
      out << YAML::EndMap;
      return;
    }
  }
}

}  // namespace

std::string EmitYaml(const YamlNode& node) {
  YAML::Emitter out;
  Emit(node, out);
  return out.c_str() + std::string("\n");
}

std::string EmitFlow(const YamlNode& node) {
  YAML::Emitter out;
  out.SetSeqFormat(YAML::Flow);
  out.SetMapFormat(YAML::Flow);
  Emit(node, out);
  return out.c_str();
}

}  // namespace weir
