// What LibTorch's operators do to a card beside their work: each loads kernels, and may fail. Any
// thread.
#pragma once

#include <string>

namespace weir::sim {

// To be called before an operator runs on `card`: "aten::convolution", and what its shapes are in
// any words. Gives the message that a test wants it to fail with; empty: it runs.
std::string BeginOperator(int card, const std::string& name, const std::string& shapes);

}  // namespace weir::sim
