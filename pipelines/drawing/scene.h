// One picture of a figure: a background, clutter behind and before it, the figure at a place, size
// and angle of its own, in colours that stand out from the background but tell nothing of the
// class.
//
// Pure functions of their arguments; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/random.h"
#include "pipelines/drawing/figure.h"

namespace weir {

// What is drawn, as SVG of `width` by `height` pixels. The figure takes between `least_size`
// and 1.05 of the shorter side.
std::string SceneSvg(const Figure& figure, int width, int height, double least_size,
                     CounterRandom& random);

// Makes pixels, [height, width, 3], look like a camera's: uneven light, noise, now and then no
// colour.
void Photograph(std::vector<std::uint8_t>& pixels, int width, int height, CounterRandom& random);

}  // namespace weir
