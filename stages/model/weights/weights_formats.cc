#include "stages/model/weights/weights_formats.h"

#include <algorithm>
#include <vector>

#include "framework/config/suggestion.h"
#include "stages/model/weights/hdf5_reader.h"
#include "stages/model/weights/keras_archive.h"
#include "stages/model/weights/pth_reader.h"
#include "stages/model/weights/safetensors_reader.h"

namespace weir {
namespace {

// Messages name them in this order; what one publisher writes stands together. A file is asked of
// the later ones first: a Keras archive may hold a data.pkl among its assets.
constexpr const WeightsFormat* kFormats[] = {
    &kPthFormat,
    &kSafetensorsFormat,
    &kKerasArchiveFormat,
    &kHdf5Format,
};

bool EndsInOneOf(std::string_view name, std::span<const std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view each) { return name.ends_with(each); });
}

}  // namespace

std::span<const WeightsFormat* const> WeightsFormats() { return kFormats; }

std::string WeightsFormatsToGive() {
  struct Publisher {
    std::string_view whose;
    std::vector<std::string> endings;
  };
  std::vector<Publisher> publishers;
  for (const WeightsFormat* format : kFormats) {
    if (publishers.empty() || publishers.back().whose != format->whose) {
      publishers.push_back({format->whose, {}});
    }
    std::vector<std::string>& endings = publishers.back().endings;
    endings.insert(endings.end(), format->endings.begin(), format->endings.end());
  }
  std::string text;
  for (const Publisher& publisher : publishers) {
    const bool is_last = &publisher == &publishers.back();
    text += (text.empty() ? ""
             : is_last    ? ", or "
                          : ", ") +
            std::string(publisher.whose) + " " + Enumerate(publisher.endings, "or");
  }
  return text;
}

std::string WeightsEndings() {
  std::vector<std::string> endings;
  for (const WeightsFormat* format : kFormats) endings.emplace_back(format->endings.front());
  return Enumerate(endings, "or");
}

bool IsNameOfKeras(std::string_view name) {
  return std::ranges::any_of(kFormats, [&](const WeightsFormat* format) {
    return format->is_of_keras && EndsInOneOf(name, format->endings);
  });
}

bool IsNameOfWeights(std::string_view name) {
  return std::ranges::any_of(kFormats, [&](const WeightsFormat* format) {
    return EndsInOneOf(name, format->endings) || EndsInOneOf(name, format->other_endings);
  });
}

}  // namespace weir
