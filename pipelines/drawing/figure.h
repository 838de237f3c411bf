// What weir can draw: a name, and how it is drawn. No two drawings are alike; colours and style are
// the pen's, so that only the form tells what it is. Lists of them are in demo_figures.h, things.h
// and signs.h, each in the order of the names, and no name in two. The demo learns its figures with
// a backbone that was trained on the other two lists.
#pragma once

#include <string_view>

#include "pipelines/drawing/pen.h"

namespace weir {

struct Figure {
  std::string_view name;
  void (*draw)(Pen& pen);
};

}  // namespace weir
