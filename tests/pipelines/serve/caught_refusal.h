// What a call refuses, as "413: the body is too large".
#pragma once

#include <string>

#include "pipelines/serve/http.h"

namespace weir {

template <class Call>
std::string RefusalOf(Call call) {
  try {
    call();
  } catch (const HttpRefusal& refusal) {
    return std::to_string(refusal.status) + ": " + refusal.reason;
  }
  return "nothing was refused";
}

}  // namespace weir
