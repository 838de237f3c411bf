#include "stages/train/schedules/warm_up.h"

#include <cmath>
#include <cstdint>

namespace weir {

void WarmUp::Check(const Blame& blame) const {
  if (steps && epochs) {
    blame("epochs", "a warm-up takes `steps` or `epochs`, not both: remove one of them");
  } else if (!steps && !epochs) {
    blame("steps", "a warm-up takes `steps` or `epochs`, and neither is given");
  }
}

double WarmUp::StepsOf(std::uint64_t steps_per_epoch) const {
  return steps ? static_cast<double>(*steps) : StepsInEpochs(*epochs, steps_per_epoch);
}

std::string WarmUp::Text() const {
  return steps ? CountText(static_cast<double>(*steps), "steps") : CountText(*epochs, "epochs");
}

double StepsInEpochs(double epochs, std::uint64_t steps_per_epoch) {
  return std::round(epochs * static_cast<double>(steps_per_epoch));
}

std::string CountText(double count, const std::string& things) {
  const std::string word = count == 1 ? things.substr(0, things.size() - 1) : things;
  const bool is_whole = count == std::floor(count) && count < 1e15;
  return (is_whole ? std::to_string(static_cast<std::int64_t>(count)) : Bound(count).text) + " " +
         word;
}

}  // namespace weir
