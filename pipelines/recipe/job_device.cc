#include "pipelines/recipe/job_device.h"

#include <optional>
#include <string>

#include "framework/config/device_selection.h"
#include "framework/text.h"
#include "stages/chosen_device.h"

namespace weir {
namespace {

using Kind = DeviceSelection::Kind;

// As a person writes it: the first GPU is `cuda`.
std::string Written(const DeviceSelection& device) {
  if (device == DeviceSelection{Kind::kCuda}) return "`device: cuda`";
  return InBackticks("device: " + ParamType<DeviceSelection>::Write(device, {}).scalar());
}

// What a stage says itself; nothing where it does not, or where it is a problem already.
std::optional<DeviceSelection> OwnDevice(const YamlNode& written) {
  Problems reported;
  return ParamType<DeviceSelection>::Read(written, {}, reported);
}

}  // namespace

void CheckDevice(const Config& config, const Registry& stages, Problems& problems) {
  if (config.device.kind == Kind::kAuto) return;
  bool is_brought_there = false;
  for (const StageConfig& stage : config.pipeline) {
    const StageSpec* spec = stages.Find(stage.stage);
    if (!spec || !Declares(spec->provides, ChosenDevice::kResource)) continue;
    is_brought_there = true;
    const std::optional<YamlNode> written = stage.params.Find("device");
    if (!written) continue;
    const std::optional<DeviceSelection> own = OwnDevice(*written);
    if (!own || own->kind == Kind::kAuto || *own == config.device) continue;
    problems.Add(written->position(), "the stage " + InBackticks(stage.name()) + " says " +
                                          Written(*own) + ", and " +
                                          PlaceText(config.device_position) + " says " +
                                          Written(config.device) + ": remove one of them");
  }
  if (is_brought_there || config.device.kind == Kind::kCpu) return;
  problems.Add(config.device_position, Written(config.device) +
                                           " is asked for, and no stage of the pipeline brings "
                                           "batches there: put `prefetch` behind `batch`");
}

}  // namespace weir
