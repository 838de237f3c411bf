// What reading a request for inference holds, by an operator new that counts.
#include <gtest/gtest.h>

#include <string>

#include "pipelines/serve/http.h"
#include "pipelines/serve/infer_request.h"
#include "tests/support/counted_heap.h"

namespace weir {
namespace {

constexpr std::size_t kLength = std::size_t{8} << 20;

// A body of kLength: `begin`, what is repeated, and `end`.
std::string Body(const std::string& begin, const std::string& repeated, const std::string& end) {
  std::string body = begin;
  while (body.size() + repeated.size() + end.size() <= kLength) body += repeated;
  return body + end;
}

TEST(InferCostsTest, HoldsWhatIsChargedForIt) {
  const std::string pixels = R"({"inputs": [{"name": "image", "datatype": "UINT8", "data": [0)";
  const std::string files = R"({"inputs": [{"name": "image", "datatype": "BYTES", "data": [")";
  // One file in base64, and letters that are escaped; pixels as short as they can be; keys, names
  // and outputs that are kept; nesting.
  for (std::string body :
       {Body(files, "AAAA", R"("], "shape": [1]}]})"),
        Body(files, "AAAA\\n", R"("], "shape": [1]}]})"),
        Body(files + "AAAA\"", ",\"AAAA\"", R"(], "shape": [1]}]})"),
        Body(pixels, ",0", R"(], "shape": [1, 1, 1, 3]}]})"), Body("{\"", "a", "\": 1}"),
        Body(R"({"a": ")", "a", "\"}"), Body(R"({"id": ")", "a", "\"}"),
        Body(R"({"outputs": [{"name": "a"})", R"(,{"name": "a"})", "]}"),
        Body(R"({"a": 1)", "1", "}"), Body(R"({"a": ")", "a", ""),
        Body(R"({"a": ")", "\x01", "\"}"), Body("", "[", ""), Body("", "{\"a\":", "")}) {
    const std::size_t grown = HeapGrowth([&] {
      try {
        ReadInferRequest(body);
      } catch (const HttpRefusal&) {
      }
    });
    // The body itself is charged once.
    EXPECT_LE(grown, BytesOfInferRequest(body.size()) - body.size())
        << body.substr(0, 80) << " takes " << grown << " beside " << body.size();
  }
}

}  // namespace
}  // namespace weir
