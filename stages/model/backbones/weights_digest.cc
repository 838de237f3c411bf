#include "stages/model/backbones/weights_digest.h"

#include <span>
#include <utility>
#include <vector>

namespace weir {

LayerReader Hashed(LayerReader reader, Sha256& digest) {
  return [reader = std::move(reader), &digest](int layer) {
    ConvWeights weights = reader(layer);
    for (const std::vector<float>* values :
         {&weights.kernel, &weights.gamma, &weights.beta, &weights.mean, &weights.variance}) {
      digest.Add(std::as_bytes(std::span(*values)));
    }
    return weights;
  };
}

}  // namespace weir
