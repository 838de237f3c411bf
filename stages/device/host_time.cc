#include "stages/device/host_time.h"

#include <algorithm>
#include <cmath>

#include "framework/shape.h"
#include "stages/model/declared_model.h"
#include "stages/payloads.h"
#include "stages/ranks/ranks.h"

namespace weir {
namespace {

double MultiplyAdds(const Network& network, int index) {
  const NetworkLayer& layer = network.layers()[index];
  if (!layer.has_weights()) return 0;
  const MapSize map = network.output_size(index);
  const int taps = layer.kernel * layer.kernel;
  return 1.0 * map.height * map.width * layer.out_channels * layer.in_channels / layer.groups *
         taps;
}

// What a head's layer takes, which reads one vector: each weight of a matrix is used once.
double MultiplyAdds(const std::vector<HeadArray>& arrays) {
  double sum = 0;
  for (const HeadArray& array : arrays) {
    if (array.shape.size() > 1) sum += static_cast<double>(array.values());
  }
  return sum;
}

// How often the prefix sees a picture of the split in so many epochs.
int PrefixPasses(const BuildContext& context, const JobCourse& course, Split split, int epochs) {
  if (!course.keeps_features || !context.provenance.unknown().empty()) return epochs;
  const int variants = context.provenance.variants(split);
  return variants == 0 ? epochs : std::min(epochs, variants);
}

// Seconds of one thread.
double SecondsOf(const JobCourse::Phase& phase, const NetworkWork& work, const JobCourse& course,
                 const BuildContext& context, const SampleCounts& counts) {
  double prefix = 0, behind = 0;  // pictures
  for (const Split split : {Split::kTrain, Split::kValidation}) {
    const auto pictures = static_cast<double>(counts[split]);
    const int passes = split == Split::kTrain ? kPassesOfLearning : 1;
    prefix += pictures * PrefixPasses(context, course, split, phase.epochs);
    behind += pictures * passes * phase.epochs;
  }
  return prefix * work.prefix / kFrozenPerSecond + behind * work.behind / kLearningPerSecond;
}

int ThreadsOf(const BuildContext& context) {
  const auto ranks = context.training ? context.resources.Find<Ranks>() : nullptr;
  return ranks && ranks->share.ranks > 1 ? ranks->threads : context.workers;
}

}  // namespace

NetworkWork WorkOf(const Model& model) {
  NetworkWork work;
  for (int i = 0; i < model.network().size(); ++i) {
    (i < model.prefix_layers() ? work.prefix : work.behind) += MultiplyAdds(model.network(), i);
  }
  for (int i = model.first_head_layer(); i < static_cast<int>(model.head().size()); ++i) {
    work.behind += MultiplyAdds(model.head_arrays(i));
  }
  return work;
}

std::optional<double> HostSeconds(const BuildContext& context) {
  const auto course = context.resources.Find<JobCourse>();
  const auto source = context.resources.Find<ModelSource>();
  const auto counts = context.resources.Find<SampleCounts>();
  if (!course || !source || !counts || context.upstream.dims.size() != 4) return std::nullopt;
  double seconds = 0;
  const auto work = [&](const FrozenConfig& frozen) {
    ModelSource of_phase = *source;
    of_phase.config.frozen = frozen;
    return WorkOf(*DeclaredModel("prefetch", context, of_phase));
  };
  for (const JobCourse::Phase& phase : course->phases) {
    seconds += SecondsOf(phase, work(phase.frozen), *course, context, *counts);
  }
  if (course->phases.empty()) {
    const NetworkWork of_picture = work(source->config.frozen);
    seconds = static_cast<double>((*counts)[course->split]) *
              (of_picture.prefix / kFrozenPerSecond + of_picture.behind / kLearningPerSecond);
  }
  return seconds / ThreadsOf(context);
}

std::string RoughText(double seconds) {
  constexpr double kMinute = 60, kHour = 3600;
  const auto in = [seconds](double unit, const char* name) {
    return std::to_string(std::llround(seconds / unit)) + name;
  };
  if (seconds < 1) return "1 s";
  if (seconds < 2 * kMinute) return in(1, " s");
  return seconds < 2 * kHour ? in(kMinute, " min") : in(kHour, " h");
}

}  // namespace weir
