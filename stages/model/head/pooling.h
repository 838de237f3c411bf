// How the last map of the frozen part is pooled.
#pragma once

namespace weir {

enum class Pooling { kNone, kAverage, kMax };

}  // namespace weir
