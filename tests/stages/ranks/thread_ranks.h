// Ranks that are threads of one process, for tests of what ranks do together.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "stages/ranks/rank_group.h"

namespace weir::testing {

// What was sent and not yet received, by sender and receiver.
struct Mail {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::pair<int, int>, std::deque<std::vector<std::byte>>> sent;
};

class ThreadRank final : public RankGroup {
 public:
  ThreadRank(std::shared_ptr<Mail> mail, int rank, int ranks)
      : mail_(std::move(mail)), rank_(rank), ranks_(ranks) {}

  RankPlace place() const override { return {rank_, ranks_, rank_, ranks_}; }

  void Exchange(std::span<const OutBlock> out, std::span<const InBlock> in) override {
    std::unique_lock lock(mail_->mutex);
    for (const OutBlock& block : out) {
      mail_->sent[{rank_, block.rank}].emplace_back(block.bytes.begin(), block.bytes.end());
    }
    mail_->changed.notify_all();
    for (const InBlock& block : in) {
      auto& waiting = mail_->sent[{block.rank, rank_}];
      mail_->changed.wait(lock, [&] { return !waiting.empty(); });
      if (waiting.front().size() != block.bytes.size()) std::terminate();
      if (!block.bytes.empty()) {
        std::memcpy(block.bytes.data(), waiting.front().data(), block.bytes.size());
      }
      waiting.pop_front();
    }
  }

 private:
  const std::shared_ptr<Mail> mail_;
  const int rank_, ranks_;
};

// Does `work` on each of them, in a thread of its own.
inline void OnRanks(int ranks, const std::function<void(RankGroup&)>& work) {
  const auto mail = std::make_shared<Mail>();
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([=] {
      ThreadRank group(mail, rank, ranks);
      work(group);
    });
  }
  for (std::thread& each : threads) each.join();
}

}  // namespace weir::testing
