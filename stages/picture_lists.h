// Which pictures a training has, in words that tell one list from another; provided by the source
// where it knows them beforehand.
//
//   "1600 in another order each epoch, sha256 0f5e3d21c4b6a798"
//
// The digest is of their labels and of their paths, from the folders on that the configuration
// names: the same where those are moved, or on another machine. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir {

struct PictureLists {
  static constexpr std::string_view kResource = "picture lists";
  std::string training;
  std::string validation;
};

}  // namespace weir
