// What `weir serve` answers: which paths there are, and what each gives.
//
//   GET  /                       a page to drop a picture on
//   POST /predict                a picture, or a form with some; ?top=, ?threshold=
//   GET  /v2, /v2/health/live, /v2/health/ready, /v2/models/NAME, /v2/models/NAME/ready
//   POST /v2/models/NAME/infer   KServe's protocol, version 2
//   GET  /metrics                for Prometheus
//
// Any thread.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "pipelines/report/answer.h"
#include "pipelines/serve/http.h"
#include "pipelines/serve/infer_request.h"
#include "pipelines/serve/model_server.h"
#include "pipelines/serve/server_metrics.h"

namespace weir {

struct ServiceOptions {
  std::string name;                       // the model's, in paths
  AnswerOptions answer{};                 // where a request does not say
  std::function<int()> open_connections;  // for the metrics
  std::function<bool()> is_ending;        // then it is not ready
};

// The most classes that an answer of /predict may have.
inline constexpr int kMostTop = 1000;

class Service {
 public:
  // The model outlives it.
  Service(ModelServer& model, ServiceOptions options);

  // Throws what HttpServer::Service throws.
  HttpResponse Respond(HttpRequest& request);

  const ServerMetrics& metrics() const { return metrics_; }
  // What was refused before it was a request.
  void CountRefusal(int status) { metrics_.CountRequest("other", status, 0); }

 private:
  struct Route {
    std::string_view method, path;
    HttpResponse (Service::*answer)(HttpRequest&);
  };
  static std::span<const Route> Routes();

  HttpResponse Page(HttpRequest&);
  HttpResponse Predict(HttpRequest& request);
  HttpResponse ServerMetadata(HttpRequest&);
  HttpResponse ModelMetadata(HttpRequest&);
  HttpResponse Live(HttpRequest&);
  HttpResponse Ready(HttpRequest&);
  HttpResponse ModelReady(HttpRequest&);
  HttpResponse Infer(HttpRequest& request);
  HttpResponse Metrics(HttpRequest&);

  HttpResponse AnswerForm(HttpRequest& request, std::string_view body,
                          const AnswerOptions& options);
  // What an answer on so many pictures holds, rows of probabilities included.
  std::size_t BytesOfAnswer(std::size_t pictures, std::size_t numbers, std::size_t classes) const;
  AnswerOptions OptionsOf(const HttpRequest& request) const;
  std::size_t Shown(const AnswerOptions& options) const {  // classes in an answer
    return std::min<std::size_t>(model_.classes().size(), static_cast<std::size_t>(options.top));
  }

  ModelServer& model_;
  const ServiceOptions options_;
  const std::string model_path_;   // "/v2/models/NAME"
  std::size_t longest_class_ = 0;  // bytes
  ServerMetrics metrics_;
};

}  // namespace weir
