// The header of a safetensors file: what it says of each tensor, read without a tree of its JSON.
//
// Pure; any thread. Takes what it returns, which is some 150 bytes a tensor beside its name, up to
// three times that while the lists grow, and three times the longest text in the header: 64 MiB at
// most. Limits: safetensors_limits.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "stages/model/weights/containers/element_type.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

struct SafetensorsPlace {
  std::uint64_t begin = 0;  // where the values begin, behind the header
  std::uint64_t end = 0;
  std::optional<ElementType> element;  // empty for a type that is not read
  std::uint32_t unread_type = 0;       // then: its place in SafetensorsHeader::unread_types
};

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;
  std::vector<SafetensorsPlace> places;  // one for each tensor
  std::vector<std::string> unread_types;
  std::map<std::string, std::string> metadata;
};

// Says what is wrong with a header: "its header is not whole JSON", "tensor 'a' has no shape".
class SafetensorsRefusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `values_bytes`: how many bytes follow the header. Throws SafetensorsRefusal.
SafetensorsHeader ReadSafetensorsHeader(std::string_view text, std::uint64_t values_bytes);

}  // namespace weir
