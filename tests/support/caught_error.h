// The Error that a call ends with, as text: what went wrong and what to do, a line each.
//
//   EXPECT_EQ(CaughtError([&] { Load("a.pth"); }), "'a.pth' does not exist\nCheck the path.");
#pragma once

#include <string>

#include "framework/error.h"

namespace weir {

// "nothing was thrown" where nothing was. Other exceptions pass.
template <class Call>
std::string CaughtError(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(error.what()) + "\n" + error.remedy();
  }
  return "nothing was thrown";
}

}  // namespace weir
