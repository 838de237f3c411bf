// Where weir keeps what it may make or fetch again.
#pragma once

#include <filesystem>

namespace weir {

// $WEIR_CACHE, or weir/ in $XDG_CACHE_HOME or ~/.cache. It need not be there.
std::filesystem::path CacheFolder();

}  // namespace weir
