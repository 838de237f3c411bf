#include "stages/device/cuda/nccl_group.h"

#include <c10/cuda/CUDAStream.h>
#include <dlfcn.h>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/device/cuda/cuda_error.h"
#include "stages/device/cuda/nccl_interface.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kLibraryName = "libnccl.so.2";

// How many blocks of threads an exchange takes of a GPU: each has buffers of its own there.
constexpr int kMostBlocks = 4;
// Between two looks at what is under way. A wait of CUDA's own has no end where a rank is gone.
constexpr std::chrono::microseconds kLook{50};

struct Library {
  nccl::Status (*unique_id)(nccl::UniqueId*);
  nccl::Status (*join)(nccl::Communicator**, int, nccl::UniqueId, int, nccl::Config*);
  nccl::Status (*state)(nccl::Communicator*, nccl::Status*);
  nccl::Status (*abort)(nccl::Communicator*);
  nccl::Status (*begin_group)();
  nccl::Status (*end_group)();
  nccl::Status (*send)(const void*, std::size_t, nccl::DataType, int, nccl::Communicator*,
                       CUstream_st*);
  nccl::Status (*receive)(void*, std::size_t, nccl::DataType, int, nccl::Communicator*,
                          CUstream_st*);
  const char* (*text)(nccl::Status);

  bool Find(void* handle) {
    const auto find = [handle](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
      return function != nullptr;
    };
    return find(unique_id, "ncclGetUniqueId") && find(join, "ncclCommInitRankConfig") &&
           find(state, "ncclCommGetAsyncError") && find(abort, "ncclCommAbort") &&
           find(begin_group, "ncclGroupStart") && find(end_group, "ncclGroupEnd") &&
           find(send, "ncclSend") && find(receive, "ncclRecv") && find(text, "ncclGetErrorString");
  }
};

// Null where it is not there; never closed, as its threads may go on.
const Library* FindLibrary() {
  static const std::optional<Library> library = []() -> std::optional<Library> {
    Library found{};
    void* const handle = dlopen(kLibraryName, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr || !found.Find(handle)) return std::nullopt;
    return found;
  }();
  return library ? &*library : nullptr;
}

bool IsUnderWay(nccl::Status status) {
  return status == nccl::kSuccess || status == nccl::kInProgress;
}

class NcclGroup final : public RankGroup {
 public:
  NcclGroup(const Library& library, std::shared_ptr<RankGroup> hosts, nccl::UniqueId id,
            std::chrono::milliseconds timeout)
      : library_(library), hosts_(std::move(hosts)), timeout_(timeout), done_(MakeEvent()) {
    nccl::Config config;
    config.blocking = 0;
    config.most_blocks = kMostBlocks;
    const RankPlace place = hosts_->place();
    joining_ = library_.join(&communicator_, place.ranks, id, place.rank, &config);
    if (!IsUnderWay(joining_)) problem_ = library_.text(joining_);
  }

  // Nothing is under way, and the other way to end, ncclCommDestroy, waits for the other ranks.
  ~NcclGroup() override {
    if (communicator_ != nullptr) library_.abort(communicator_);
  }
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

  // What keeps this rank from joining; empty: nothing, until now.
  const std::string& problem() const { return problem_; }
  void AwaitOthers() { problem_ = Done(joining_); }

  RankPlace place() const override { return hosts_->place(); }

  void Exchange(std::span<const OutBlock> out, std::span<const InBlock> in) override {
    const c10::cuda::CUDAStream stream = c10::cuda::getCurrentCUDAStream();
    nccl::Status status = library_.begin_group();
    for (const InBlock& each : in) {
      if (each.bytes.empty() || !IsUnderWay(status)) continue;
      status = library_.receive(each.bytes.data(), each.bytes.size(), nccl::kUint8, each.rank,
                                communicator_, stream.stream());
    }
    for (const OutBlock& each : out) {
      if (each.bytes.empty() || !IsUnderWay(status)) continue;
      status = library_.send(each.bytes.data(), each.bytes.size(), nccl::kUint8, each.rank,
                             communicator_, stream.stream());
    }
    const nccl::Status ended = library_.end_group();
    problem_ = Done(IsUnderWay(status) ? ended : status);
    if (problem_.empty()) {
      Check(cudaEventRecord(done_.get(), stream.stream()), "record an event");
      problem_ = Happened();
    }
    if (!problem_.empty()) Fail();
  }

 private:
  // Waits until what was asked for with `status` is queued. Gives what went wrong.
  std::string Done(nccl::Status status) {
    const Clock::time_point end = Clock::now() + timeout_;
    while (status == nccl::kInProgress) {
      if (Clock::now() > end) return Late();
      std::this_thread::sleep_for(kLook);
      const nccl::Status asked = library_.state(communicator_, &status);
      if (asked != nccl::kSuccess) status = asked;
    }
    return status == nccl::kSuccess ? "" : library_.text(status);
  }

  // Waits until the device has done it.
  std::string Happened() {
    const Clock::time_point end = Clock::now() + timeout_;
    for (;;) {
      nccl::Status status = nccl::kSuccess;
      library_.state(communicator_, &status);
      if (!IsUnderWay(status)) return library_.text(status);
      const cudaError_t event = cudaEventQuery(done_.get());
      if (event != cudaErrorNotReady) {
        Check(event, "exchange with the other ranks");
        return "";
      }
      cudaGetLastError();  // that it is not ready is an error, too, and told once
      if (Clock::now() > end) return Late();
      std::this_thread::sleep_for(kLook);
    }
  }

  std::string Late() const {
    return "no answer for " +
           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(timeout_).count()) +
           " s";
  }

  // A rank that is gone is named where it is missed on the hosts.
  [[noreturn]] void Fail() {
    library_.abort(std::exchange(communicator_, nullptr));
    GatherTexts(*hosts_, problem_);
    throw Error(ErrorKind::kInterrupted,
                "the GPUs of the ranks do not reach each other any more (NCCL: " + problem_ + ")",
                "NCCL_DEBUG=INFO says more. Go on from the last checkpoint with --resume, with any "
                "number of ranks.");
  }

  const Library& library_;
  const std::shared_ptr<RankGroup> hosts_;
  const std::chrono::milliseconds timeout_;
  const Event done_;
  nccl::Communicator* communicator_ = nullptr;
  nccl::Status joining_ = nccl::kSuccess;
  std::string problem_;
};

// The first rank that says something, and what.
std::string FirstWord(const std::vector<std::string>& said) {
  for (std::size_t rank = 0; rank < said.size(); ++rank) {
    if (!said[rank].empty()) return "rank " + std::to_string(rank) + ": " + said[rank];
  }
  return "";
}

// Whether two of them are the same.
bool HasTwins(std::vector<std::string> all) {
  std::ranges::sort(all);
  return std::ranges::adjacent_find(all) != all.end();
}

}  // namespace

JoinedDevices JoinByNccl(const std::string& place, const std::shared_ptr<RankGroup>& hosts,
                         std::chrono::milliseconds timeout) {
  const Library* const library = FindLibrary();
  nccl::UniqueId id{};
  std::string problem = library ? "" : std::string(kLibraryName) + " cannot be loaded";
  if (problem.empty() && hosts->place().rank == 0) {
    const nccl::Status status = library->unique_id(&id);
    if (status != nccl::kSuccess) problem = library->text(status);
  }
  const std::string why_not = FirstWord(GatherTexts(*hosts, problem));
  if (!why_not.empty()) return {nullptr, why_not};
  if (HasTwins(GatherTexts(*hosts, place))) return {nullptr, "several ranks have the same GPU"};
  const std::string shared = GatherTexts(*hosts, std::string(id.internal, sizeof id)).front();
  std::ranges::copy(shared, id.internal);

  const auto group = std::make_shared<NcclGroup>(*library, hosts, id, timeout);
  std::string failed = FirstWord(GatherTexts(*hosts, group->problem()));
  if (failed.empty()) {
    group->AwaitOthers();
    failed = FirstWord(GatherTexts(*hosts, group->problem()));
  }
  if (!failed.empty()) return {nullptr, failed};
  return {group, ""};
}

}  // namespace weir
