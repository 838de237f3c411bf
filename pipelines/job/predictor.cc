#include "pipelines/job/predictor.h"

#include <optional>
#include <utility>

#include "framework/flow/stage.h"
#include "pipelines/job/trained_model.h"
#include "pipelines/recipe/model_use.h"
#include "stages/features/features.h"
#include "stages/nvidia_driver.h"
#include "stages/predict/classify.h"

namespace weir {
namespace {

constexpr const char* kClassify = "classify";
constexpr const char* kAnswers = "answers";

class Answers final : public SinkStage<FeatureBatch> {
 public:
  using Function = std::function<void(const Sample&, std::span<const float>)>;
  explicit Answers(Function answer) : answer_(std::move(answer)) {}

  void Consume(const FeatureBatch& batch, StageContext&) override {
    const auto classes = static_cast<std::size_t>(batch.dims.front());
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
      answer_(batch.samples[i], {batch.values.data() + i * classes, classes});
    }
  }

 private:
  const Function answer_;
};

bool MayTakeDevice(const Config& config) {
  return config.device.kind != DeviceSelection::Kind::kCpu && HasNvidiaDriver();
}

}  // namespace

Predictor::Predictor(StageTable& stages, const std::filesystem::path& where,
                     const std::vector<std::string>& overrides, const PredictorOptions& options) {
  const TrainedModel model = FindTrainedModel(where);
  Recipe recipe = RecipeOf(model, stages, overrides);
  const std::optional<Precision> precision = PrecisionAtEnd(recipe);
  TrainedOptions trained{.data = options.data, .on_drop = options.on_drop};
  if (!precision || MayTakeDevice(recipe.config)) {
    trained_ = std::make_unique<TrainedSession>(model, recipe, trained);
    trained_->learner().on_prediction = options.on_prediction;
    if (!precision || session().device().device) return;
    trained_.reset();  // there is none, no room on it, or too little for it to do
    recipe.config.device = {DeviceSelection::Kind::kCpu};
  }
  trained.sink_in_place_of = Features::kName;
  trained.add_sink = [&](Pipeline& pipeline, const std::vector<std::string>& from) {
    pipeline.AddMade(
        kClassify,
        [&](BuildContext& context) {
          return std::make_unique<Classify>(kClassify, *precision, context);
        },
        from);
    pipeline.AddMade(
        kAnswers, [&](BuildContext&) { return std::make_unique<Answers>(options.on_prediction); },
        {kClassify});
  };
  trained_ = std::make_unique<TrainedSession>(model, std::move(recipe), trained);
}

}  // namespace weir
