#include "pipelines/report/metrics_text.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(MetricsText, HasTheMeansAndThoseOfTheWholePass) {
  const Metrics metrics{
      .loss_sum = 2,
      .images = 4,
      .means = {{"accuracy", 3, 4}, {"top_5", 4, 4}},
      .of_pass = {{"macro_f1", 0.25}, {"roc_auc", {}, "pictures of two classes"}}};
  EXPECT_EQ(MetricsText(FiguresOf(metrics)),
            "loss 0.5000  accuracy 0.750  top_5 1.000  macro_f1 0.250  roc_auc -");
  EXPECT_EQ(NotComputedText(metrics.of_pass[1]),
            "roc_auc cannot be computed: it needs pictures of two classes");
}

}  // namespace
}  // namespace weir
