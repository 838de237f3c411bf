#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "framework/config/address.h"
#include "framework/error.h"
#include "framework/random.h"
#include "framework/text.h"
#include "pipelines/commands/commands.h"
#include "pipelines/finetune/lost_classes.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/trained_model.h"
#include "pipelines/job/trained_session.h"
#include "pipelines/record/run_folder.h"
#include "pipelines/report/classification_report.h"
#include "pipelines/report/metrics_text.h"
#include "stages/files/remote/remote_address.h"
#include "stages/learner.h"
#include "stages/payloads.h"
#include "stages/picture_lists.h"
#include "stages/sources/listing/lookalikes.h"
#include "stages/sources/listing/picture_names.h"
#include "stages/train/checkpoint.h"

namespace weir {
namespace {

// Finds the first of the classes that is `form` of a text: in NFC, or what it looks like. Holds 16
// bytes a class, and none of the forms.
class ClassesByForm {
 public:
  using Form = std::string (*)(std::string_view);

  ClassesByForm(const std::vector<std::string>& classes, Form form)
      : classes_(classes), form_(form) {
    for (std::size_t i = 0; i < classes.size(); ++i) {
      sorted_.emplace_back(StableHash(form(classes[i])), i);
    }
    std::sort(sorted_.begin(), sorted_.end());
  }

  // Null where there is none.
  const std::string* Find(std::string_view text) const {
    const std::string wanted = form_(text);
    const std::uint64_t hash = StableHash(wanted);
    auto at = std::lower_bound(sorted_.begin(), sorted_.end(), std::pair(hash, std::size_t{0}));
    for (; at != sorted_.end() && at->first == hash; ++at) {
      if (form_(classes_[at->second]) == wanted) return &classes_[at->second];
    }
    return nullptr;
  }

 private:
  const std::vector<std::string>& classes_;
  const Form form_;
  std::vector<std::pair<std::uint64_t, std::size_t>> sorted_;  // hashes of the forms, and of which
};

// Tells of the sub-folders that no class of the model has its name from: they are left alone.
void NameOtherFolders(const std::filesystem::path& data, const std::vector<std::string>& classes) {
  std::error_code error;
  if (!std::filesystem::is_directory(data, error)) return;
  const ClassesByForm names(classes, Composed), lookalikes(classes, Skeleton);
  for (const auto& entry : std::filesystem::directory_iterator(data, error)) {
    const std::string name = entry.path().filename().string();
    if (IsClutter(name) || !entry.is_directory(error) || names.Find(name)) continue;
    const std::string* const alike = lookalikes.Find(name);
    const std::string like =
        alike ? "; " + Shown(*alike) + " differs " + std::string(DifferenceOf(name, *alike)) : "";
    std::fprintf(stderr, "weir: %s is left out: the model has no class of that name%s\n",
                 OneLine(entry.path().string()).c_str(), like.c_str());
  }
}

// What the command line names; nothing where it is the run's own.
std::optional<GivenData> DataOf(const EvaluateOptions& options) {
  if (options.data.empty()) return std::nullopt;
  return GivenData{
      .use = DataUse::kLabelled,
      .paths = {IsAddress(options.data.native()) ? options.data
                                                 : std::filesystem::absolute(options.data)},
      .settings = options.source};
}

// That there are pictures to validate with, and that they are those of the run: others than those
// may be such that it learnt from.
void CheckValidation(const std::filesystem::path& run, const Session& session) {
  const auto counts = session.resources().Find<SampleCounts>();
  if (counts && (*counts)[Split::kValidation] > 0) {
    const auto checkpoint = RunFolder::At(run).checkpoint();
    const auto now = session.resources().Find<PictureLists>();
    if (!now || !std::filesystem::exists(checkpoint)) return;
    const std::string then = ReadCheckpointDeclaration(checkpoint, kPicturesToValidate);
    if (then.empty() || then == now->validation) return;
    throw Error(ErrorKind::kData,
                "the pictures of " + run.string() +
                    " are others now than those that it validated with: " + then + ", and " +
                    now->validation + " now",
                "Put them back as they were, or name labelled pictures behind the run.");
  }
  throw Error(
      ErrorKind::kData, run.string() + " kept no pictures to validate with",
      "Name labelled pictures behind it: a folder with a sub-folder for each class, a table, "
      "or shards.");
}

}  // namespace

void EvaluateCommand(const EvaluateOptions& options, StageTable& stages) {
  const bool is_own = options.data.empty();
  if (is_own && !options.source.empty()) {
    throw Error(ErrorKind::kConfig, "--source is of the source for DATA, and there is no DATA");
  }
  if (is_own && FindTrainedModel(options.run).run.empty()) {
    throw Error(ErrorKind::kData, OneLine(options.run.string()) + " is a model without its run",
                "Name labelled pictures behind it: a folder with a sub-folder for each class, a "
                "table, or shards.");
  }
  const std::optional<GivenData> data = DataOf(options);
  const Split split = SplitOf(data);
  const auto confusion = std::make_shared<ConfusionCounts>(split);
  const auto bootstrap =
      options.resamples > 0 ? std::make_shared<Bootstrap>(Bootstrap{options.resamples}) : nullptr;
  std::unordered_set<std::uint64_t> dropped;  // hashes of the paths
  TrainedSession trained(stages, options.run, options.overrides,
                         {.data = data,
                          .confusion = confusion,
                          .bootstrap = bootstrap,
                          .on_drop = [&dropped](const std::string&, const Drop& drop) {
                            dropped.insert(StableHash(drop.sample));
                            std::fprintf(stderr, "weir: %s: %s\n", OneLine(drop.sample).c_str(),
                                         drop.reason.c_str());
                          }});
  const std::vector<std::string>& classes = trained.classes();
  if (is_own) {
    CheckValidation(options.run, trained.session());
  } else {
    SayWhatIsLeftOut(trained.session());
    NameOtherFolders(options.data, classes);
  }
  trained.Run();
  const Metrics metrics = trained.learner().metrics();
  if (metrics.images == 0) {
    throw Error(ErrorKind::kData,
                "not one picture of " +
                    ShownRemote((is_own ? options.run : options.data).native()) + " could be used",
                "The lines above say why.");
  }
  for (const std::string& name :
       ClassesLostIn({.split = split}, trained.session(),
                     [&](const std::string& path) { return dropped.contains(StableHash(path)); })) {
    std::fprintf(stderr, "weir: not one picture of the class %s could be used\n",
                 Shown(name).c_str());
  }
  for (const Metrics::OfPass& each : metrics.of_pass) {
    if (!each.value) std::fprintf(stderr, "weir: %s\n", NotComputedText(each).c_str());
  }
  const ClassificationReport report{metrics,        classes,
                                    *confusion,     bootstrap.get(),
                                    dropped.size(), LeftOutByKind(trained.session())};
  options.json ? PrintJson(report, stdout) : PrintTable(report, stdout);
}

}  // namespace weir
