// Schedules: what becomes of the learning rate from epoch to epoch. Each is a function and a row of
// the list in schedules.cc. The rate is the same all through an epoch, so that it depends on
// nothing that a resumed run could know otherwise.
//
// Pure functions; any thread.
#pragma once

#include <span>
#include <string_view>

namespace weir {

struct Schedule {
  std::string_view name;
  std::string_view doc;  // ends the sentence "the learning rate falls ..."
  // The rate in an epoch (from 0) of `epochs`, where `base` is the optimizer's own.
  double (*rate)(double base, int epoch, int epochs);

  static std::span<const Schedule> All();  // the first is the default
  // "How the learning rate falls: " and the doc of each.
  static std::string_view Doc();
};

}  // namespace weir
