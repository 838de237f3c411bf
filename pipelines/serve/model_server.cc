#include "pipelines/serve/model_server.h"

#include <algorithm>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "pipelines/serve/http.h"

namespace weir {
namespace {

// What is left for requests and pictures at the least: a photo of 12 megapixels and its decoding.
constexpr std::size_t kLeastLeft = std::size_t{16} << 20;

std::string Text(std::size_t bytes) { return ToRoundText(ByteSize{bytes}); }

// Throws Error(kMemory) where the ceiling is too low.
ServerBill BillOf(const Classifier::Footprint& model, const ServerMemory& memory) {
  const std::size_t workspaces = model.workspace_bytes * static_cast<std::size_t>(memory.workers);
  // Weights are read before there is anything else.
  const std::size_t opening =
      std::max(model.opening_bytes, workspaces + memory.connections_bytes + kLeastLeft);
  const std::size_t least = memory.process_bytes + model.weights_bytes + opening;
  if (memory.ceiling_bytes < least) {
    throw Error(ErrorKind::kMemory,
                "a ceiling of " + Text(memory.ceiling_bytes) +
                    " is too low to serve this model: " + Text(memory.process_bytes) +
                    " are the process's, " + Text(model.weights_bytes) + " the model's, " +
                    Text(workspaces) + " the workspaces of " + std::to_string(memory.workers) +
                    ", " + Text(memory.connections_bytes) + " the connections', and " +
                    Text(kLeastLeft) + " are wanted for requests and pictures",
                "Set memory.host to " + Text(least) + " or more, or fewer threads or connections.");
  }
  const std::size_t left = memory.ceiling_bytes - memory.process_bytes - model.weights_bytes -
                           workspaces - memory.connections_bytes;
  return {.process = memory.process_bytes,
          .model = model.weights_bytes,
          .workspaces = workspaces,
          .connections = memory.connections_bytes,
          .requests = left / 2,
          .pictures = left - left / 2};
}

}  // namespace

ModelServer::ModelServer(SavedModel saved, const YamlNode& pictures, Precision precision,
                         const ServerMemory& memory)
    : model_(ModelOf(saved)),
      bill_(BillOf(Classifier::FootprintOf(saved.source, model_, precision), memory)),
      requests_(bill_.requests),
      pictures_(bill_.pictures),
      reader_(pictures, model_->network().input()) {
  classifier_.emplace(saved.source, model_, precision);
  std::vector<std::unique_ptr<ClassifyingThreads::Workspace>> workspaces;
  for (int i = 0; i < memory.workers; ++i) workspaces.push_back(classifier_->MakeWorkspace());
  threads_.emplace(std::move(workspaces));
}

Lease ModelServer::LeaseRequest(std::size_t bytes) {
  if (bytes > bill_.requests) {
    throw HttpRefusal{413, "the request takes " + Text(bytes) + " and requests may take " +
                               Text(bill_.requests) + " in all"};
  }
  std::optional<Lease> lease = requests_.TryAcquire(MemoryTag::kImage, bytes);
  if (lease) return *std::move(lease);
  refused_at_ = std::chrono::steady_clock::now().time_since_epoch().count();
  throw HttpRefusal{429, "other requests hold the memory now", {{"Retry-After", "1"}}};
}

bool ModelServer::is_short() const {
  using Clock = std::chrono::steady_clock;
  const auto since = Clock::now().time_since_epoch() - Clock::duration(refused_at_.load());
  return since < std::chrono::seconds(1);
}

ModelServer::Room::~Room() {
  lease.ShrinkTo(0);
  // Under the lock, so that nobody misses it between looking and waiting.
  const std::lock_guard lock(server.mutex_);
  server.is_freed_.notify_all();
}

ModelServer::Room ModelServer::WaitForRoom(std::size_t bytes) {
  if (bytes > bill_.pictures) {
    throw HttpRefusal{413, "reading the picture takes " + Text(bytes) + " and pictures may take " +
                               Text(bill_.pictures) + " in all"};
  }
  const std::lock_guard turn(line_);
  std::unique_lock lock(mutex_);
  std::optional<Lease> lease;
  is_freed_.wait(lock, [&] {
    lease = pictures_.TryAcquire(MemoryTag::kImage, bytes);
    return lease.has_value();
  });
  return {*std::move(lease), *this};
}

std::optional<Drop> ModelServer::ClassifyNow(const ImageFile& file, Workspace& workspace,
                                             float* probabilities) {
  const Outcome<std::size_t> bytes = reader_.BytesFor(file);
  if (const Drop* drop = std::get_if<Drop>(&bytes)) return *drop;
  const Room room = WaitForRoom(std::get<std::size_t>(bytes));
  return Run(reader_.Read(file, std::get<std::size_t>(bytes)), workspace, probabilities);
}

std::optional<Drop> ModelServer::ClassifyNow(const PixelView& picture, Workspace& workspace,
                                             float* probabilities) {
  const std::size_t bytes = std::size_t{3} * static_cast<std::size_t>(picture.height) *
                            static_cast<std::size_t>(picture.width);
  const Room room = WaitForRoom(bytes + reader_.BytesForPixels());
  return Run(reader_.ReadPixels(CopyOf(picture)), workspace, probabilities);
}

// As many at a time as there are threads, so that a request with many pictures has no more places
// in line than that.
template <class Picture>
ModelServer::Answers ModelServer::ClassifyEach(std::span<const Picture> pictures,
                                               float* probabilities,
                                               const std::function<bool()>& is_wanted) {
  Answers answers(pictures.size());
  const std::size_t classes = this->classes().size();
  const auto classify = [&](std::size_t i, Workspace& workspace) {
    if (!is_wanted()) throw HttpRefusal{400, "nobody waits for the answer"};
    try {
      std::optional<Drop> lost = ClassifyNow(pictures[i], workspace, probabilities + i * classes);
      if (lost) answers[i] = NoAnswer{422, std::move(lost->reason)};
    } catch (const HttpRefusal& refusal) {
      answers[i] = NoAnswer{refusal.status, refusal.reason};
    }
  };
  std::vector<ClassifyingThreads::Work> work;
  for (std::size_t begin = 0; begin < pictures.size(); begin += work.size()) {
    work.clear();
    const std::size_t end = std::min(pictures.size(), begin + threads_->count());
    for (std::size_t i = begin; i < end; ++i) {
      work.emplace_back([&classify, i](Workspace& workspace) { classify(i, workspace); });
    }
    threads_->Run(work);
  }
  return answers;
}

ModelServer::Answers ModelServer::Classify(std::span<const ImageFile> files, float* probabilities,
                                           const std::function<bool()>& is_wanted) {
  return ClassifyEach(files, probabilities, is_wanted);
}

ModelServer::Answers ModelServer::Classify(std::span<const PixelView> pictures,
                                           float* probabilities,
                                           const std::function<bool()>& is_wanted) {
  return ClassifyEach(pictures, probabilities, is_wanted);
}

std::optional<Drop> ModelServer::Run(const Outcome<Image>& image, Workspace& workspace,
                                     float* probabilities) const {
  if (const Drop* drop = std::get_if<Drop>(&image)) return *drop;
  classifier_->Run(std::get<Image>(image).pixels.data(), workspace, probabilities);
  return std::nullopt;
}

}  // namespace weir
