#include "stages/model/backbones/find_network.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/shape.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr std::size_t kMostListed = 5;
constexpr std::string_view kSeparators = "./";

// A naming under a prefix, and how much of it is in the file.
struct Candidate {
  std::size_t naming = 0;  // its index among Backbone::namings()
  std::string_view prefix;
  std::size_t group_bytes = 0;  // as its tensors' names have it
  std::size_t kernels = 0;      // how many are there, in whatever shape
  std::size_t fitting = 0;      // tensors that are there, in the right shape, and can be read
};

std::size_t CountTensors(const Naming& naming) {
  std::size_t count = 0;
  for (const LayerNames& layer : naming.layers) {
    for (const std::string* name : layer.tensors()) count += name->empty() ? 0 : 1;
  }
  return count;
}

class Candidates {
 public:
  Candidates(const WeightsFile& file, const Backbone& backbone)
      : network_(backbone.network()), namings_(backbone.namings()) {
    Index();
    for (const TensorInfo& tensor : file.tensors()) Place(tensor);
  }

  const std::vector<Naming>& namings() const { return namings_; }
  const std::vector<Candidate>& all() const { return all_; }
  // How many the network that is wanted has.
  std::size_t kernels() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(network_.layers(), &NetworkLayer::has_weights));
  }
  bool IsWhole(const Candidate& candidate) const { return candidate.fitting == tensors(); }
  // All but a twentieth fits: it is meant to be such a network, and damaged or saved in part.
  // Keras' two names of depthwise kernels differ in more.
  bool IsNearlyWhole(const Candidate& candidate) const {
    return !IsWhole(candidate) && candidate.fitting * 20 >= 19 * tensors();
  }

 private:
  struct Wanted {
    std::size_t naming, layer, tensor;
  };

  std::size_t tensors() const { return CountTensors(namings_.front()); }

  void Index() {
    for (std::size_t n = 0; n < namings_.size(); ++n) {
      for (std::size_t layer = 0; layer < namings_[n].layers.size(); ++layer) {
        const auto names = namings_[n].layers[layer].tensors();
        for (std::size_t i = 0; i < names.size(); ++i) {
          if (names[i]->empty()) continue;
          wanted_[*names[i]].push_back({n, layer, i});
          longest_ = std::max(longest_, names[i]->size());
        }
      }
    }
  }

  // Looks up every end of the name that starts behind a separator.
  void Place(const TensorInfo& tensor) {
    const std::string_view name = tensor.name;
    for (std::size_t at = name.size(); at > 0 && name.size() - at < longest_;) {
      --at;
      if (at > 0 && kSeparators.find(name[at - 1]) == kSeparators.npos) continue;
      const auto found = wanted_.find(name.substr(at));
      if (found == wanted_.end()) continue;
      for (const Wanted& wanted : found->second) Count(tensor, name.substr(0, at), wanted);
    }
  }

  void Count(const TensorInfo& tensor, std::string_view prefix, const Wanted& wanted) {
    const Naming& naming = namings_[wanted.naming];
    // It is the folder of the whole model, whose naming finds it as well.
    if (!naming.without.empty() && prefix.ends_with(naming.without)) return;
    const auto [found, is_new] = places_[wanted.naming].try_emplace(prefix, all_.size());
    if (is_new) {
      all_.push_back(
          {.naming = wanted.naming, .prefix = prefix, .group_bytes = tensor.group_bytes});
    }
    Candidate& candidate = all_[found->second];
    if (wanted.tensor == 0) ++candidate.kernels;
    const NetworkLayer& layer = network_.layers()[wanted.layer];
    const bool fits = tensor.unread.empty() && tensor.is_floating &&
                      tensor.shape == StoredShape(layer, wanted.tensor, naming.is_keras);
    if (fits) ++candidate.fitting;
  }

  const Network& network_;
  const std::vector<Naming> namings_;
  std::unordered_map<std::string_view, std::vector<Wanted>> wanted_;
  std::size_t longest_ = 0;  // bytes of a wanted name
  // By naming: each prefix with the index of its candidate.
  std::vector<std::unordered_map<std::string_view, std::size_t>> places_{namings_.size()};
  std::vector<Candidate> all_;
};

bool HasPrefix(const Candidate& candidate, std::string_view prefix) {
  std::string_view has = candidate.prefix;
  if (has.size() == prefix.size() + 1 && kSeparators.find(has.back()) != kSeparators.npos) {
    has.remove_suffix(1);
  }
  return has == prefix;
}

// Leaves out what lies inside a group whose own names are the publisher's: `module.ema.features...`
// or a dictionary `ema` beside plain `features...`.
void KeepPlainNames(std::vector<Candidate>& candidates) {
  const std::vector<Candidate> all = candidates;
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return std::ranges::any_of(all, [&](const Candidate& other) {
      const bool is_plain = other.prefix.size() <= other.group_bytes;
      return is_plain && candidate.prefix.size() > other.prefix.size() &&
             candidate.prefix.starts_with(other.prefix);
    });
  });
}

std::vector<float> ReadTensor(WeightsFile& file, const std::string& name) {
  const TensorInfo& tensor = *file.Find(name);
  std::vector<float> values(static_cast<std::size_t>(tensor.values()));
  file.Read(tensor, values);
  return values;
}

bool HoldTheSame(WeightsFile& file, const Naming& a, const Naming& b) {
  if (a.is_keras != b.is_keras) return false;
  for (std::size_t layer = 0; layer < a.layers.size(); ++layer) {
    const auto ones = a.layers[layer].tensors(), others = b.layers[layer].tensors();
    for (std::size_t i = 0; i < ones.size(); ++i) {
      const std::string &one = *ones[i], &other = *others[i];
      if (one.empty()) continue;
      if (ReadTensor(file, one) != ReadTensor(file, other)) return false;
    }
  }
  return true;
}

std::string Quoted(std::span<const Candidate> candidates) {
  std::string text;
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostListed); ++i) {
    text += (i ? ", '" : "'") + Printable(candidates[i].prefix) + "'";
  }
  return text + (candidates.size() > kMostListed ? ", ..." : "");
}

// What keeps the file from being this model's weights, a line each.
struct Mismatch {
  std::vector<std::string> misshapen, unread, missing;
};

Mismatch Compare(const WeightsFile& file, const Network& network, const Naming& naming) {
  Mismatch mismatch;
  for (std::size_t layer = 0; layer < naming.layers.size(); ++layer) {
    const auto names = naming.layers[layer].tensors();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& key = *names[i];
      if (key.empty()) continue;
      const std::string name = Printable(key);  // its prefix is the file's
      const Shape shape = StoredShape(network.layers()[layer], i, naming.is_keras);
      const TensorInfo* tensor = file.Find(key);
      if (!tensor) {
        mismatch.missing.push_back(name + " is missing");
      } else if (!tensor->unread.empty()) {
        mismatch.unread.push_back(name + " " + tensor->unread);
      } else if (!tensor->is_floating) {
        mismatch.unread.push_back(name + " is made of whole numbers, as quantized weights are");
      } else if (tensor->shape != shape) {
        mismatch.misshapen.push_back(name + " is " + ToText(tensor->shape) + " and not " +
                                     ToText(shape));
      }
    }
  }
  return mismatch;
}

// `whole` are the networks that do fit.
[[noreturn]] void RefuseMismatch(const WeightsFile& file, const Backbone& backbone,
                                 const Naming& naming, const std::vector<Candidate>& whole) {
  const Mismatch mismatch = Compare(file, backbone.network(), naming);
  std::vector<std::string> all = mismatch.misshapen;
  all.insert(all.end(), mismatch.unread.begin(), mismatch.unread.end());
  all.insert(all.end(), mismatch.missing.begin(), mismatch.missing.end());
  std::ostringstream what;
  what << file.path().string() << ": " << all.size() << " of " << CountTensors(naming)
       << " tensors do not fit " << backbone.kind().name << " of width " << backbone.width()
       << ": ";
  for (std::size_t i = 0; i < std::min(all.size(), kMostListed); ++i) {
    what << (i ? "; " : "") << all[i];
  }
  if (all.size() > kMostListed) what << "; ...";

  std::ostringstream remedy;
  remedy << (mismatch.unread.size() == all.size()
                 ? "save its tensors again, whole and in float32"
                 : "give weights of " + std::string(backbone.kind().title) + " with this width");
  std::set<double> widths;
  for (const PublishedWeights& published : backbone.kind().published) {
    widths.insert(published.width);
  }
  for (const double width : widths) {
    const Backbone other(backbone.kind(), width, backbone.network().input(),
                         backbone.network().convention());
    if (!mismatch.misshapen.empty() && Compare(file, other.network(), naming).misshapen.empty()) {
      remedy.str("");
      remedy << "the file looks like width " << width << ": set model.backbone.width to it";
    }
  }
  if (!whole.empty()) {
    remedy.str("");
    remedy << "if another network is meant that fits, set model.backbone.prefix to "
           << Quoted(whole);
  }
  throw Error(ErrorKind::kData, what.str(), remedy.str());
}

[[noreturn]] void RefuseAnotherNetwork(const WeightsFile& file, const BackboneKind& kind) {
  const std::string first = file.tensors().empty() ? "nothing" : file.tensors()[0].name;
  throw Error(ErrorKind::kData,
              file.path().string() + ": holds no " + std::string(kind.title) + ": its " +
                  std::to_string(file.tensors().size()) + " tensors (the first is '" +
                  Printable(first) +
                  "') do not have the names that Keras, torchvision, timm or transformers give",
              "give weights of " + std::string(kind.name));
}

[[noreturn]] void RefusePrefix(const WeightsFile& file, const BackboneKind& kind,
                               const std::string& prefix, const std::vector<Candidate>& whole) {
  throw Error(ErrorKind::kData,
              file.path().string() + ": holds no " + std::string(kind.title) +
                  " whose tensors' names begin with '" + Printable(prefix) + "'",
              whole.empty() ? "leave model.backbone.prefix out"
                            : "what fits begins with " + Quoted(whole) +
                                  ": set model.backbone.prefix to that, or leave it out");
}

[[noreturn]] void RefuseSeveral(const WeightsFile& file, const Backbone& backbone,
                                const std::vector<Candidate>& whole) {
  std::ostringstream what;
  what << file.path().string() << ": holds " << whole.size() << " different networks that fit "
       << backbone.kind().name << " of width " << backbone.width();
  if (whole[0].prefix == whole[1].prefix) {
    throw Error(ErrorKind::kData, what.str() + ", under the names of several publishers",
                "save the one that is meant alone");
  }
  what << "; the names of their tensors begin with " << Quoted(whole);
  throw Error(ErrorKind::kData, what.str(),
              "say which is meant: set model.backbone.prefix to one of these");
}

}  // namespace

Naming FindNetwork(WeightsFile& file, const Backbone& backbone, const std::string& prefix) {
  const Candidates candidates(file, backbone);
  std::vector<Candidate> whole;
  const Candidate* best = nullptr;  // the best of those with the prefix
  for (const Candidate& candidate : candidates.all()) {
    if (candidates.IsWhole(candidate)) whole.push_back(candidate);
    if (!prefix.empty() && !HasPrefix(candidate, prefix)) continue;
    const auto rank = [](const Candidate& it) { return std::pair(it.kernels, it.fitting); };
    if (!best || rank(candidate) > rank(*best)) best = &candidate;
  }
  std::ranges::stable_sort(whole, {}, &Candidate::prefix);
  const bool is_of_another = !best || best->kernels * 4 < candidates.kernels();
  if (is_of_another && !prefix.empty()) RefusePrefix(file, backbone.kind(), prefix, whole);
  if (is_of_another) RefuseAnotherNetwork(file, backbone.kind());

  const auto names = [&](const Candidate& candidate) {
    return WithPrefix(candidates.namings()[candidate.naming], candidate.prefix);
  };
  if (prefix.empty()) {
    const auto nearly = std::ranges::find_if(candidates.all(), [&](const Candidate& candidate) {
      const bool has_twin = std::ranges::any_of(
          whole, [&](const Candidate& it) { return it.prefix == candidate.prefix; });
      return candidates.IsNearlyWhole(candidate) && !has_twin;
    });
    if (nearly != candidates.all().end()) RefuseMismatch(file, backbone, names(*nearly), whole);
    KeepPlainNames(whole);
  } else {
    std::erase_if(whole, [&](const Candidate& it) { return !HasPrefix(it, prefix); });
  }
  if (whole.empty()) RefuseMismatch(file, backbone, names(*best), {});
  Naming first = names(whole[0]);
  for (std::size_t i = 1; i < whole.size(); ++i) {
    if (!HoldTheSame(file, first, names(whole[i]))) RefuseSeveral(file, backbone, whole);
  }
  return first;
}

}  // namespace weir
