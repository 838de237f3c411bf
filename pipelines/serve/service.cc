#include "pipelines/serve/service.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "framework/memory/host_memory.h"
#include "pipelines/serve/multipart.h"
#include "pipelines/serve/page.h"
#include "pipelines/serve/status.h"

namespace weir {
namespace {

// What an answer holds for a picture, for a class beside its name, and for a number.
constexpr std::size_t kBytesOfPicture = 512, kBytesOfClass = 64, kBytesOfNumber = 16;

// The length of the body, which is told before it comes.
std::size_t BodyLength(const HttpRequest& request) {
  if (request.head().is_encoded) {
    throw HttpRefusal{411, "send the length of the body ahead of it, in Content-Length"};
  }
  for (const std::string& encoding : request.headers("Content-Encoding")) {
    if (encoding != "identity") throw HttpRefusal{415, "send the body as it is, not packed"};
  }
  if (!request.head().body_bytes) throw HttpRefusal{411, "the request has no body"};
  const std::uint64_t length = *request.head().body_bytes;
  if (length == 0) throw HttpRefusal{400, "the request has an empty body"};
  if (length > std::numeric_limits<std::size_t>::max() / 8) {
    throw HttpRefusal{413, "the body is too large"};
  }
  return static_cast<std::size_t>(length);
}

struct Body {
  Lease lease;
  std::size_t size;
  std::unique_ptr<char[]> bytes;  // and a 0 behind them
  std::span<char> span() const { return {bytes.get(), size}; }
  std::string_view text() const { return {bytes.get(), size}; }
};

// `charged`: what the request holds at most.
Body ReadBody(HttpRequest& request, ModelServer& model, std::size_t size, std::size_t charged) {
  Body body{model.LeaseRequest(charged), size, std::make_unique_for_overwrite<char[]>(size + 1)};
  body.bytes[size] = 0;
  request.ReadBody(body.span());
  return body;
}

std::string TypeOf(const HttpRequest& request) {
  const std::vector<std::string> types = request.headers("Content-Type");
  return types.empty() ? "" : types[0];
}

template <class Number>
Number Parameter(const std::string& name, const std::string& text, Number least, Number most) {
  Number value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() ||
      !(value >= least && value <= most)) {
    char range[64];
    std::snprintf(range, sizeof range, "%g to %g", static_cast<double>(least),
                  static_cast<double>(most));
    throw HttpRefusal{400, name + " is " + text + ": give a number from " + range};
  }
  return value;
}

// Pays for a response of so many bytes, until it is sent.
std::shared_ptr<void> Held(ModelServer& model, std::size_t bytes) {
  return std::make_shared<Lease>(model.LeaseRequest(bytes));
}

void AppendNumber(std::string& text, float value) {
  char number[32];
  text.append(number, static_cast<std::size_t>(std::snprintf(number, sizeof number, "%.9g",
                                                             static_cast<double>(value))));
}

// A name as a path has it: "/v2/models/run 1" comes decoded.
bool IsUnder(std::string_view path, std::string_view model_path, std::string_view rest) {
  return path.size() == model_path.size() + rest.size() && path.starts_with(model_path) &&
         path.ends_with(rest);
}

// As it was before it was quoted.
std::string NameOf(const FormFile& file) {
  std::string name;
  for (std::size_t i = 0; i < file.name.size(); ++i) {
    if (file.name[i] == '\\' && i + 1 < file.name.size()) ++i;
    name += file.name[i];
  }
  return name;
}

ModelServer::Answers Classify(ModelServer& model, const InferRequest& asked, float* rows,
                              const std::function<bool()>& is_wanted) {
  if (!asked.files.empty()) {
    std::vector<ImageFile> files;
    files.reserve(asked.count);
    for (const std::string& file : asked.files) {
      files.push_back(FileInMemory(file.data(), file.size()));
    }
    return model.Classify(files, rows, is_wanted);
  }
  const std::size_t bytes = asked.pixels.size() / asked.count;
  std::vector<PixelView> pictures;
  pictures.reserve(asked.count);
  for (std::size_t i = 0; i < asked.count; ++i) {
    pictures.emplace_back(asked.pixels.data() + i * bytes, asked.height, asked.width);
  }
  return model.Classify(pictures, rows, is_wanted);
}

// The page, with the model's name as its heading.
std::string PageOf(const std::string& name) {
  constexpr std::string_view kPlace = "@name@";
  std::string escaped;
  for (const char letter : name) {
    switch (letter) {
      case '<':
        escaped += "&lt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      default:
        escaped += letter;
    }
  }
  const std::size_t place = kPage.find(kPlace);
  return std::string(kPage.substr(0, place)) + escaped +
         std::string(kPage.substr(place + kPlace.size()));
}

constexpr std::string_view kOfModel = "/v2/models/NAME";  // in the table of routes

}  // namespace

Service::Service(ModelServer& model, ServiceOptions options)
    : model_(model), options_(std::move(options)), model_path_("/v2/models/" + options_.name) {
  for (const std::string& name : model_.classes()) {
    longest_class_ = std::max(longest_class_, JsonString(name).size());
  }
}

std::span<const Service::Route> Service::Routes() {
  static constexpr Route kRoutes[] = {{"GET", "/", &Service::Page},
                                      {"POST", "/predict", &Service::Predict},
                                      {"GET", "/metrics", &Service::Metrics},
                                      {"GET", "/v2", &Service::ServerMetadata},
                                      {"GET", "/v2/health/live", &Service::Live},
                                      {"GET", "/v2/health/ready", &Service::Ready},
                                      {"GET", "/v2/models/NAME", &Service::ModelMetadata},
                                      {"GET", "/v2/models/NAME/ready", &Service::ModelReady},
                                      {"POST", "/v2/models/NAME/infer", &Service::Infer}};
  return kRoutes;
}

HttpResponse Service::Respond(HttpRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  std::string_view label = "other";
  const auto answer = [&] {
    const std::string method = request.method() == "HEAD" ? "GET" : request.method();
    std::string allowed;
    for (const Route& route : Routes()) {
      const bool is_it =
          route.path.starts_with(kOfModel)
              ? IsUnder(request.path(), model_path_, route.path.substr(kOfModel.size()))
              : request.path() == route.path;
      if (!is_it) continue;
      allowed = route.method;
      if (route.method != method) continue;
      label = route.path;
      return (this->*route.answer)(request);
    }
    if (allowed.empty()) throw HttpRefusal{404, "there is nothing at " + request.path()};
    throw HttpRefusal{405, "give it a " + allowed, {{"Allow", allowed}}};
  };
  const auto count = [&](int status) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    metrics_.CountRequest(label, status, took.count());
  };
  try {
    HttpResponse response = answer();
    count(response.status);
    return response;
  } catch (const HttpRefusal& refusal) {
    count(refusal.status);
    throw;
  } catch (const std::bad_alloc&) {
    count(503);
    throw;
  } catch (...) {
    count(500);
    throw;
  }
}

AnswerOptions Service::OptionsOf(const HttpRequest& request) const {
  AnswerOptions options = options_.answer;
  if (const auto top = request.parameter("top")) options.top = Parameter("top", *top, 1, kMostTop);
  if (const auto threshold = request.parameter("threshold")) {
    options.threshold = Parameter("threshold", *threshold, 0.0, 1.0);
  }
  return options;
}

// A class is sorted by its label, and the text of an answer doubles as it grows.
std::size_t Service::BytesOfAnswer(std::size_t pictures, std::size_t numbers,
                                   std::size_t classes) const {
  const std::size_t labels = sizeof(int) * model_.classes().size();
  return labels +
         pictures * (kBytesOfPicture + sizeof(float) * model_.classes().size() +
                     3 * (numbers * kBytesOfNumber + classes * (kBytesOfClass + longest_class_)));
}

HttpResponse Service::Page(HttpRequest&) {
  return {.content_type = "text/html; charset=utf-8",
          .body = PageOf(options_.name),
          .headers = {{"Cache-Control", "no-cache"}}};
}

HttpResponse Service::Predict(HttpRequest& request) {
  const AnswerOptions options = OptionsOf(request);
  const std::size_t length = BodyLength(request);
  const Body body = ReadBody(request, model_, length, length);
  if (IsForm(TypeOf(request))) return AnswerForm(request, body.text(), options);
  HttpResponse response{.body = "{", .held = Held(model_, BytesOfAnswer(1, 0, Shown(options)))};
  std::vector<float> probabilities(model_.classes().size());
  const ImageFile file = FileInMemory(body.bytes.get(), body.size);
  const ModelServer::Answers answers = model_.Classify(std::span(&file, 1), probabilities.data(),
                                                       [&] { return request.IsSenderThere(); });
  const std::optional<ModelServer::NoAnswer>& lost = answers.front();
  metrics_.CountPictures(lost ? 0 : 1, lost ? 1 : 0);
  if (lost) {
    const bool is_of_picture = lost->status == 422;
    throw HttpRefusal{lost->status, (is_of_picture ? "the picture " : "") + lost->reason};
  }
  WriteJson(AnswerOf(probabilities, options), options, model_.classes(),
            [&](std::string_view text) { response.body += text; });
  response.body += "}\n";
  return response;
}

HttpResponse Service::AnswerForm(HttpRequest& request, std::string_view body,
                                 const AnswerOptions& options) {
  const std::vector<FormFile> files = FilesOfForm(TypeOf(request), body);
  if (files.empty()) throw HttpRefusal{400, "the form has no file"};
  const std::size_t classes = model_.classes().size();
  std::size_t names = 0;
  for (const FormFile& file : files) names += file.name.size();
  // In JSON a letter of a name may take six.
  HttpResponse response{
      .body = "{\"pictures\":[",
      .held = Held(model_, 18 * names + BytesOfAnswer(files.size(), 0, Shown(options)))};
  std::vector<float> rows(files.size() * classes);
  std::vector<ImageFile> pictures;
  pictures.reserve(files.size());
  for (const FormFile& file : files) {
    pictures.push_back(FileInMemory(file.content.data(), file.content.size()));
  }
  const ModelServer::Answers answers =
      model_.Classify(pictures, rows.data(), [&] { return request.IsSenderThere(); });
  std::uint64_t unreadable = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    response.body += i > 0 ? ",\n" : "\n";
    response.body += "{\"path\":" + JsonString(NameOf(files[i])) + ",";
    if (answers[i]) {
      ++unreadable;
      response.body += "\"error\":" + JsonString(answers[i]->reason);
    } else {
      const std::span<const float> row(rows.data() + i * classes, classes);
      WriteJson(AnswerOf(row, options), options, model_.classes(),
                [&](std::string_view text) { response.body += text; });
    }
    response.body += "}";
  }
  metrics_.CountPictures(files.size() - unreadable, unreadable);
  response.body += "\n]}\n";
  return response;
}

HttpResponse Service::ServerMetadata(HttpRequest&) {
  return {.body = "{\"name\":\"weir\",\"version\":\"" WEIR_VERSION "\",\"extensions\":[]}\n"};
}

HttpResponse Service::ModelMetadata(HttpRequest&) {
  const std::string classes = std::to_string(model_.classes().size());
  return {.body = "{\"name\":" + JsonString(options_.name) +
                  ",\"versions\":[],\"platform\":\"weir\",\"inputs\":[{\"name\":\"image\","
                  "\"datatype\":\"BYTES\",\"shape\":[-1]}],\"outputs\":[{\"name\":"
                  "\"probabilities\",\"datatype\":\"FP32\",\"shape\":[-1," +
                  classes + "]},{\"name\":\"class\",\"datatype\":\"BYTES\",\"shape\":[-1]}]}\n"};
}

HttpResponse Service::Live(HttpRequest&) { return {.body = "{\"live\":true}\n"}; }

HttpResponse Service::Ready(HttpRequest&) {
  const bool is_ready = !options_.is_ending();
  return {.status = is_ready ? 200 : 503,
          .body = std::string("{\"ready\":") + (is_ready ? "true" : "false") + "}\n"};
}

HttpResponse Service::ModelReady(HttpRequest& request) {
  HttpResponse response = Ready(request);
  response.body.insert(1, "\"name\":" + JsonString(options_.name) + ",");
  return response;
}

HttpResponse Service::Infer(HttpRequest& request) {
  const std::size_t length = BodyLength(request);
  Body body = ReadBody(request, model_, length, BytesOfInferRequest(length));
  const InferRequest asked = ReadInferRequest(body.span());
  body.bytes.reset();
  for (const std::string& name : asked.outputs) {
    if (name == "probabilities" || name == "class") continue;
    throw HttpRefusal{400, "the model has no output of that name: give probabilities or class"};
  }
  const auto is_asked = [&](const char* name) {
    return asked.outputs.empty() || std::ranges::find(asked.outputs, name) != asked.outputs.end();
  };
  const std::size_t classes = model_.classes().size(), values = asked.count * classes;
  HttpResponse response{.held = Held(model_, BytesOfAnswer(asked.count, classes, 1))};
  std::vector<float> rows(values);
  const ModelServer::Answers answers =
      Classify(model_, asked, rows.data(), [&] { return request.IsSenderThere(); });
  const auto unreadable = static_cast<std::uint64_t>(std::ranges::count_if(
      answers, [](const std::optional<ModelServer::NoAnswer>& each) { return each.has_value(); }));
  metrics_.CountPictures(asked.count - unreadable, unreadable);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) continue;
    const bool is_of_picture = answers[i]->status == 422;
    throw HttpRefusal{is_of_picture ? 400 : answers[i]->status,
                      "picture " + std::to_string(i + 1) + " of " + std::to_string(asked.count) +
                          (is_of_picture ? " " : ": ") + answers[i]->reason};
  }
  std::string& text = response.body;
  text = "{\"model_name\":" + JsonString(options_.name);
  if (!asked.id.empty()) text += ",\"id\":" + JsonString(asked.id);
  text += ",\"outputs\":[";
  const std::string count = std::to_string(asked.count);
  if (is_asked("probabilities")) {
    text += R"({"name":"probabilities","datatype":"FP32","shape":[)" + count + "," +
            std::to_string(classes) + "],\"data\":[";
    for (std::size_t i = 0; i < values; ++i) {
      if (i > 0) text += ",";
      AppendNumber(text, rows[i]);
    }
    text += is_asked("class") ? "]}," : "]}";
  }
  if (is_asked("class")) {
    text += R"({"name":"class","datatype":"BYTES","shape":[)" + count + "],\"data\":[";
    for (std::size_t i = 0; i < asked.count; ++i) {
      const std::span<const float> row(rows.data() + i * classes, classes);
      const Answer answer = AnswerOf(row, {.top = 1});
      text += (i > 0 ? "," : "") + JsonString(model_.classes()[answer.labels[0]]);
    }
    text += "]}";
  }
  text += "]}\n";
  return response;
}

HttpResponse Service::Metrics(HttpRequest&) {
  const ServerBill& bill = model_.bill();
  const MemoryUsage requests = model_.request_usage(), pictures = model_.picture_usage();
  const auto bytes = [](std::size_t value) { return static_cast<double>(value); };
  const char* const held = "What is leased now, or held all the time.";
  const char* const limit = "What each part may hold.";
  const auto part = [](const char* name) { return std::string("part=\"") + name + "\""; };
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = metrics_.Text(
              {{"weir_memory_bytes", part("model"), held, bytes(bill.model)},
               {"weir_memory_bytes", part("workspaces"), held, bytes(bill.workspaces)},
               {"weir_memory_bytes", part("requests"), held, bytes(requests.used_bytes)},
               {"weir_memory_bytes", part("pictures"), held, bytes(pictures.used_bytes)},
               {"weir_memory_limit_bytes", part("process"), limit, bytes(bill.process)},
               {"weir_memory_limit_bytes", part("connections"), limit, bytes(bill.connections)},
               {"weir_memory_limit_bytes", part("requests"), limit, bytes(bill.requests)},
               {"weir_memory_limit_bytes", part("pictures"), limit, bytes(bill.pictures)},
               {"weir_process_private_bytes", "", "Private memory of the process.",
                bytes(HeldMemory())},
               {"weir_connections", "", "Connections that are open.",
                static_cast<double>(options_.open_connections())},
               {"weir_pictures_waiting", "", "Pictures that wait for their turn.",
                static_cast<double>(model_.waiting())}})};
}

}  // namespace weir
