#include "pipelines/export/export_formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::StartsWith;

TEST(ExportFormats, SuggestOneThatThereIs) {
  EXPECT_EQ(FindExportFormat("onnx").file_name, "model.onnx");
  EXPECT_EQ(FindExportFormat("tflite").file_name, "model.tflite");
  EXPECT_EQ(FindExportFormat("torchscript").file_name, "model.pt");
  EXPECT_THAT(CaughtError([] { FindExportFormat("onxx"); }),
              StartsWith("--to `onxx`: there is no such format; did you mean `onnx`?\n"
                         "What there is: onnx"));
}

}  // namespace
}  // namespace weir
