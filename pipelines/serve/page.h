// The page at `/`, from page.html. Made by the build.
#pragma once

#include <string_view>

namespace weir {

extern const std::string_view kPage;

}  // namespace weir
