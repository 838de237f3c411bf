#include "stages/train/schedules/constant_schedule.h"

namespace weir {

double ConstantSchedule::RateAt(double base, const Progress&) const { return base; }

}  // namespace weir
