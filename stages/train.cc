#include "stages/train.h"

#include <utility>

#include "framework/error.h"
#include "stages/train_learner.h"

namespace weir {
namespace {

template <class T>
std::shared_ptr<T> Require(const Resources& resources, const std::string& remedy) {
  auto found = resources.Find<T>();
  if (found) return found;
  throw Error(ErrorKind::kConfig,
              "`train` needs the " + std::string(T::kResource) + ", which nothing before it gives",
              remedy);
}

}  // namespace

Train::Train(const Params&, BuildContext& context) {
  auto source =
      Require<ModelSource>(context.resources, "Declare the model in the section `model`.");
  auto model = Require<Model>(context.resources, "Put `features` before it.");
  if (context.upstream.dims.empty() || context.upstream.dims[0] < 1) {
    throw Error(ErrorKind::kConfig, "`train` needs batches of features of one size",
                "Put `batch` and `features` before it.");
  }
  learner_ = std::make_shared<TrainLearner>(std::move(model), std::move(source),
                                            static_cast<int>(context.upstream.dims[0]),
                                            context.workers, context.training);
  context.resources.Put<Learner>(learner_);
}

Train::~Train() = default;

Footprint Train::footprint() const { return learner_->footprint(); }
void Train::Open(OpenContext& context) { learner_->Open(context); }
void Train::BeginPass(const Pass& pass) { learner_->BeginPass(pass); }
void Train::Consume(FeatureBatch batch, StageContext& context) {
  learner_->Consume(std::move(batch), context);
}
void Train::EndPass(const Pass&) { learner_->EndPass(); }

}  // namespace weir
