#include "stages/ranks/gloo_group.h"

#define USE_C10D_GLOO 1  // as LibTorch was built
#include <ATen/ops/from_blob.h>
#include <arpa/inet.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Logging.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <system_error>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "framework/error.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

// How long the ranks that are left wait for each other's word on who is not.
constexpr milliseconds kRollCall{1500};
constexpr milliseconds kAskingTimeout{3000};

std::string SecondsText(milliseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

bool IsTimeout(const std::string& what) {
  return what.find("imed out") != std::string::npos || what.find("imeout") != std::string::npos;
}

// c10d tells of a lost connection in a warning with the stack of the call, on standard error. What
// it says is in the Error that is thrown; PyTorch's variable for it brings the warning back.
void SilenceWarnings() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets one
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
}

// The address of this machine by which it reaches that of rank 0; empty where it does not.
std::string OwnAddress(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const int socket = ::socket(each->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) continue;
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    std::array<char, NI_MAXHOST> text{};
    const bool is_known =  // a datagram socket that is connected sends nothing
        connect(socket, each->ai_addr, each->ai_addrlen) == 0 &&
        getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
        getnameinfo(reinterpret_cast<sockaddr*>(&own), size, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0;
    close(socket);
    if (is_known) return text.data();
  }
  return "";
}

// A socket that listens at a free port of this machine for it alone. Throws std::system_error.
struct LocalSocket {
  int descriptor = -1;
  std::uint16_t port = 0;
};
LocalSocket ListenOnThisMachine() {
  LocalSocket made{.descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  if (made.descriptor < 0 || bind(made.descriptor, general, size) != 0 ||
      listen(made.descriptor, SOMAXCONN) != 0 ||
      getsockname(made.descriptor, general, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "no port of this machine is free");
  }
  made.port = ntohs(address.sin_port);
  return made;
}

class GlooGroup final : public RankGroup {
 public:
  explicit GlooGroup(const GlooOptions& options)
      : place_(options.place), timeout_(options.timeout) {
    SilenceWarnings();
    try {
      Join(options);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(ErrorKind::kInterrupted,
                  "the " + std::to_string(place_.ranks) + " ranks did not all join at " +
                      options.address + ":" + std::to_string(options.port) +
                      (IsTimeout(error.what()) ? " within " + SecondsText(timeout_) : "") + ": " +
                      FirstLine(error.what()),
                  "Look at what the others say, and start all of them again.");
    }
  }

  // Where a rank was lost the store outlives the connections for a moment, so that those who lose
  // theirs to this one are told which it was.
  ~GlooGroup() override {
    group_.reset();
    if (has_lost_ && place_.rank == 0) std::this_thread::sleep_for(kRollCall);
  }

  RankPlace place() const override { return place_; }

  void Exchange(std::span<const OutBlock> out, std::span<const InBlock> in) override {
    const c10::InferenceMode inference;
    struct Started {
      int rank;
      c10::intrusive_ptr<c10d::Work> work;
    };
    std::vector<Started> started;
    std::map<int, int> sent, received;  // by rank; an exchange's blocks are told apart by number
    int peer = 0;
    try {
      for (const InBlock& block : in) {
        if (block.bytes.empty()) continue;
        std::vector<at::Tensor> tensors{Tensor(block.bytes.data(), block.bytes.size())};
        peer = block.rank;
        started.push_back({peer, group_->recv(tensors, peer, received[peer]++)});
      }
      for (const OutBlock& block : out) {
        if (block.bytes.empty()) continue;
        std::vector<at::Tensor> tensors{
            Tensor(const_cast<std::byte*>(block.bytes.data()), block.bytes.size())};
        peer = block.rank;
        started.push_back({peer, group_->send(tensors, peer, sent[peer]++)});
      }
      for (Started& each : started) {
        peer = each.rank;
        each.work->wait();
      }
    } catch (const std::exception& error) {
      Lost(peer, IsTimeout(error.what()));
    }
  }

 private:
  void Join(const GlooOptions& options) {
    c10d::TCPStoreOptions of_store;
    of_store.port = options.port;
    of_store.isServer = place_.rank == 0 && !options.has_store;
    of_store.waitWorkers = false;
    of_store.timeout = timeout_;
    of_store.useLibUV = false;
    if (of_store.isServer && options.port == 0) {
      const LocalSocket local = ListenOnThisMachine();
      of_store.masterListenFd = local.descriptor;  // which the store closes
      of_store.port = local.port;
    }
    auto tcp = c10::make_intrusive<c10d::TCPStore>(options.address, of_store);
    if (of_store.isServer) options.on_open(tcp->getPort());
    store_ = c10::make_intrusive<c10d::PrefixStore>("weir/" + options.job, std::move(tcp));
    const auto of_group = c10d::ProcessGroupGloo::Options::create(timeout_);
    of_group->threads = 1;
    // As PyTorch has it.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets one
    const char* const interface = std::getenv("GLOO_SOCKET_IFNAME");
    if (interface != nullptr && *interface != '\0') {
      of_group->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(interface));
    } else if (const std::string own = OwnAddress(options.address, options.port); !own.empty()) {
      of_group->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(own));
    } else {
      of_group->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    }
    group_ =
        c10::make_intrusive<c10d::ProcessGroupGloo>(store_, place_.rank, place_.ranks, of_group);
  }

  static at::Tensor Tensor(std::byte* bytes, std::size_t count) {
    return at::from_blob(bytes, {static_cast<std::int64_t>(count)}, at::kByte);
  }

  static std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

  // A rank that is gone is found by the first who loses its connection to it, and one that does not
  // answer by all others at about the same time; those who lose a connection later lose it to one
  // that has ended for that reason. So the first says who it is, or all call the roll.
  [[noreturn]] void Lost(int peer, bool is_timeout) {
    has_lost_ = true;
    std::string who = "rank " + std::to_string(peer);
    try {
      store_->setTimeout(kAskingTimeout);
      who = is_timeout ? Missing(peer) : FirstLost(peer);
    } catch (const std::exception&) {
      who = "rank 0";  // the store is there
    }
    throw Error(ErrorKind::kInterrupted,
                who + (is_timeout ? " has not answered for " + SecondsText(timeout_)
                                  : std::string(" is gone")),
                "Go on from the last checkpoint with --resume, with any number of ranks.");
  }

  std::string FirstLost(int peer) {
    const std::string said = std::to_string(peer);
    const std::vector<std::uint8_t> none, mine(said.begin(), said.end());
    const std::vector<std::uint8_t> first = store_->compareSet("lost", none, mine);
    return "rank " + std::string(first.begin(), first.end());
  }

  std::string Missing(int peer) {
    store_->set("here/" + std::to_string(place_.rank), std::vector<std::uint8_t>{1});
    std::this_thread::sleep_for(kRollCall);
    for (int rank = 0; rank < place_.ranks; ++rank) {
      if (!store_->check({"here/" + std::to_string(rank)})) return "rank " + std::to_string(rank);
    }
    return "rank " + std::to_string(peer);
  }

  const RankPlace place_;
  const milliseconds timeout_;
  bool has_lost_ = false;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::shared_ptr<RankGroup> JoinByGloo(const GlooOptions& options) {
  return std::make_shared<GlooGroup>(options);
}

}  // namespace weir
