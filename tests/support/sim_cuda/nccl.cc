// NVIDIA's library between GPUs over the simulated cards, for ranks that are threads or processes
// of this machine: each two of a communicator have a socket, through which what is queued on a
// stream goes in the order of the queue. Every call returns at once; whoever asks for the state is
// told how far it has come. Where a rank is gone, what waits for it waits on, as kernels do, until
// the communicator is aborted.
#include <cuda_runtime_api.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stages/device/cuda/nccl_interface.h"
#include "tests/support/sim_cuda/call.h"
#include "tests/support/sim_cuda/sim_cuda.h"
#include "tests/support/sim_cuda/stream.h"

namespace nccl = weir::nccl;
namespace sim = weir::sim;

namespace {

constexpr int kLookMilliseconds = 2;  // how soon an abort is noticed

// What is on its way to or from one rank: done in turn.
struct Piece {
  char* bytes = nullptr;
  std::size_t left = 0;
};
using Pieces = std::map<int, std::deque<Piece>>;  // by the other rank

struct Group {
  Pieces out, in;
  nccl::Communicator* communicator = nullptr;
  CUstream_st* stream = nullptr;
};
thread_local Group group;

sockaddr_un AddressOf(const nccl::UniqueId& id, int rank, socklen_t& length) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;  // the first byte of the name is zero: it is no file
  const int count =
      std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s/%d", id.internal, rank);
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + count);
  return address;
}

int NewSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

}  // namespace

struct nccl::Communicator : std::enable_shared_from_this<nccl::Communicator> {
  Communicator(int own, int all, const UniqueId& of_job)
      : rank(own), ranks(all), id(of_job), sockets(static_cast<std::size_t>(all), -1) {
    joining = std::thread([this] { Join(); });
  }
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator() {
    joining.join();
    for (const int each : sockets) {
      if (each >= 0) close(each);
    }
  }

  // What a stream is doing for it has ended when this returns, and what is queued does nothing.
  void Abort() {
    is_aborted = true;
    std::lock_guard lock(under_way);
  }

  // Knocks at the ranks before it, and lets in those behind it.
  void Join() {
    const int door = NewSocket();
    socklen_t length = 0;
    sockaddr_un address = AddressOf(id, rank, length);
    bind(door, reinterpret_cast<sockaddr*>(&address), length);
    listen(door, ranks);
    for (int other = 0; other < rank && !is_aborted;) {
      const int made = NewSocket();
      address = AddressOf(id, other, length);
      if (connect(made, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
          write(made, &rank, sizeof rank) == sizeof rank) {
        sockets[static_cast<std::size_t>(other++)] = made;
        continue;
      }
      close(made);
      std::this_thread::sleep_for(std::chrono::milliseconds(kLookMilliseconds));
    }
    for (int count = rank + 1; count < ranks && !is_aborted;) {
      pollfd waiting{.fd = door, .events = POLLIN, .revents = 0};
      if (poll(&waiting, 1, kLookMilliseconds) <= 0) continue;
      const int made = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
      int other = 0;
      if (read(made, &other, sizeof other) != sizeof other) continue;
      sockets[static_cast<std::size_t>(other)] = made;
      ++count;
    }
    close(door);
    for (const int each : sockets) {
      if (each >= 0) fcntl(each, F_SETFL, O_NONBLOCK);
    }
    state = kSuccess;
  }

  // All of a group, in a stream's thread.
  void Carry(Pieces out, Pieces in) {
    std::lock_guard lock(under_way);
    while (!is_aborted && !(out.empty() && in.empty())) {
      std::vector<pollfd> waiting;
      for (int other = 0; other < ranks; ++other) {
        const int events = (out.contains(other) ? POLLOUT : 0) | (in.contains(other) ? POLLIN : 0);
        if (events == 0) continue;
        waiting.push_back(
            {sockets[static_cast<std::size_t>(other)], static_cast<short>(events), 0});
      }
      if (state == kRemoteError) waiting.clear();  // it waits for what will never come
      poll(waiting.data(), waiting.size(), kLookMilliseconds);
      if (state == kRemoteError) continue;
      Move(out, [](int socket, Piece& piece) {
        return send(socket, piece.bytes, piece.left, MSG_NOSIGNAL);
      });
      Move(in, [](int socket, Piece& piece) { return read(socket, piece.bytes, piece.left); });
    }
  }

  template <class Go>
  void Move(Pieces& all, const Go& go) {
    for (auto& [other, pieces] : all) {
      const ssize_t done = go(sockets[static_cast<std::size_t>(other)], pieces.front());
      if (done < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (done <= 0) {
        state = kRemoteError;
        return;
      }
      pieces.front().bytes += done;
      pieces.front().left -= static_cast<std::size_t>(done);
      if (pieces.front().left == 0) pieces.pop_front();
    }
    std::erase_if(all, [](const auto& each) { return each.second.empty(); });
  }

  const int rank, ranks;
  const UniqueId id;
  std::vector<int> sockets;  // by rank
  std::atomic<Status> state{kInProgress};
  std::atomic<bool> is_aborted{false};
  std::mutex under_way;
  std::shared_ptr<Communicator> itself;  // until it is aborted; a stream's queue may hold it longer
  std::thread joining;
};

namespace {

void Add(Pieces& to, const void* bytes, std::size_t count, int other,
         nccl::Communicator* communicator, CUstream_st* stream) {
  to[other].push_back({static_cast<char*>(const_cast<void*>(bytes)), count});
  group.communicator = communicator;
  group.stream = stream;
}

nccl::Status AsStatus(cudaError_t error) {
  return error == cudaSuccess ? nccl::kSuccess : nccl::kSystemError;
}

}  // namespace

extern "C" {

nccl::Status ncclGetUniqueId(nccl::UniqueId* id) {
  if (sim::Begin(__func__) != cudaSuccess) return nccl::kSystemError;
  static std::atomic<int> last{0};
  std::snprintf(id->internal, sizeof id->internal, "weir-simulated-nccl/%d/%d", getpid(), ++last);
  return nccl::kSuccess;
}

nccl::Status ncclCommInitRankConfig(nccl::Communicator** communicator, int ranks, nccl::UniqueId id,
                                    int rank, nccl::Config* config) {
  if (sim::Begin(__func__) != cudaSuccess) return nccl::kSystemError;
  if (config->blocking != 0) return nccl::kSystemError;  // which is not simulated
  const auto made = std::make_shared<nccl::Communicator>(rank, ranks, id);
  made->itself = made;
  *communicator = made.get();
  return nccl::kInProgress;
}

nccl::Status ncclCommGetAsyncError(nccl::Communicator* communicator, nccl::Status* state) {
  *state = communicator->state;
  return nccl::kSuccess;
}

nccl::Status ncclCommAbort(nccl::Communicator* communicator) {
  const std::shared_ptr<nccl::Communicator> last = std::move(communicator->itself);
  last->Abort();
  return nccl::kSuccess;
}

nccl::Status ncclGroupStart() {
  group = {};
  return nccl::kSuccess;
}

nccl::Status ncclSend(const void* bytes, std::size_t count, nccl::DataType, int other,
                      nccl::Communicator* communicator, CUstream_st* stream) {
  Add(group.out, bytes, count, other, communicator, stream);
  return AsStatus(sim::Begin(__func__));
}

nccl::Status ncclRecv(void* bytes, std::size_t count, nccl::DataType, int other,
                      nccl::Communicator* communicator, CUstream_st* stream) {
  Add(group.in, bytes, count, other, communicator, stream);
  return AsStatus(sim::Begin(__func__));
}

nccl::Status ncclGroupEnd() {
  if (sim::Begin(__func__) != cudaSuccess) return nccl::kSystemError;
  if (group.communicator == nullptr) return nccl::kSuccess;
  auto* const stream = reinterpret_cast<sim::Stream*>(group.stream);
  stream->Queue([communicator = group.communicator->shared_from_this(), out = group.out,
                 in = group.in] { communicator->Carry(out, in); });
  return nccl::kSuccess;
}

const char* ncclGetErrorString(nccl::Status status) {
  return status == nccl::kRemoteError ? "remote process exited or there was a network error"
                                      : "unhandled system error";
}
}
