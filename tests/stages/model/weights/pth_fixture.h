// Files of PyTorch's, written and read, and what is said of those that are refused.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "stages/model/weights/pth_reader.h"
#include "stages/model/weights/weights_file.h"
#include "tests/support/caught_error.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {

class PthFixture : public testing::Test {
 protected:
  std::vector<float> Read(const std::string& bytes, const std::string& name) {
    const auto file = WeightsFile::Open(folder_.Write("weights.pth", bytes));
    EXPECT_EQ(&file->format(), &kPthFormat);
    const TensorInfo* tensor = file->Find(name);
    if (!tensor) return {};
    std::vector<float> values(static_cast<std::size_t>(tensor->values()));
    file->Read(*tensor, values);
    return values;
  }

  std::vector<std::string> Names(const std::string& bytes) {
    std::vector<std::string> names;
    const auto file = WeightsFile::Open(folder_.Write("weights.pth", bytes));
    for (const TensorInfo& tensor : file->tensors()) names.push_back(tensor.name);
    return names;
  }

  // The message and remedy where tensor `name` of these bytes is read, without the folder in front.
  std::string Refusal(const std::string& bytes, const std::string& name = "w") {
    const std::string text = CaughtError([&] { Read(bytes, name); });
    const std::string folder = folder_.path().string() + "/";
    return text.starts_with(folder) ? text.substr(folder.size()) : text;
  }

  // The first `count` numbers of storage "0".
  static std::string Vector(const std::string& type, int count) {
    return pickle::Tensor(pickle::Storage(type, "0", count), 0, {count}, {1});
  }

  inline static const std::string kWholeAgain =
      "\ncopy or download the file again, or save its tensors again, whole and in float32";
  inline static const std::string kAgain =
      "\nsave the weights again by torch.save(model.state_dict(), path), or as safetensors";
  inline static const std::string kLoadIt =
      "\nload it where its classes are known and save the weights alone, by "
      "torch.save(model.state_dict(), path)";

  ScratchFolder folder_;
};

}  // namespace weir
