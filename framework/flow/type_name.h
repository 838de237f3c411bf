// The C++ types of what stages hand to each other, across shared objects, in which one name may
// stand for two types. Any thread.
#pragma once

#include <string>

namespace weir {

// For people, of what type_info::name() gives: "weir::Classes".
std::string TypeName(const char* type);

// Whether two of them are of the same type.
bool IsSameType(const char* one, const char* other);

}  // namespace weir
