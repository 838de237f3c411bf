#include "pipelines/job/data_check.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "framework/random.h"
#include "framework/text.h"
#include "pipelines/job/signals.h"
#include "stages/decode/decode.h"
#include "stages/payloads.h"
#include "stages/sources/listing/lookalikes.h"
#include "stages/sources/source_notes.h"

namespace weir {
namespace {

constexpr std::size_t kReasonsShown = 5;
constexpr std::size_t kClassesShown = 10;  // in errors, in suspicions and in notes
constexpr std::uint64_t kSuspicious = 50;  // pictures of a larger class, none of which can be used

std::string Quoted(const std::string& path) { return "'" + OneLine(path) + "'"; }

std::string Counted(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// The stage that takes the pictures as the source gives them; null where it is another one.
const Decode* DecodeOf(const Session& session) {
  for (const PlacedStage& placed : session.pipeline().stages()) {
    if (placed.from != std::vector<int>{0}) continue;
    if (const auto* decode = dynamic_cast<const Decode*>(session.pipeline().Find(placed.name))) {
      return decode;
    }
  }
  return nullptr;
}

// Why pictures cannot be used, and the first of them in the listing.
struct Unusable {
  std::uint64_t count = 0;
  std::uint64_t index = 0;
  std::string path{}, reason{};

  void Add(const Sample& sample, const std::string& why) {
    if (count++ > 0 && sample.index > index) return;
    index = sample.index;
    path = sample.path;
    reason = why;
  }
  std::string Example() const { return Quoted(path) + " " + reason; }
};

// What was seen of a class in a split.
struct Seen {
  std::uint64_t pictures = 0;
  std::uint64_t looked_at = 0;
  Unusable unusable{};

  // None of those that were looked at can be used.
  bool is_bad() const { return looked_at > 0 && unusable.count == looked_at; }
  bool WantsMore(const LookLimits& limits) const {
    return looked_at < (is_bad() ? kMostOfABadClass : limits.of_class);
  }
};

class Look {
 public:
  Look(const Session& session, const Decode& decode, const LookLimits& limits)
      : decode_(decode),
        order_(session.resources().Find<SampleOrder>()),
        classes_(session.resources().Find<Classes>()),
        limits_(limits) {}

  void At(Split split, DataFindings& findings) {
    std::vector<Seen> seen(std::max<std::size_t>(classes_ ? classes_->names.size() : 0, 1));
    std::size_t settled = 0;
    const SampleOrder::Walk walk = order_->begin({.split = split});
    std::optional<Sample> sample = walk();
    for (; sample && settled < seen.size() && looked_at_ < limits_.in_all; sample = walk()) {
      Seen& of_class = seen[ClassOf(*sample, seen.size())];
      ++of_class.pictures;
      if (!of_class.WantsMore(limits_)) continue;
      LookAt(*sample, of_class);
      if (!of_class.WantsMore(limits_) && !of_class.is_bad()) ++settled;
    }
    const bool is_whole = !sample;
    std::uint64_t unsaid = 0;
    for (std::size_t label = 0; label < seen.size(); ++label) {
      if (!seen[label].is_bad()) continue;
      unsaid += !Report(split, label, seen[label],
                        is_whole && seen[label].looked_at == seen[label].pictures, findings);
    }
    if (unsaid > 0) {
      findings.notes.push_back(std::to_string(unsaid) + " more class" + (unsaid == 1 ? "" : "es") +
                               " to " + PurposeOf(split) +
                               ": not one of the pictures that were looked at can be used");
    }
  }

  void NoteReasons(DataFindings& findings) const {
    std::vector<Unusable> reasons;
    std::uint64_t count = 0;
    for (const auto& [reason, unusable] : by_reason_) {
      reasons.push_back(unusable);
      count += unusable.count;
    }
    std::stable_sort(reasons.begin(), reasons.end(),
                     [](const Unusable& a, const Unusable& b) { return a.count > b.count; });
    std::string list;
    for (const Unusable& unusable : reasons) {
      list += "\n  " + std::to_string(unusable.count) + (unusable.count == 1 ? ": " : " like ") +
              Quoted(unusable.path) + ", which " + unusable.reason;
    }
    if (count == 0) return;
    findings.notes.push_back("of " + Counted(looked_at_, "picture") + " that were looked at, " +
                             std::to_string(count) + " cannot be used:" + list);
  }

 private:
  // The first class where the label is none of them: of no class, or a plugin's.
  static std::size_t ClassOf(const Sample& sample, std::size_t classes) {
    const auto label = static_cast<std::size_t>(std::max(sample.label, 0));
    return label < classes ? label : 0;
  }

  void LookAt(const Sample& sample, Seen& of_class) {
    // Pictures on a server may take their time.
    if (SignalReceived()) throw Error(ErrorKind::kInterrupted, "interrupted");
    ++looked_at_;
    ++of_class.looked_at;
    const std::optional<std::string> reason = decode_.WhyUnusable(order_->content(sample));
    if (!reason) return;
    of_class.unusable.Add(sample, *reason);
    const bool has_room = by_reason_.size() < kReasonsShown || by_reason_.contains(*reason);
    by_reason_[has_room ? *reason : "other reasons"].Add(sample, *reason);
  }

  static std::string PurposeOf(Split split) {
    return split == Split::kTrain ? "train on" : "validate with";
  }

  // False where enough classes are named already.
  bool Report(Split split, std::size_t label, const Seen& seen, bool is_whole,
              DataFindings& findings) const {
    const bool is_for_training = split == Split::kTrain;
    if (is_for_training && !is_whole && seen.looked_at < kSuspicious) return true;
    const std::string what =
        (classes_ ? "the class " + Shown(classes_->names[label]) : "the data") + ": not one of " +
        (is_whole ? "its " : "the first ") + Counted(seen.looked_at, "picture") +
        (is_for_training ? "" : " to " + PurposeOf(split)) + " can be used; " +
        seen.unusable.Example();
    std::vector<Error>& found = is_whole ? findings.errors : findings.suspicions;
    if ((is_for_training ? found.size() : findings.notes.size()) >= kClassesShown) return false;
    if (is_for_training) {
      found.emplace_back(ErrorKind::kData, what, "Replace them, or leave the class out.");
    } else {
      findings.notes.push_back(what);
    }
    return true;
  }

  const Decode& decode_;
  const std::shared_ptr<SampleOrder> order_;
  const std::shared_ptr<Classes> classes_;
  const LookLimits limits_;
  std::uint64_t looked_at_ = 0;
  std::map<std::string, Unusable> by_reason_;
};

// A picture as it is listed.
struct ListedPicture {
  std::uint64_t path;  // hashed
  std::uint64_t index;
  std::int32_t label;
  Split split;
};

// What is wrong with pictures that are listed more than once.
struct Repetition {
  std::string what;  // "are listed twice"
  std::uint64_t count = 0;
  ListedPicture first{};  // the first of them
};

std::uint64_t HashOf(const Sample& sample) {
  return StableHash(std::filesystem::path(sample.path).lexically_normal().string());
}

std::vector<ListedPicture> AllListed(const SampleOrder& order) {
  std::vector<ListedPicture> all;
  for (const Split split : {Split::kTrain, Split::kValidation}) {
    const SampleOrder::Walk walk = order.begin({.split = split});
    while (const std::optional<Sample> sample = walk()) {
      all.push_back({HashOf(*sample), sample->index, sample->label, split});
    }
  }
  std::sort(all.begin(), all.end(), [](const ListedPicture& a, const ListedPicture& b) {
    return std::pair(a.path, a.index) < std::pair(b.path, b.index);
  });
  return all;
}

std::string PathOf(const ListedPicture& listed, const SampleOrder& order) {
  const SampleOrder::Walk walk = order.begin({.split = listed.split});
  while (const std::optional<Sample> sample = walk()) {
    if (sample->index == listed.index) return sample->path;
  }
  return "";
}

}  // namespace

DataFindings LookAtPictures(const Session& session, const LookLimits& limits) {
  DataFindings findings;
  const Decode* decode = DecodeOf(session);
  if (!decode || !session.resources().Find<SampleOrder>()) return findings;
  Look look(session, *decode, limits);
  look.At(Split::kTrain, findings);
  look.At(Split::kValidation, findings);
  look.NoteReasons(findings);
  return findings;
}

std::vector<std::string> CheckDataOfRun(const Session& session, bool trains) {
  std::vector<std::string> lines;
  if (const auto notes = session.resources().Find<SourceNotes>()) lines = notes->Lines();
  const DataFindings findings = LookAtPictures(session, {});
  if (trains && !findings.errors.empty()) throw Error(findings.errors.front());
  for (const std::vector<Error>* bad : {&findings.errors, &findings.suspicions}) {
    for (const Error& error : *bad) lines.emplace_back(error.what());
  }
  lines.insert(lines.end(), findings.notes.begin(), findings.notes.end());
  return lines;
}

std::map<std::string, std::uint64_t> LeftOutByKind(const Session& session) {
  const auto notes = session.resources().Find<SourceNotes>();
  return notes ? notes->left_out.by_kind() : std::map<std::string, std::uint64_t>();
}

void SayWhatIsLeftOut(const Session& session) {
  const auto notes = session.resources().Find<SourceNotes>();
  if (!notes || notes->left_out.empty()) return;
  std::fprintf(stderr, "weir: %s\n", notes->left_out.Text().c_str());
}

std::vector<std::string> NotesOnRepetitions(const Session& session) {
  const auto order = session.resources().Find<SampleOrder>();
  if (!order) return {};
  std::vector<Repetition> found = {
      {"under two labels"}, {"both to train on and to validate with"}, {"more than once"}};
  const std::vector<ListedPicture> all = AllListed(*order);
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    for (end = begin; end < all.size() && all[end].path == all[begin].path; ++end) {
    }
    if (end - begin == 1) continue;
    bool same_label = true, same_split = true;
    for (std::size_t i = begin; i < end; ++i) {
      same_label = same_label && all[i].label == all[begin].label;
      same_split = same_split && all[i].split == all[begin].split;
    }
    Repetition& kind = found[!same_label ? 0 : !same_split ? 1 : 2];
    if (kind.count++ == 0 || all[begin].index < kind.first.index) kind.first = all[begin];
  }
  std::vector<std::string> notes;
  for (const Repetition& kind : found) {
    if (kind.count == 0) continue;
    notes.push_back(Counted(kind.count, "picture") + (kind.count == 1 ? " is" : " are") +
                    " listed " + kind.what + (kind.count == 1 ? ": " : ", such as ") +
                    Quoted(PathOf(kind.first, *order)));
  }
  return notes;
}

}  // namespace weir
