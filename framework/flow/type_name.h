// The C++ types of what stages hand to each other, across shared objects. Two objects may have
// types of one name that are not the same, so types are compared as std::type_info does: by its
// `==`, never by their names. Any thread.
#pragma once

#include <string>
#include <typeinfo>

namespace weir {

// A type's name as people write it: "weir::Classes".
std::string TypeName(const std::type_info& type);

}  // namespace weir
