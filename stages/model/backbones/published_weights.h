// A file of a backbone's weights that is published, as its publisher describes it. Each backbone
// has a table of its own (BackboneKind::published).
//
// Plain data.
#pragma once

#include <string_view>

namespace weir {

enum class Publisher { kTorchvision, kTimm, kKeras };

struct PublishedWeights {
  std::string_view name;  // in the YAML: "imagenet"; those of one name differ in their width
  double width;
  Publisher publisher;
  std::string_view url;
  std::string_view sha256;  // its first digits, which the publisher puts in the name; or empty
};

}  // namespace weir
