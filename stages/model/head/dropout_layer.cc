#include "stages/model/head/dropout_layer.h"

namespace weir {

std::string DropoutLayer::declaration() const {
  return std::string(name()) + " " + NumberText(rate());
}

}  // namespace weir
