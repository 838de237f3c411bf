#include "framework/flow/provenance.h"

#include <numeric>

#include "framework/flow/stage.h"

namespace weir {

std::optional<std::string> Provenance::Of(const Pass& pass, std::uint64_t sample_index) const {
  std::string text;
  for (const auto& [name, stage] : stages_) {
    const std::optional<std::string> own = stage->DependsOn(pass, sample_index);
    if (!own) return std::nullopt;
    text += name + "{" + *own + "}\n";
  }
  return text;
}

int Provenance::variants(Split split) const {
  int variants = 1;
  for (const auto& [name, stage] : stages_) {
    const int own = stage->variants(split);
    if (own == 0) return 0;
    variants = std::lcm(variants, own);
  }
  return variants;
}

std::vector<std::string> Provenance::drawing_anew(Split split) const {
  std::vector<std::string> names;
  for (const auto& [name, stage] : stages_) {
    if (stage->variants(split) == 0) names.push_back(name);
  }
  return names;
}

std::string Provenance::unknown() const {
  for (const auto& [name, stage] : stages_) {
    if (!stage->DependsOn(Pass(), 0)) return name;
  }
  return "";
}

}  // namespace weir
