#include "framework/config/device_selection.h"

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace weir {
namespace {

constexpr std::string_view kCuda = "cuda";

}  // namespace

std::optional<DeviceSelection> ParamType<DeviceSelection>::Read(const YamlNode& node,
                                                                const FieldRules& rules,
                                                                Problems& problems) {
  using Kind = DeviceSelection::Kind;
  const std::string& text = node.scalar();
  if (text == "auto") return DeviceSelection{Kind::kAuto};
  if (text == "cpu") return DeviceSelection{Kind::kCpu};
  if (text == kCuda) return DeviceSelection{Kind::kCuda};
  if (text.starts_with("cuda:")) {
    DeviceSelection selection{Kind::kCuda};
    const char* const end = text.data() + text.size();
    const auto [read, error] =
        std::from_chars(text.data() + kCuda.size() + 1, end, selection.index);
    if (error == std::errc() && read == end && selection.index >= 0) return selection;
  }
  detail::AddWrongType(node, rules, Words(rules).one, problems);
  return std::nullopt;
}

YamlNode ParamType<DeviceSelection>::Write(const DeviceSelection& selection, const FieldRules&) {
  switch (selection.kind) {
    case DeviceSelection::Kind::kAuto:
      return YamlNode::Scalar("auto");
    case DeviceSelection::Kind::kCpu:
      return YamlNode::Scalar("cpu");
    case DeviceSelection::Kind::kCuda:
      break;
  }
  return YamlNode::Scalar("cuda:" + std::to_string(selection.index));
}

}  // namespace weir
