#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "framework/memory/host_memory.h"
#include "pipelines/commands/commands.h"
#include "pipelines/job/host_ceiling.h"
#include "pipelines/job/signals.h"
#include "pipelines/job/trained_model.h"
#include "pipelines/recipe/model_use.h"
#include "pipelines/serve/http_server.h"
#include "pipelines/serve/service.h"
#include "stages/model/export/saved_model.h"
#include "stages/nvidia_driver.h"

namespace weir {
namespace {

std::string NameOf(const TrainedModel& trained) {
  const std::filesystem::path folder = trained.run.empty() ? trained.model : trained.run;
  const std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

std::string Text(std::size_t bytes) { return ToRoundText(ByteSize{bytes}); }

void SayWhatIsServed(const std::string& name, const ModelServer& server, Precision precision,
                     const ServerMemory& memory) {
  const ServerBill& bill = server.bill();
  const MapSize input = server.input();
  std::printf("%s: %zu classes, pictures of %dx%d, %s, %d at once\n", name.c_str(),
              server.classes().size(), input.width, input.height,
              std::string(NameIn(precision)).c_str(), memory.workers);
  std::printf(
      "%s in all: %s the process, %s the model, %s its workspaces, %s connections, %s "
      "requests, %s pictures\n",
      Text(memory.ceiling_bytes).c_str(), Text(bill.process).c_str(), Text(bill.model).c_str(),
      Text(bill.workspaces).c_str(), Text(bill.connections).c_str(), Text(bill.requests).c_str(),
      Text(bill.pictures).c_str());
}

// A heap for each of many threads would keep what each has freed, and a body of one request between
// those of others holes of its size. Called while there is one thread.
// NOLINTBEGIN(concurrency-mt-unsafe)
void KeepHeapSmall(int workers) {
  mallopt(M_ARENA_MAX, workers);
  mallopt(M_MMAP_THRESHOLD, 64 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
}
// NOLINTEND(concurrency-mt-unsafe)

// A connection is a file, and so is one that waits; a picture and the process itself have some.
void AllowFiles(int connections) {
  const rlim_t wanted = 2 * static_cast<rlim_t>(connections) + 64;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) return;
  files.rlim_cur = std::min(wanted, files.rlim_max);
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max >= wanted) return;
  throw Error(ErrorKind::kConfig,
              "this process may open " + std::to_string(files.rlim_max) + " files, and " +
                  std::to_string(connections) + " connections take " + std::to_string(wanted),
              "Raise the limit (`ulimit -Hn`), or give fewer --connections.");
}

// "http://127.0.0.1:8080/", "http://[::1]:8080/"
std::string UrlOf(const std::string& host, int port) {
  const bool is_six = host.find(':') != std::string::npos;
  return "http://" + (is_six ? "[" + host + "]" : host) + ":" + std::to_string(port) + "/";
}

}  // namespace

void ServeCommand(const ServeOptions& options, StageTable& stages) {
  const TrainedModel trained = FindTrainedModel(options.run);
  const Recipe recipe = RecipeOf(trained, stages, options.overrides);
  const ModelUse use = UseOf(recipe);
  if (!PrecisionAtEnd(recipe) || use.pictures.is_null()) {
    throw Error(ErrorKind::kConfig,
                "the model of " + options.run.string() +
                    " is used by stages that are not weir's own, or not in a row: a server has "
                    "only weir's",
                "Use `weir predict`, which runs the pipeline of the run.");
  }
  if (recipe.config.device.kind != DeviceSelection::Kind::kCpu && HasNvidiaDriver()) {
    std::fprintf(stderr, "weir: the model is served by the processor, not by a GPU\n");
  }
  const int workers = Workers(recipe.config);
  KeepHeapSmall(workers);
  AllowFiles(options.connections);
  const HostCeiling ceiling =
      HostCeilingOf(recipe.config, HostMemoryLimits("/", workers + options.connections));
  if (!ceiling.reason.empty()) std::fprintf(stderr, "weir: %s\n", ceiling.reason.c_str());
  const ServerMemory memory{
      .ceiling_bytes = ceiling.bytes,
      .process_bytes = ProcessReserve(static_cast<std::size_t>(workers)),
      .connections_bytes = kConnectionBytes * static_cast<std::size_t>(options.connections),
      .workers = workers};
  ModelServer server(LoadSavedModel(trained.model), use.pictures, use.precision, memory);
  const std::string name = options.name.empty() ? NameOf(trained) : options.name;
  std::optional<HttpServer> http;
  Service service(server, {.name = name,
                           .answer = options.answer,
                           .open_connections = [&] { return http->open_connections(); },
                           .is_ending = [&] { return http->is_ending(); }});
  http.emplace(HttpOptions{.host = options.host,
                           .port = options.port,
                           .connections = options.connections,
                           .is_short_of_memory = [&] { return server.is_short(); },
                           .on_refusal = [&](int status) { service.CountRefusal(status); }},
               [&](HttpRequest& request) { return service.Respond(request); });
  const int port = http->Bind();
  SayWhatIsServed(name, server, use.precision, memory);
  std::printf("listening on %s\n", UrlOf(options.host, port).c_str());
  std::fflush(stdout);
  http->Run(SignalReceived);
  std::printf("answered %llu requests, %llu pictures\n",
              static_cast<unsigned long long>(service.metrics().requests()),
              static_cast<unsigned long long>(service.metrics().pictures()));
}

}  // namespace weir
