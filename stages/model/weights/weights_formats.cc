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

// Messages name them in this order; what one publisher writes stands together.
constexpr const WeightsFormat* kFormats[] = {
    &kPthFormat,
    &kSafetensorsFormat,
    &kKerasArchiveFormat,
    &kHdf5Format,
};

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
  const auto ends_in = [name](std::string_view ending) { return name.ends_with(ending); };
  return std::ranges::any_of(WeightsFormats(), [&](const WeightsFormat* format) {
    return format->is_of_keras && std::ranges::any_of(format->endings, ends_in);
  });
}

}  // namespace weir
