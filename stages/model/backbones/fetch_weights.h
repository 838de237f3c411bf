// The file of a backbone's weights, fetched where it is not on this machine. Apart from what says
// where it is, so that a program that reads saved models alone is linked to no network.
//
//   const auto file = WeightsFile::Open(Fetch(source, CacheFolder()));
//
// One thread at a time; a lock keeps two processes apart.
#pragma once

#include <filesystem>

#include "stages/files/download.h"
#include "stages/model/backbones/weights_source.h"

namespace weir {

// The file on this machine: the path itself, the file in the cache if its digest is right, or else
// a download into the cache, which is whole and checked or absent. A download that stopped goes on
// where it was. `source` is not kNone. Throws Error(kData): no such file, no network, a wrong
// digest; Error(kInterrupted) when `progress` stops it.
std::filesystem::path Fetch(const WeightsSource& source, const std::filesystem::path& cache,
                            const ProgressCallback& progress = {});

}  // namespace weir
