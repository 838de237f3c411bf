#include "pipelines/serve/server_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using testing::HasSubstr;

TEST(ServerMetricsTest, CountsRequestsByRouteAndStatus) {
  ServerMetrics metrics;
  metrics.CountRequest("/predict", 200, 0.004);
  metrics.CountRequest("/predict", 200, 0.02);
  metrics.CountRequest("/predict", 422, 60);
  metrics.CountRequest("other", 404, 0);
  const std::string text = metrics.Text({});
  EXPECT_THAT(text, HasSubstr("# TYPE weir_requests_total counter\n"));
  EXPECT_THAT(text, HasSubstr("weir_requests_total{route=\"/predict\",code=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("weir_requests_total{route=\"/predict\",code=\"422\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_requests_total{route=\"other\",code=\"404\"} 1\n"));
  // A bucket holds what those before it hold.
  EXPECT_THAT(text, HasSubstr("weir_request_seconds_bucket{route=\"/predict\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_request_seconds_bucket{route=\"/predict\",le=\"0.025\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("weir_request_seconds_bucket{route=\"/predict\",le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("weir_request_seconds_bucket{route=\"/predict\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("weir_request_seconds_sum{route=\"/predict\"} 60.024\n"));
  EXPECT_THAT(text, HasSubstr("weir_request_seconds_count{route=\"/predict\"} 3\n"));
  EXPECT_EQ(metrics.requests(), 4U);
}

TEST(ServerMetricsTest, CountsPicturesAndShowsGauges) {
  ServerMetrics metrics;
  metrics.CountPictures(3, 1);
  const std::string text = metrics.Text({{"held", "part=\"a\"", "Bytes.", 1024},
                                         {"held", "part=\"b\"", "Bytes.", 0},
                                         {"open", "", "Connections.", 2}});
  EXPECT_THAT(text, HasSubstr("weir_pictures_total{result=\"answered\"} 3\n"
                              "weir_pictures_total{result=\"unreadable\"} 1\n"
                              "# HELP held Bytes.\n# TYPE held gauge\nheld{part=\"a\"} 1024\n"
                              "held{part=\"b\"} 0\n# HELP open Connections.\n# TYPE open gauge\n"
                              "open 2\n"));
  EXPECT_EQ(metrics.pictures(), 3U);
}

}  // namespace
}  // namespace weir
