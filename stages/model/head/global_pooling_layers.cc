#include "stages/model/head/global_pooling_layers.h"

#include "framework/error.h"

namespace weir {

Shape GlobalPoolingLayer::OutputDims(const Shape& input, const HeadPlace& place) const {
  if (input.size() != 3) {
    throw Error(ErrorKind::kConfig, place.text + ": there is no map left to pool",
                "Remove it: what arrives here is a vector already.");
  }
  return {input[2]};
}

}  // namespace weir
