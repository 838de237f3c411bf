// A trained model that answers many at once within a ceiling: what is asked, what reading a picture
// takes and what the model works with are leased before they are held.
//
//   ModelServer server(saved, pictures, precision, {.ceiling_bytes = 256 << 20, ...});
//   Lease request = server.LeaseRequest(content_length);   // or a refusal
//   ModelServer::Answers answers = server.Classify(files, probabilities, is_wanted);
//
// Pictures are read and computed by threads of its own, as many at once as there are workers, in
// the order in which they came. A batch of several is no faster than its pictures side by side: one
// sample at a time keeps the maps in the processor's cache (FrozenPrefix).
//
// Requests and pictures have a half each of what is left. So a picture, which waits for room while
// others are read, waits for those alone that are at work, and what waits for its turn takes no
// room from them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/config/yaml_node.h"
#include "framework/flow/stage.h"
#include "framework/memory/memory_budget.h"
#include "pipelines/serve/classifying_threads.h"
#include "stages/model/export/saved_model.h"
#include "stages/payloads.h"
#include "stages/predict/classifier.h"
#include "stages/predict/picture_reader.h"

namespace weir {

struct ServerMemory {
  std::size_t ceiling_bytes = 0;
  std::size_t process_bytes = 0;      // what the process holds and no part leases
  std::size_t connections_bytes = 0;  // what all connections hold at most
  int workers = 1;
};

// What the ceiling is for; the parts add up to it.
struct ServerBill {
  std::size_t process, model, workspaces, connections, requests, pictures;
};

class ModelServer {
 public:
  // Reads the weights. Throws Error(kMemory) where the ceiling is too low, Error(kData) where the
  // model does not say how its pictures are made ready by weir's own stages, Error(kConfig) where
  // the processor cannot compute in `precision`.
  ModelServer(SavedModel saved, const YamlNode& pictures, Precision precision,
              const ServerMemory& memory);

  const std::vector<std::string>& classes() const { return model_->classes(); }
  MapSize input() const { return model_->network().input(); }
  const ServerBill& bill() const { return bill_; }
  // The budgets that requests and pictures are leased from.
  MemoryUsage request_usage() const { return requests_.usage(); }
  MemoryUsage picture_usage() const { return pictures_.usage(); }
  std::size_t waiting() const { return threads_->waiting(); }

  // Pays for a request and what is made of it. Throws HttpRefusal: 413 where it can never fit, 429
  // where it does not now.
  Lease LeaseRequest(std::size_t bytes);

  // Whether a request was refused within the last second as it did not fit.
  bool is_short() const;

  // Why a picture has no answer: the reason, and the status of a request that is of it alone.
  struct NoAnswer {
    int status = 0;
    std::string reason;
  };
  using Answers = std::vector<std::optional<NoAnswer>>;

  // Waits for the turn of each, and for room. `probabilities` has a row of [classes] for each;
  // those without an answer are left as they are. `is_wanted` is asked when it is the turn of one,
  // and where it is not, HttpRefusal is thrown.
  Answers Classify(std::span<const ImageFile> files, float* probabilities,
                   const std::function<bool()>& is_wanted);
  // The same of pictures without gaps, of any size.
  Answers Classify(std::span<const PixelView> pictures, float* probabilities,
                   const std::function<bool()>& is_wanted);

 private:
  struct Room {
    Lease lease;
    ModelServer& server;
    ~Room();
  };

  Room WaitForRoom(std::size_t bytes);
  using Workspace = ClassifyingThreads::Workspace;
  std::optional<Drop> ClassifyNow(const ImageFile& file, Workspace& workspace,
                                  float* probabilities);
  std::optional<Drop> ClassifyNow(const PixelView& picture, Workspace& workspace,
                                  float* probabilities);
  std::optional<Drop> Run(const Outcome<Image>& image, Workspace& workspace,
                          float* probabilities) const;
  template <class Picture>
  Answers ClassifyEach(std::span<const Picture> pictures, float* probabilities,
                       const std::function<bool()>& is_wanted);

  const std::shared_ptr<const Model> model_;
  const ServerBill bill_;
  MemoryBudget requests_, pictures_;
  const PictureReader reader_;
  std::optional<Classifier> classifier_;

  // When a request was refused last, in the steady clock's ticks.
  std::atomic<std::chrono::steady_clock::rep> refused_at_{0};

  std::mutex line_;  // held by the one who waits for room, so that nobody overtakes
  std::mutex mutex_;
  std::condition_variable is_freed_;

  std::optional<ClassifyingThreads> threads_;  // the first to end
};

}  // namespace weir
