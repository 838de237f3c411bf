// The operators of LibTorch that weir uses.
//
// LibTorch registers 3,400 operators as it is loaded: schemas and dispatch tables of 43 MiB, for
// good, and a quarter of a second before main(). weir's stages come to about a hundred. What
// LibTorch's selective build leaves out when it is compiled, torch_operators.cc leaves out when the
// finished library is loaded: it stands in front of torch::Library's registering functions, and
// lets through what its list names.
//
// Every operator is registered where the process begins with WEIR_TORCH_OPERATORS=all in its
// environment (for a plugin with operators of its own choice), and where an NVIDIA driver is:
// CUDA's kernels call many more, and 43 MiB weigh nothing beside its libraries.
//
// An operator that was left out throws c10::Error when it is called, which says what to set.
//
// Source: torch/library.h, "Selective build"; symbol interposition, ld.so(8).
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

// What the operators outside the list take, bytes of private memory. Measured with LibTorch 2.15.
inline constexpr std::size_t kOtherTorchOperatorsBytes = std::size_t{43} << 20;

// Whether an operator is registered in any case. `name` is LibTorch's, with or without its
// namespace, its overload and the underscore of its in-place form: "aten::add_.Tensor", "add".
bool IsTorchOperatorOfWeir(std::string_view name);

// Whether this process has every operator; decided once, when LibTorch is loaded.
bool RegistersAllTorchOperators();

}  // namespace weir
