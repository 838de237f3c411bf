#include <tbb/info.h>

#include <cstdio>

#include "pipelines/commands/commands.h"
#include "pipelines/drawing/drawing.h"

namespace weir {

void DrawCommand(const DrawOptions& options) {
  DrawingOptions drawing{
      .folder = options.folder,
      .set = options.set == "pretrain" ? DrawingSet::kPretrain : DrawingSet::kDemo,
      .seed = options.seed,
      .threads = tbb::info::default_concurrency()};
  if (options.per_class > 0) drawing.per_class = options.per_class;
  const bool drew = DrawPictures(drawing);
  std::printf("%s %zu classes with %d pictures each in %s\n", drew ? "drew" : "there are already",
              DrawnClasses(drawing.set).size(), drawing.per_class, drawing.folder.c_str());
}

}  // namespace weir
