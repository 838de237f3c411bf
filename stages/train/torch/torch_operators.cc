#include "stages/train/torch/torch_operators.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "stages/nvidia_driver.h"

namespace weir {
namespace {

// The operators that weir's stages call on the host and those that these call in LibTorch, in byte
// order, on any processor: NNPACK's and oneDNN's convolutions and products beside its own. The
// tests' reference model adds batch_norm, conv2d and mean. Where there is a GPU all are registered.
constexpr std::array<std::string_view, 87> kOperators = {
    // clang-format off
    "_batch_norm_impl_index", "_convolution", "_local_scalar_dense", "_nnpack_available",
    "_nnpack_spatial_convolution", "_reshape_alias", "_slow_conv2d_backward",
    "_slow_conv2d_forward", "_to_copy", "add", "addcdiv", "addcmul", "addmm", "amax", "as_strided",
    "batch_norm", "cat", "clamp", "clamp_min", "clone", "constant_pad_nd", "contiguous", "conv2d",
    "convolution", "convolution_backward", "copy", "detach", "div", "empty", "empty_like",
    "empty_strided", "expand", "fill", "hardsigmoid", "hardsigmoid_backward", "hardswish",
    "hardswish_backward", "hardtanh", "hardtanh_backward", "item", "lerp", "linalg_vector_norm",
    "max", "max_pool2d", "max_pool2d_with_indices", "max_pool2d_with_indices_backward", "mean",
    "mkldnn_convolution", "mkldnn_linear", "mm", "mul", "narrow", "native_batch_norm",
    "native_batch_norm_backward", "ones", "permute", "pow", "relu", "reshape", "resize",
    "resize_as", "resolve_conj", "result_type", "rsqrt", "scatter", "select", "sigmoid",
    "sigmoid_backward", "silu", "silu_backward", "slice", "slow_conv_dilated2d", "sqrt", "squeeze",
    "sub", "sum", "t", "tanh", "tanh_backward", "thnn_conv2d", "threshold_backward", "to",
    "transpose", "unsqueeze", "view", "zero", "zeros",
    // clang-format on
};
static_assert(std::is_sorted(kOperators.begin(), kOperators.end()));

// LibTorch's own of the member function that the program has in its place. A pointer to a member
// that is not virtual begins with the function's address (Itanium C++ ABI 2.3).
template <typename Member>
Member InLibTorch(Member ours) {
  void* address = nullptr;
  std::memcpy(static_cast<void*>(&address), &ours, sizeof(address));
  Dl_info symbol = {};
  void* next = dladdr(address, &symbol) != 0 && symbol.dli_sname != nullptr
                   ? dlsym(RTLD_NEXT, symbol.dli_sname)
                   : nullptr;
  if (next == nullptr) {
    std::fputs("weir: LibTorch has no function of its own to register operators\n", stderr);
    std::abort();
  }
  std::memcpy(&ours, static_cast<const void*>(&next), sizeof(next));
  return ours;
}

bool Registers(const std::string& name) {
  return RegistersAllTorchOperators() || IsTorchOperatorOfWeir(name);
}

}  // namespace

bool IsTorchOperatorOfWeir(std::string_view name) {
  if (const size_t colons = name.find("::"); colons != name.npos) {
    if (name.substr(0, colons) != "aten") return false;
    name.remove_prefix(colons + 2);
  }
  name = name.substr(0, name.find('.'));
  if (!name.empty() && name.back() == '_') name.remove_suffix(1);
  return std::binary_search(kOperators.begin(), kOperators.end(), name);
}

// Runs before main(), and before the constructors of this program's own variables.
bool RegistersAllTorchOperators() {
  static const bool all = [] {
    const char* wanted = std::getenv("WEIR_TORCH_OPERATORS");  // NOLINT(concurrency-mt-unsafe)
    return (wanted != nullptr && std::string_view(wanted) == "all") || HasNvidiaDriver();
  }();
  return all;
}

}  // namespace weir

// The definitions below stand for LibTorch's throughout the process: the dynamic linker finds the
// program's before the library's. Each is declared in LibTorch's headers, so that one whose
// arguments change no longer compiles.
namespace torch {

using Tags = std::vector<at::Tag>;
using NameOrSchema = std::variant<c10::OperatorName, c10::FunctionSchema>;

Library& Library::_def(c10::FunctionSchema&& schema, c10::OperatorName* out_name, const Tags& tags,
                       _RegisterOrVerify rv) & {
  using Def = Library& (Library::*)(c10::FunctionSchema&&, c10::OperatorName*, const Tags&,
                                    _RegisterOrVerify)&;
  static const auto next = weir::InLibTorch(static_cast<Def>(&Library::_def));
  if (!weir::Registers(schema.name())) return *this;
  return (this->*next)(std::move(schema), out_name, tags, rv);
}

Library& Library::_def(NameOrSchema&& name_or_schema, CppFunction&& f, const Tags& tags) & {
  using Def = Library& (Library::*)(NameOrSchema&&, CppFunction&&, const Tags&)&;
  static const auto next = weir::InLibTorch(static_cast<Def>(&Library::_def));
  const auto* name = std::get_if<c10::OperatorName>(&name_or_schema);
  if (!weir::Registers(name != nullptr ? name->name
                                       : std::get<c10::FunctionSchema>(name_or_schema).name())) {
    return *this;
  }
  return (this->*next)(std::move(name_or_schema), std::move(f), tags);
}

Library& Library::_impl(const char* name, CppFunction&& f, _RegisterOrVerify rv) & {
  static const auto next = weir::InLibTorch(&Library::_impl);
  const bool is_of_aten = ns_.has_value() && *ns_ == "aten";
  if (!weir::RegistersAllTorchOperators() && !(is_of_aten && weir::IsTorchOperatorOfWeir(name))) {
    return *this;
  }
  return (this->*next)(name, std::move(f), rv);
}

}  // namespace torch

c10::OperatorHandle c10::Dispatcher::findSchemaOrThrow(const char* name, const char* overload) {
  if (const std::optional<OperatorHandle> found = findSchema({name, overload})) return *found;
  const std::string whole = std::string(name) + (*overload != '\0' ? "." : "") + overload;
  TORCH_CHECK(weir::RegistersAllTorchOperators(), "weir leaves LibTorch's operator ", whole,
              " out, to save memory; start it with WEIR_TORCH_OPERATORS=all in its environment to ",
              "have every operator, for ", weir::kOtherTorchOperatorsBytes >> 20, " MiB");
  TORCH_CHECK(false, "LibTorch has no operator ", whole);
}
