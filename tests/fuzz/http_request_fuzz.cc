// What is sent to a server: the head of a request, a form, and a request for inference.
#include <algorithm>

#include "pipelines/serve/http.h"
#include "pipelines/serve/http_head.h"
#include "pipelines/serve/infer_request.h"
#include "pipelines/serve/multipart.h"
#include "tests/fuzz/fuzz_target.h"

namespace weir {
namespace {

template <class Read>
void Try(Read read) {
  try {
    read();
  } catch (const HttpRefusal& refusal) {
    if (refusal.status != 400) __builtin_trap();
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  return {
      "POST /predict?top=1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nRange: bytes=0-\r\n\r\n",
      "multipart/form-data; boundary=cut\n--cut\r\nContent-Disposition: form-data; name=\"f\"; "
      "filename=\"a.jpg\"\r\n\r\none\r\n--cut--\r\n",
      "multipart/form-data; boundary=\"a\"\nbefore\r\n--a \t\r\nX: y\r\n\r\n\r\n--a--",
      R"({"id": "1", "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",
          "data": ["aGVsbG8="]}], "outputs": [{"name": "class"}]})",
      R"({"inputs": [{"name": "image", "data": [[1, 2.0, 3e0]], "shape": [1, 1, 1, 3],
          "datatype": "UINT8"}]})",
  };
}

void FuzzRead(std::string_view bytes) {
  std::string head(bytes.substr(0, HeadLength(bytes)));
  const std::size_t length = head.size();
  if (!head.empty()) ReadRequestHead(head);
  if (head.size() != length) __builtin_trap();
  // The first line is the type of the form.
  const std::string_view type = bytes.substr(0, bytes.find('\n'));
  const std::string_view body = bytes.substr(std::min(bytes.size(), type.size() + 1));
  Try([&] {
    for (const FormFile& file : FilesOfForm(type, body)) {
      // Each lies in the body.
      if (file.content.data() < body.data() ||
          file.content.data() + file.content.size() > body.data() + body.size()) {
        __builtin_trap();
      }
    }
  });
  Try([&] {
    std::string spoilt(bytes);
    const InferRequest request = ReadInferRequest(spoilt);
    const std::size_t pixels = std::size_t{3} * static_cast<std::size_t>(request.height) *
                               static_cast<std::size_t>(request.width);
    const bool fits = request.files.empty() ? request.pixels.size() == pixels * request.count
                                            : request.files.size() == request.count;
    if (!fits) __builtin_trap();
  });
}

}  // namespace weir
