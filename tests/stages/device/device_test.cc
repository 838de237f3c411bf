#include "stages/device/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "framework/error.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using Kind = DeviceSelection::Kind;

// A machine with a driver, and a folder that the device side is looked for in.
class Machine {
 public:
  bool has_driver = true;

  std::filesystem::path library() const { return folder_.path() / "libweir_cuda.so"; }
  DeviceSearch search() const {
    return {.has_driver = [this] { return has_driver; },
            .folders = {folder_.path() / "none", folder_.path()}};
  }
  void InstallFakeDevice() { std::filesystem::copy_file(WEIR_FAKE_DEVICE, library()); }

  std::string Refusal(int index = 0) const {
    try {
      ChooseDevice({Kind::kCuda, index}, search());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      EXPECT_EQ(error.remedy(),
                "Write `device: auto` to run on the processor where there is no GPU.");
      return error.what();
    }
    return "accepted";
  }
  // That auto runs on the host for the same reason, which it gives.
  std::string ReasonOfAuto() const {
    const ChosenDevice chosen = ChooseDevice({Kind::kAuto, 0}, search());
    EXPECT_EQ(chosen.device, nullptr);
    return chosen.reason;
  }

 private:
  ScratchFolder folder_;
};

TEST(ChooseDevice, WithoutADriver) {
  Machine machine;
  machine.InstallFakeDevice();
  machine.has_driver = false;
  const std::string reason = "there is no NVIDIA driver here (/dev/nvidiactl is missing)";
  EXPECT_EQ(machine.Refusal(), "prefetch: `device: cuda` is asked for, but " + reason);
  EXPECT_EQ(machine.ReasonOfAuto(), reason);
}

TEST(ChooseDevice, WithoutTheDeviceSide) {
  const Machine machine;
  const std::string reason =
      "this weir was built without CUDA (there is no libweir_cuda.so beside it)";
  EXPECT_EQ(machine.Refusal(), "prefetch: `device: cuda` is asked for, but " + reason);
  EXPECT_EQ(machine.ReasonOfAuto(), reason);
}

TEST(ChooseDevice, WithADamagedDeviceSide) {
  const Machine machine;
  std::ofstream(machine.library()) << "not a library";
  EXPECT_EQ(machine.ReasonOfAuto(),
            "the device side cannot be loaded: " + machine.library().string() + ": file too short");
}

TEST(ChooseDevice, TakesTheGpuThatIsThere) {
  Machine machine;
  machine.InstallFakeDevice();
  const ChosenDevice chosen = ChooseDevice({Kind::kAuto, 0}, machine.search());
  ASSERT_NE(chosen.device, nullptr);
  EXPECT_EQ(chosen.device->torch_device(), "cuda:0");
  EXPECT_EQ(chosen.reason, "Fake GPU is there");
  EXPECT_NE(ChooseDevice({Kind::kCuda, 0}, machine.search()).device, nullptr);
}

// An Error of the other side of the library arrives as one of ours.
TEST(ChooseDevice, WithoutThatGpu) {
  Machine machine;
  machine.InstallFakeDevice();
  EXPECT_EQ(machine.Refusal(3),
            "prefetch: `device: cuda` is asked for, but there is no GPU 3 (there is 1)");
}

TEST(ChooseDevice, TakesTheHostWhereTheGpuIsTooFull) {
  Machine machine;
  machine.InstallFakeDevice();
  const auto choose = [&](Kind kind, std::size_t limit_bytes) {
    return ChooseDevice({kind, 0}, machine.search(),
                        {.device = DeviceMemory{ByteSize{limit_bytes}}});
  };
  const std::size_t enough = (std::size_t{64} << 20) + kLeastDeviceRoom;
  EXPECT_NE(choose(Kind::kAuto, enough).device, nullptr);
  const ChosenDevice chosen = choose(Kind::kAuto, enough - (std::size_t{56} << 20));
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_EQ(chosen.reason,
            "Fake GPU is there, but has only 168 MiB for this job beside CUDA's own 64.0 MiB, and "
            "224 MiB are wanted");
  EXPECT_EQ(choose(Kind::kAuto, 1).reason, "Fake GPU is there, but memory.device is too little");

  // Asked for by name it is taken as long as CUDA itself fits; what does not fit later is refused.
  EXPECT_NE(choose(Kind::kCuda, enough - 1).device, nullptr);
  EXPECT_EQ(CaughtError([&] { choose(Kind::kCuda, 1); }),
            "memory.device is too little\nRaise memory.device.");
}

// Before the device side is loaded: what that takes of the host cannot be given back.
TEST(ChooseDevice, TakesTheHostWhereThatHasNoRoomForAGpu) {
  Machine machine;
  machine.InstallFakeDevice();
  const JobCeilings low{.host_bytes = std::size_t{256} << 20, .device = {}};
  const ChosenDevice chosen = ChooseDevice({Kind::kAuto, 0}, machine.search(), low);
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_THAT(chosen.reason, testing::MatchesRegex("memory.host leaves 2.. MiB for a GPU's "
                                                   "libraries and driver, and 512 MiB are wanted"));
  EXPECT_NE(ChooseDevice({Kind::kCuda, 0}, machine.search(), low).device, nullptr);
  const JobCeilings high{.host_bytes = std::size_t{1} << 30, .device = {}};
  EXPECT_NE(ChooseDevice({Kind::kAuto, 0}, machine.search(), high).device, nullptr);
}

TEST(ChooseDevice, TakesTheHostWhereAGpuWouldNotPayOff) {
  Machine machine;
  machine.InstallFakeDevice();
  const auto choose = [&](Kind kind, std::optional<double> host_seconds) {
    return ChooseDevice({kind, 0}, machine.search(), {}, [=] { return host_seconds; });
  };
  const ChosenDevice chosen = choose(Kind::kAuto, 4.2);
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_EQ(chosen.reason,
            "the processor needs some 4 s for this job, too few for a GPU to pay off; "
            "`device: cuda` takes it anyway");
  EXPECT_EQ(choose(Kind::kAuto, kLeastHostSeconds).device, nullptr);
  EXPECT_EQ(choose(Kind::kAuto, 1200).reason,
            "Fake GPU is there, and the processor would need some 20 min");
  EXPECT_EQ(choose(Kind::kAuto, std::nullopt).reason, "Fake GPU is there");
  EXPECT_EQ(choose(Kind::kCuda, 4.2).reason, "Fake GPU is there");
}

TEST(ChooseDevice, DoesNotAskHowLongTheJobIsWhereThereIsNoDriver) {
  Machine machine;
  machine.has_driver = false;
  bool is_asked = false;
  ChooseDevice({Kind::kAuto, 0}, machine.search(), {}, [&] {
    is_asked = true;
    return std::optional(1.0);
  });
  EXPECT_FALSE(is_asked);
}

TEST(ChooseDevice, LeavesTheGpuAloneWhereTheConfigurationSaysSo) {
  Machine machine;
  machine.InstallFakeDevice();
  const ChosenDevice chosen = ChooseDevice({Kind::kCpu, 0}, machine.search());
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_EQ(chosen.reason, "`device: cpu` says so");
}

TEST(DeviceLimit, IsASizeAPartOrWhatIsFree) {
  Machine machine;
  machine.InstallFakeDevice();
  const auto device = ChooseDevice({Kind::kAuto, 0}, machine.search()).device;
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(DeviceLimit(DeviceMemory{ByteSize{300 << 20}}, *device), 300u << 20);
  EXPECT_EQ(DeviceLimit(DeviceMemory{0.5}, *device), 512u << 20);
  EXPECT_EQ(DeviceLimit({}, *device), 832u << 20);
}

TEST(ListGpus, GivesWhatTheDeviceSideTells) {
  Machine machine;
  machine.InstallFakeDevice();
  const std::vector<GpuDescription> gpus = ListGpus(machine.search());
  ASSERT_EQ(gpus.size(), 1u);
  EXPECT_EQ(gpus[0].name, "Fake GPU");
  EXPECT_EQ(gpus[0].compute_capability, "9.0");
}

}  // namespace
}  // namespace weir
