// What may be chosen of an InferenceGraph. Plain data.
#pragma once

namespace weir {

struct InferenceOptions {
  bool keeps_batch_norms = false;  // as operations of their own, folded into nothing
};

}  // namespace weir
