#include "stages/train/head/head_operations.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/head_layers.h"

namespace weir {
namespace {

TEST(HeadOperations, ComputeEveryLayerOnce) {
  for (const Part<HeadLayer>& part : HeadLayer::All()) {
    Problems problems;
    auto layer = part.read(YamlNode::Null({}), problems);
    if (!layer) layer = HeadDense(4);  // the one whose parameters have no defaults
    ASSERT_EQ(layer->name(), part.names.front());
    EXPECT_EQ(std::ranges::count_if(
                  HeadOperations(),
                  [&](const HeadOperationKind* kind) { return kind->computes(*layer); }),
              1)
        << layer->name();
  }
}

}  // namespace
}  // namespace weir
