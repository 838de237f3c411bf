// What `features: {precision: int8}` has to know before its model can be trained: how large the
// maps of the backbone get on the first pictures.
//
//   if (CalibrationSession::IsNeeded(session)) {
//     session.OpenSource();
//     model->maps = CalibrationSession(recipe, model, session, session.allowance()).Run();
//   }
//   session.Open();
#pragma once

#include <memory>
#include <vector>

#include "pipelines/job/session.h"
#include "stages/features/calibration.h"

namespace weir {

// The recipe's pipeline as far as its batches, in a session of its own.
class CalibrationSession {
 public:
  // Whether that of a training needs it.
  static bool IsNeeded(const Session& session);

  // `listed` and `allowance` are as SessionOptions have them.
  CalibrationSession(const Recipe& recipe, std::shared_ptr<ModelSource> model,
                     const Session& listed, const MemoryAllowance& allowance);

  // Throws Error(kMemory) where it does not fit.
  const MemoryPlan& Plan() { return session_.Plan(); }

  // Sees the first pictures of the first train pass: the same whenever the recipe is run. Throws
  // Error(kData) where not one can be used, Error(kInterrupted) on a signal.
  std::shared_ptr<const std::vector<MapStatistics>> Run();

 private:
  const Calibration* calibration_ = nullptr;  // the pipeline's
  Session session_;
};

}  // namespace weir
