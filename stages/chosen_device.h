// Which device a job runs on; provided by the stage that brings batches there. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace weir {

class Device;

struct ChosenDevice {
  static constexpr std::string_view kResource = "device";
  std::shared_ptr<Device> device;  // null: the host
  std::string reason;  // for people: "there is no NVIDIA driver here (/dev/nvidiactl is missing)"
};

}  // namespace weir
