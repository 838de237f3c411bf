#include "stages/model/head/batch_norm_layer.h"

namespace weir {

std::string BatchNormLayer::declaration() const {
  return std::string(name()) + " " + NumberText(momentum()) + " " + NumberText(epsilon());
}

std::vector<HeadArray> BatchNormLayer::Arrays(const Shape& input) const {
  using enum HeadArray::Initializer;
  const Shape channels = {input.back()};
  return {{.name = "weight", .shape = channels, .initializer = kOnes},
          {.name = "bias", .shape = channels},
          {.name = "running_mean", .shape = channels, .learns = false},
          {.name = "running_var", .shape = channels, .initializer = kOnes, .learns = false}};
}

}  // namespace weir
