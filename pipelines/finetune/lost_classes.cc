#include "pipelines/finetune/lost_classes.h"

#include <cstdint>
#include <cstdio>
#include <optional>

#include "framework/error.h"
#include "stages/payloads.h"
#include "stages/sources/listing/lookalikes.h"

namespace weir {

std::vector<std::string> ClassesLostIn(const Pass& pass, const Session& session,
                                       const std::function<bool(const std::string&)>& is_dropped) {
  const auto order = session.resources().Find<SampleOrder>();
  const auto classes = session.resources().Find<Classes>();
  if (!order || !classes) return {};
  std::vector<std::uint64_t> pictures(classes->names.size()), dropped(classes->names.size());
  const SampleOrder::Walk walk = order->begin(pass);
  while (const std::optional<Sample> sample = walk()) {
    const auto label = static_cast<std::size_t>(sample->label);
    if (sample->label < 0 || label >= pictures.size()) continue;
    ++pictures[label];
    dropped[label] += is_dropped(sample->path);
  }
  std::vector<std::string> lost;
  for (std::size_t label = 0; label < pictures.size(); ++label) {
    const bool all = pictures[label] > 0 && dropped[label] == pictures[label];
    if (all) lost.push_back(classes->names[label]);
  }
  return lost;
}

void LostClasses::CheckAfter(const Pass& pass, const std::string& title, const Session& session,
                             const RunFolder& folder) {
  if (folder.dropped() == 0 || !looked_at_.insert(pass.split).second) return;
  std::vector<std::string> lost = ClassesLostIn(
      pass, session, [&](const std::string& path) { return folder.HasDropped(path); });
  if (lost.empty()) return;
  const Error error(
      ErrorKind::kData, title + ": not one picture of " + ShownList(lost) + " could be used",
      folder.dropped_list().string() + " says why; replace them, or leave the class out.");
  if (pass.split == Split::kTrain) throw Error(error);
  std::printf("%s\n", error.what());
  not_measured_ = std::move(lost);
}

std::string LostClasses::InBrackets() const {
  return not_measured_.empty() ? "" : " (without " + ShownList(not_measured_) + ")";
}

}  // namespace weir
