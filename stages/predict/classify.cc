#include "stages/predict/classify.h"

#include <algorithm>
#include <utility>

#include "framework/shape.h"
#include "stages/features/host_prefix.h"
#include "stages/model/declared_model.h"
#include "stages/predict/classifier.h"

namespace weir {

Classify::Classify(std::string_view name, Precision precision, BuildContext& context)
    : precision_(precision),
      batch_size_(context.upstream.dims.empty() ? 0 : context.upstream.dims[0]),
      model_(DeclaredModel(name, context)) {
  source_ = context.resources.Find<ModelSource>();
  const Classifier::Footprint all = Classifier::FootprintOf(*source_, model_, precision_);
  // Weights are read only before there are workspaces, of which the first pays for it.
  footprint_ = {.held = {{"model", MemoryTag::kModel, all.weights_bytes},
                         {"a layer while it is read", MemoryTag::kModel,
                          all.opening_bytes - std::min(all.opening_bytes, all.workspace_bytes)}},
                .item_bytes = output().item_bytes,
                .lever = Lever{.name = "workers",
                               .bytes_each = all.workspace_bytes,
                               .min = 1,
                               .max = std::max(1, context.workers),
                               .why = "one for each thread"}};
}

ItemSpec Classify::output() const {
  const Shape dims = {batch_size_, static_cast<std::int64_t>(model_->classes().size())};
  return {.dims = dims, .item_bytes = sizeof(float) * static_cast<std::size_t>(ValuesIn(dims))};
}

void Classify::Open(OpenContext& context) {
  runner_ = MakeHostPrefix(std::make_unique<const Classifier>(*source_, model_, precision_),
                           {static_cast<std::int64_t>(model_->classes().size())}, context.lever);
}

}  // namespace weir
