#include "stages/train/schedules.h"

#include <array>
#include <cmath>
#include <numbers>
#include <string>

namespace weir {
namespace {

double Constant(double base, int, int) { return base; }

// Loshchilov and Hutter, 2017 (arXiv:1608.03983), without restarts; PyTorch's CosineAnnealingLR
// with T_max = epochs.
double Cosine(double base, int epoch, int epochs) {
  return base * (1 + std::cos(std::numbers::pi * epoch / epochs)) / 2;
}

constexpr std::array kSchedules{
    Schedule{"constant", "not at all", &Constant},
    Schedule{"cosine", "along a half cosine to 0 at the end", &Cosine},
};

}  // namespace

std::span<const Schedule> Schedule::All() { return kSchedules; }

std::string_view Schedule::Doc() {
  static const std::string doc = [] {
    std::string text = "How the learning rate falls: ";
    for (const Schedule& schedule : kSchedules) {
      if (&schedule != &kSchedules.front()) {
        text += &schedule == &kSchedules.back() ? ", or " : ", ";
      }
      text += schedule.doc;
    }
    return text + ".";
  }();
  return doc;
}

}  // namespace weir
