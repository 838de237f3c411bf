// A request for inference in the JSON of KServe's protocol, version 2
// (https://github.com/kserve/open-inference-protocol):
//
//   {"id": "1", "inputs": [{"name": "image", "datatype": "BYTES", "shape": [2],
//                           "data": ["/9j/4AAQ...", "iVBORw0KGgo..."]}]}
//   {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 480, 640, 3], "data": [...]}]}
//
// BYTES are whole files in base64, [N]; UINT8 are pixels, [N, height, width, 3], of any one size.
// The text is taken apart in place by RapidJSON, which keeps nothing of it: a tree of JSON would be
// many times as large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir {

struct InferRequest {
  std::string id{};                    // empty where it has none
  std::vector<std::string> files{};    // decoded; of BYTES
  std::vector<std::uint8_t> pixels{};  // where it is UINT8
  std::size_t count = 0;               // pictures
  int height = 0, width = 0;           // where it is UINT8
  std::vector<std::string> outputs{};  // those that are asked for; none: all
};

// The most pictures that a request may have.
inline constexpr std::size_t kMostInferPictures = 1000;

// What a request with a body of so many bytes holds at most, the body included.
constexpr std::size_t BytesOfInferRequest(std::size_t body_bytes) {
  return 2 * body_bytes + (std::size_t{128} << 10);
}

// Spoils `body`, behind which there is a byte that is 0. Throws HttpRefusal 400 that says what is
// wrong with it.
InferRequest ReadInferRequest(std::span<char> body);

}  // namespace weir
