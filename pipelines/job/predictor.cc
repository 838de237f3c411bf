#include "pipelines/job/predictor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "framework/flow/stage.h"
#include "pipelines/recipe/recipe.h"
#include "stages/features/features.h"
#include "stages/learner.h"
#include "stages/nvidia_driver.h"
#include "stages/predict/classify.h"
#include "stages/train/train.h"

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

// How exactly the backbone is to run where the pipeline ends in weir's own `features` and `train`,
// one directly behind the other; empty where it ends otherwise.
std::optional<Precision> PrecisionAtEnd(const std::vector<StageConfig>& pipeline) {
  const auto train = std::ranges::find(pipeline, Train::kName, &StageConfig::stage);
  if (train == pipeline.begin() || train == pipeline.end()) return std::nullopt;
  const auto takes = [&](const StageConfig& stage) {
    return train->from.empty() ? &stage == &*(train - 1) : train->from.front() == stage.name();
  };
  const auto before = std::find_if(pipeline.begin(), train, takes);
  if (before == train || before->stage != Features::kName) return std::nullopt;
  return Parse<Features::Params>(before->params).precision;
}

bool MayTakeDevice(const Config& config) {
  return config.device.kind != DeviceSelection::Kind::kCpu && HasNvidiaDriver();
}

}  // namespace

Predictor::Predictor(StageTable& stages, const std::filesystem::path& run,
                     const std::vector<std::string>& overrides, const PredictorOptions& options) {
  CheckIsTrainedRun(run);
  const Config config = LoadRecipe(stages, run / "config.yaml", overrides).config;
  const std::optional<Precision> precision = PrecisionAtEnd(config.pipeline);
  TrainedOptions trained{.data = options.data, .on_drop = options.on_drop};
  if (!precision || MayTakeDevice(config)) {
    trained_ = std::make_unique<TrainedSession>(stages, run, overrides, trained);
    trained_->learner().on_prediction = options.on_prediction;
    if (!precision || session().device().device) return;
    trained_.reset();  // there is none, or no room on it
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
  trained_ = std::make_unique<TrainedSession>(stages, run, overrides, trained);
}

}  // namespace weir
