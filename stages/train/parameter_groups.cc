#include "stages/train/parameter_groups.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/layer_patterns.h"

namespace weir {
namespace {

constexpr int kHead = -1;  // in place of a layer of the backbone

// The layer of the backbone that each parameter is of, or kHead.
std::vector<int> LayersOf(const Model& model, const ParameterTable& table) {
  std::vector<int> layers(table.all().size(), kHead);
  for (int i = 0; i < model.network().size(); ++i) {
    if (!model.learns(i)) continue;
    const auto names = model.backbone().names(i).tensors();
    for (std::size_t p = 0; p < layers.size(); ++p) {
      const auto is_its = [&](const std::string* name) { return *name == table.all()[p].name; };
      if (std::ranges::any_of(names, is_its)) layers[p] = i;
    }
  }
  return layers;
}

bool IsNormOrBias(const Parameter& parameter) { return parameter.shape.size() <= 1; }

// Which parameters each group has.
class Groups {
 public:
  Groups(const Model& model, const Optimizer& optimizer, const ParameterTable& table,
         const std::vector<int>& layers)
      : model_(model), optimizer_(optimizer), table_(table), layers_(layers) {
    const std::vector<ParameterGroup>& groups = optimizer.options().groups;
    if (groups.empty()) return;
    namings_ = model.backbone().namings();
    group_of_.assign(table.all().size(), kNone);
    for (std::size_t i = 0; i < groups.size(); ++i) Assign(static_cast<int>(i));
  }

  const ParameterGroup* Of(std::size_t parameter) const {
    if (group_of_.empty() || group_of_[parameter] == kNone) return nullptr;
    return &optimizer_.options().groups[group_of_[parameter]];
  }

 private:
  static constexpr int kNone = -1;

  void Assign(int index) {
    const ParameterGroup& group = optimizer_.options().groups[index];
    bool any_decays = false;
    for (const std::string& pattern : group.parameters.list) {
      bool is_matched = false;
      for (std::size_t p = 0; p < table_.all().size(); ++p) {
        if (!IsMatched(pattern, p)) continue;
        if (group_of_[p] != kNone && group_of_[p] != index) RefuseSecond(index, pattern, p);
        group_of_[p] = index;
        is_matched = true;
        any_decays = any_decays || !IsNormOrBias(table_.all()[p]);
      }
      if (!is_matched) RefuseUnmatched(index, pattern);
    }
    const bool leaves_norms = optimizer_.options().no_decay == NoDecay::kNormsAndBiases;
    if (leaves_norms && group.weight_decay.value_or(0) > 0 && !any_decays) {
      Refuse(index, "weight_decay",
             "all parameters of the group are norms and biases, which `no_decay` leaves alone",
             "Leave the group's weight_decay out, or set no_decay to nothing.");
    }
  }

  bool IsMatched(std::string_view pattern, std::size_t index) const {
    const Parameter& parameter = table_.all()[index];
    if (MatchesModule(pattern, parameter.name)) return true;
    const int layer = layers_[index];
    if (layer == kHead) return false;
    const LayerNames& names = model_.backbone().names(layer);
    const bool is_of_batch_norm =
        parameter.name == names.gamma || (!names.gamma.empty() && parameter.name == names.beta);
    return CoversLayer(pattern, model_.backbone(), namings_, layer) ||
           (is_of_batch_norm && CoversBatchNorm(pattern, namings_, layer));
  }

  [[noreturn]] void Refuse(int index, std::string_view key, const std::string& what,
                           const std::string& remedy) const {
    throw Error(ErrorKind::kConfig,
                "training.optimizer." + std::string(optimizer_.name()) + ".groups[" +
                    std::to_string(index) + "]." + std::string(key) + ": " + what,
                remedy);
  }

  [[noreturn]] void RefuseSecond(int index, const std::string& pattern, std::size_t p) const {
    Refuse(index, "parameters",
           "the pattern " + InBackticks(pattern) + " matches " + table_.all()[p].name +
               ", which groups[" + std::to_string(group_of_[p]) + "] has already",
           "Let each parameter be in one group.");
  }

  [[noreturn]] void RefuseUnmatched(int index, const std::string& pattern) const {
    bool is_frozen = false;
    for (int i = 0; i < model_.network().size(); ++i) {
      is_frozen = is_frozen || CoversLayer(pattern, model_.backbone(), namings_, i) ||
                  CoversBatchNorm(pattern, namings_, i);
    }
    if (is_frozen) {
      Refuse(index, "parameters",
             "the pattern " + InBackticks(pattern) + " matches frozen layers alone",
             "Leave them out of model.frozen, or leave the pattern out.");
    }
    std::vector<std::string> known = KnownLayerNames(model_.backbone());
    for (const Parameter& parameter : table_.all()) known.push_back(parameter.name);
    Refuse(index, "parameters",
           "the pattern " + InBackticks(pattern) + " matches no parameter that learns" +
               DidYouMean(pattern, known),
           "Match parameters or layers that learn, such as " + table_.all().back().name + ", " +
               std::string(model_.backbone().kind().patterns) + ".");
  }

  const Model& model_;
  const Optimizer& optimizer_;
  const ParameterTable& table_;
  const std::vector<int>& layers_;
  std::vector<Naming> namings_;
  std::vector<int> group_of_;  // for each parameter its group, or kNone; empty without groups
};

}  // namespace

std::vector<int> DistancesFromHead(const Network& network) {
  std::vector<int> distances(network.size());
  int distance = 0;
  std::string_view block;
  bool counts_with_next = false;  // what stands alone behind the last block
  for (int i = network.size() - 1; i >= 0; --i) {
    const NetworkLayer& layer = network.layers()[i];
    if (layer.has_weights() && (distance == 0 || layer.block != block)) {
      if (!counts_with_next) ++distance;
      counts_with_next = distance == 1 && block.empty() && layer.block == layer.name;
      block = layer.block;
    }
    distances[i] = distance;
  }
  return distances;
}

std::vector<StepSpan> StepSpans(const Model& model, const Optimizer& optimizer,
                                const ParameterTable& table,
                                const std::vector<std::uint64_t>& begun) {
  const OptimizerOptions& options = optimizer.options();
  const std::vector<int> layers = LayersOf(model, table);
  const std::vector<int> distances = DistancesFromHead(model.network());
  const Groups groups(model, optimizer, table, layers);
  std::vector<StepSpan> spans;
  for (std::size_t p = 0; p < table.all().size(); ++p) {
    const Parameter& parameter = table.all()[p];
    const std::size_t end = p + 1 < table.all().size() ? table.all()[p + 1].offset : table.values();
    const int distance = layers[p] == kHead ? 0 : distances[layers[p]];
    StepSpan span{.begin = parameter.offset,
                  .count = end - parameter.offset,
                  .rate_factor = std::pow(options.layer_decay, distance),
                  .weight_decay = options.weight_decay,
                  .begun = begun.empty() ? 0 : begun[p]};
    if (const ParameterGroup* const group = groups.Of(p)) {
      if (group->learning_rate) {
        span.rate_factor = *group->learning_rate / optimizer.learning_rate();
      }
      span.weight_decay = group->weight_decay.value_or(options.weight_decay);
    }
    if (options.no_decay == NoDecay::kNormsAndBiases && IsNormOrBias(parameter)) {
      span.weight_decay = 0;
    }
    const bool is_alike = !spans.empty() && spans.back().rate_factor == span.rate_factor &&
                          spans.back().weight_decay == span.weight_decay &&
                          spans.back().begun == span.begun;
    if (is_alike && !optimizer.needs_whole_parameters()) {
      spans.back().count += span.count;
    } else {
      spans.push_back(span);
    }
  }
  return spans;
}

}  // namespace weir
