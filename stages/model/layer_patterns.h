// Patterns over the names of a backbone's layers, as `model.frozen` and an optimizer's groups take
// them: shell's globs without brackets, in the names of any publisher.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stages/model/backbones/backbone.h"

namespace weir {

// * is any text, ? any one character. Linear memory, and at worst |text|·|pattern| steps.
bool MatchesPattern(std::string_view pattern, std::string_view text);

// Whether the pattern matches the name of a module or of one that holds it: of
// "features.2.conv.0" also "features.2" and "features".
bool MatchesModule(std::string_view pattern, std::string_view name);

// Whether the pattern names the layer, its block, or a module that holds its convolution.
// `namings` are Backbone::namings().
bool CoversLayer(std::string_view pattern, const Backbone& backbone,
                 const std::vector<Naming>& namings, int layer);

// Whether the pattern is the name of the layer's batch norm in some naming.
bool CoversBatchNorm(std::string_view pattern, const std::vector<Naming>& namings, int layer);

// What people call layers and what holds them, in every naming, to suggest from.
std::vector<std::string> KnownLayerNames(const Backbone& backbone);

}  // namespace weir
