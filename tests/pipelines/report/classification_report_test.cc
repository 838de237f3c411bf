#include "pipelines/report/classification_report.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

namespace weir {
namespace {

// What is printed to a file.
template <class Print>
std::string Printed(Print print) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const out = open_memstream(&text, &size);
  print(out);
  std::fclose(out);
  std::string printed(text, size);
  std::free(text);
  return printed;
}

// Four of ants, of which one was taken for bees; two of bees; none of wasps.
class ClassificationReportTest : public ::testing::Test {
 protected:
  ClassificationReportTest() {
    confusion_.Declare(3, 6);
    confusion_.Open();
    for (const auto& [truth, predicted] :
         {std::pair(0, 0), {0, 0}, {0, 0}, {0, 1}, {1, 1}, {1, 1}}) {
      confusion_.Add(truth, predicted);
    }
  }

  const std::vector<std::string> classes_ = {"ants", "bees", "wasps"};
  const Metrics metrics_{.loss_sum = 3,
                         .images = 6,
                         .means = {{"accuracy", 5, 6}},
                         .of_pass = {{"macro_f1", 0.5}, {"roc_auc", std::nullopt}}};
  const Bootstrap bootstrap_{100, {{"accuracy", {0.5, 1}}, {"macro_f1", {0.25, 0.75}}}};
  ConfusionCounts confusion_;
};

TEST_F(ClassificationReportTest, HasALineAClassAndTheMeans) {
  const ClassificationReport report{metrics_, classes_, confusion_, &bootstrap_};
  EXPECT_EQ(Printed([&](std::FILE* out) { PrintTable(report, out); }),
            "6 pictures: accuracy 0.833 (0.500 to 1.000), loss 0.5000, macro_f1 0.500 (0.250 to "
            "0.750), roc_auc -\n"
            "in brackets: where 95 % of 100 resamples of the pictures lie\n"
            "\n"
            "class          pictures  precision  recall     F1   taken for\n"
            "ants                  4      1.000   0.750  0.857   ants 3 bees 1\n"
            "bees                  2      0.667   1.000  0.800   bees 2\n"
            "wasps                 0          -       -      -  \n"
            "macro mean                   0.556   0.583  0.552\n"
            "weighted mean                0.889   0.833  0.838\n");
}

// sklearn.metrics.precision_recall_fscore_support([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1],
// labels=[0, 1, 2], average="macro" and "weighted", zero_division=0).
TEST_F(ClassificationReportTest, AsJsonHasThemUnderTheirNames) {
  const ClassificationReport report{metrics_, classes_, confusion_, &bootstrap_};
  const auto json = nlohmann::json::parse(Printed([&](std::FILE* out) { PrintJson(report, out); }));
  EXPECT_NEAR(json["macro"]["precision"].get<double>(), 0.5555555555555555, 1e-15);
  EXPECT_NEAR(json["macro"]["recall"].get<double>(), 0.5833333333333334, 1e-15);
  EXPECT_NEAR(json["macro"]["f1"].get<double>(), 0.5523809523809523, 1e-15);
  EXPECT_NEAR(json["weighted"]["precision"].get<double>(), 0.8888888888888888, 1e-15);
  EXPECT_NEAR(json["weighted"]["recall"].get<double>(), 0.8333333333333334, 1e-15);
  EXPECT_NEAR(json["weighted"]["f1"].get<double>(), 0.8380952380952381, 1e-15);
  EXPECT_EQ(json["accuracy"], 5. / 6);
  EXPECT_EQ(json["loss"], 0.5);
  EXPECT_EQ(json["macro_f1"], 0.5);
  EXPECT_TRUE(json["roc_auc"].is_null());
  EXPECT_EQ(json["metrics"]["macro_f1"],
            (nlohmann::json{{"value", 0.5}, {"low", 0.25}, {"high", 0.75}}));
  EXPECT_EQ(json["metrics"]["roc_auc"],
            (nlohmann::json{{"value", nullptr}, {"low", nullptr}, {"high", nullptr}}));
  EXPECT_EQ(json["per_class"]["ants"]["f1"], 6. / 7);
  EXPECT_TRUE(json["per_class"]["wasps"]["f1"].is_null());
  EXPECT_EQ(json["per_class"]["ants"]["taken_for"]["bees"], 1);

  const ClassificationReport sure{metrics_, classes_, confusion_};
  const auto plain = nlohmann::json::parse(Printed([&](std::FILE* out) { PrintJson(sure, out); }));
  EXPECT_EQ(plain["metrics"]["macro_f1"], (nlohmann::json{{"value", 0.5}}));
}

}  // namespace
}  // namespace weir
