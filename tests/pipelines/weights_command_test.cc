// What a person is told of the weights that a configuration names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "stages/model/weights/safetensors_writer.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/drawn_pictures.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

class WeightsCommand : public testing::Test {
 protected:
  // The demo's weights under `prefix`, after `change`.
  void Add(
      const std::string& prefix,
      const std::function<void(std::vector<float>&)>& change = [](auto&) {}) {
    const auto file = WeightsFile::Open("configs/demo_weights.safetensors");
    for (const TensorInfo& tensor : file->tensors()) {
      std::vector<float>& values = values_.emplace_back(tensor.values());
      file->Read(tensor, values);
      change(values);
      names_.push_back(prefix + tensor.name);
      shapes_.push_back(tensor.shape);
    }
  }

  ProcessOutcome Check(const std::vector<std::string>& more = {}) {
    std::vector<TensorToWrite> tensors;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      tensors.push_back(TensorToWrite::Of(names_[i], shapes_[i], values_[i]));
    }
    WriteSafetensors(path_, tensors);
    const std::vector<std::string> all = {
        "check", "configs/demo.yaml",
        "--set", "pipeline.directory.path=" + DrawnPictures().string(),
        "--set", "model.backbone.weights=" + path_.string()};
    return Weir(Joined(all, more));
  }

  ScratchFolder folder_;
  const std::filesystem::path path_ = folder_ / "w.safetensors";
  std::vector<std::string> names_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::vector<std::vector<float>> values_;
};

TEST_F(WeightsCommand, ANumberThatIsNoneIsFoundByCheckInAFrozenLayer) {
  Add("", [is_first = true](std::vector<float>& values) mutable {
    if (is_first) values[0] = std::numeric_limits<float>::quiet_NaN();
    is_first = false;
  });
  const ProcessOutcome outcome = Check();
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.out, HasSubstr("w.safetensors: tensor 'features.0.0.weight' holds NaN or "
                                     "infinity in 1 of its 432 numbers\n"));
}

TEST_F(WeightsCommand, OfTwoNetworksThePrefixChooses) {
  Add("encoder_q.");
  Add("encoder_k.", [](std::vector<float>& values) {
    for (float& value : values) value *= 2;
  });
  const ProcessOutcome outcome = Check();
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.out, HasSubstr("the names of their tensors begin with 'encoder_k.', "
                                     "'encoder_q.'\n  say which is meant: set "
                                     "model.backbone.prefix to one of these\n"));
  const ProcessOutcome chosen = Check({"--set", "model.backbone.prefix=encoder_q."});
  EXPECT_EQ(chosen.status, 0) << chosen.out << chosen.err;
}

}  // namespace
}  // namespace weir
