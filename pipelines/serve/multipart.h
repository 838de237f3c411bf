// The files of a form (multipart/form-data, RFC 7578), found in a body that has been read.
#pragma once

#include <string_view>
#include <vector>

namespace weir {

// Both in the body.
struct FormFile {
  std::string_view name;  // as it is sent, with \" for a quote
  std::string_view content;
};

// The most parts that a form may have.
inline constexpr int kMostFormParts = 1000;

// Whether that is the Content-Type of a form.
bool IsForm(std::string_view content_type);

// Its parts that are files, in their order; fields are left out. Holds what it gives. Throws
// HttpRefusal 400 where `body` is not such a form.
std::vector<FormFile> FilesOfForm(std::string_view content_type, std::string_view body);

}  // namespace weir
