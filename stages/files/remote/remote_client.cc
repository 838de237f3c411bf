#include "stages/files/remote/remote_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <list>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "framework/thread_error.h"
#include "stages/files/curl_start.h"
#include "stages/files/remote/range_attempt.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = Verdict::Kind;

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr double kSlowBytesPerSecond = 1000;
constexpr double kLongestWait = 30, kLongestRetryAfter = 60;  // seconds
// A connection with TLS holds OpenSSL's buffers and state, and libcurl's 16 kB and handle.
constexpr std::size_t kConnectionBytes = 192 << 10;
// The certificates of those that vouch for servers, which all connections share.
constexpr std::size_t kCertificatesBytes = 4 << 20;

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void* NewMulti() {
  StartCurl();
  void* const multi = curl_multi_init();
  if (!multi) throw std::bad_alloc();
  return multi;
}

std::string SecondsText(double seconds) {
  std::string text = std::to_string(seconds);  // has a point
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + " s";
}

std::string Remedy(const RemoteAddress& address, const HttpAnswer& answer, const Verdict& verdict) {
  if (!verdict.remedy.empty()) return verdict.remedy;
  if (verdict.kind == Kind::kChanged) return "Begin again when it is whole.";
  if (verdict.kind == Kind::kAgain) return "Try again when the server is well.";
  if (answer.status != 401 && answer.status != 403) return "Check the address and the server.";
  if (!address.is_s3) {
    return "weir shows web servers no password: let everybody read it, or serve it from S3.";
  }
  return address.credentials
             ? "What AWS_ACCESS_KEY_ID names may not read it, or AWS_REGION is of another bucket."
             : "Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION.";
}

// What is said of a part that is given up.
std::string WhatOf(const RemoteAddress& address, const Verdict& verdict, int tries) {
  if (verdict.kind == Kind::kChanged) {
    return address.shown + " was changed while it was read: " + verdict.what;
  }
  const bool is_counted = verdict.kind != Kind::kRefused && tries > 1;
  return address.shown + " cannot be read: " + verdict.what +
         (is_counted ? ", " + std::to_string(tries) + " times" : "");
}

}  // namespace

struct RemoteClient::Underway {
  std::shared_ptr<RemoteRange> range;
  RangeAttempt attempt;
  Clock::time_point window_began;  // that the rate is measured over
  std::size_t window_had = 0;      // what was there then

  explicit Underway(std::shared_ptr<RemoteRange> of)
      : range(std::move(of)),
        attempt(*range->address_, range->begin_ + range->filled_,
                range->buffer_.bytes().subspan(range->filled_, range->wanted_ - range->filled_),
                range->stamp_.get()),
        window_began(Clock::now()) {}
};

// What the thread knows.
struct RemoteClient::Loop {
  struct Waiting {
    std::shared_ptr<RemoteRange> range;
    Clock::time_point not_before;
  };

  explicit Loop(RemoteClient& of) : client(of) {}
  ~Loop() {
    for (Underway& each : underway) curl_multi_remove_handle(client.multi_, each.attempt.handle());
  }

  bool is_idle() const { return waiting.empty() && underway.empty(); }

  void DropCancelled() {
    std::size_t dropped = std::erase_if(
        waiting, [](const Waiting& each) { return each.range->is_cancelled_.load(); });
    dropped += underway.remove_if([this](Underway& each) {
      if (!each.range->is_cancelled_.load()) return false;
      curl_multi_remove_handle(client.multi_, each.attempt.handle());
      return true;
    });
    if (dropped > 0) client.TellNews();
  }

  void Begin() {
    const auto most = static_cast<std::size_t>(client.settings_.connections);
    const Clock::time_point now = Clock::now();
    for (auto next = waiting.begin(); next != waiting.end() && underway.size() < most;) {
      if (next->not_before > now) {
        ++next;
        continue;
      }
      const std::shared_ptr<RemoteRange> range = std::move(next->range);
      next = waiting.erase(next);
      try {
        underway.emplace_back(range);
        curl_multi_add_handle(client.multi_, underway.back().attempt.handle());
      } catch (const Error& error) {
        client.Settle(*range, RemoteRange::Failure{error.kind(), error.what(), error.remedy()});
      } catch (const std::bad_alloc&) {
        client.Settle(*range,
                      RemoteRange::Failure{
                          ErrorKind::kMemory,
                          range->address_->shown + " cannot be read: no memory is left", ""});
      }
    }
  }

  void Finish() {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(client.multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto found = std::find_if(underway.begin(), underway.end(), [&](Underway& each) {
        return each.attempt.handle() == message->easy_handle;
      });
      if (found != underway.end()) End(found, found->attempt.End(code));
    }
  }

  void GiveUpSlowOnes() {
    const Clock::time_point now = Clock::now();
    const double stall = client.settings_.stall_s;
    for (auto next = underway.begin(); next != underway.end();) {
      const auto each = next++;
      if (now - each->window_began < Seconds(stall)) continue;
      const std::size_t brought = each->attempt.got() - each->window_had;
      each->window_began = now;
      each->window_had = each->attempt.got();
      if (static_cast<double>(brought) >= kSlowBytesPerSecond * stall) continue;
      End(each,
          {Kind::kAgain, brought == 0 ? "nothing arrived for " + SecondsText(stall)
                                      : "less than 1 kB/s arrived for " + SecondsText(stall)});
    }
  }

  // A try is over: the part is settled, or waits for the next one.
  void End(std::list<Underway>::iterator ended, const Verdict& verdict) {
    const std::shared_ptr<RemoteRange> range = ended->range;
    RangeAttempt& attempt = ended->attempt;
    const HttpAnswer answer = attempt.answer();
    if (attempt.is_taken() && !range->stamp_) {
      range->stamp_ = std::make_shared<const RemoteStamp>(StampOf(answer));
      const std::uint64_t there = range->stamp_->bytes - range->begin_;
      range->wanted_ = static_cast<std::size_t>(std::min<std::uint64_t>(range->wanted_, there));
    }
    const std::size_t missing = range->wanted_ - range->filled_, got = attempt.got();
    range->filled_ += got;
    client.fetched_bytes_.fetch_add(got, std::memory_order_relaxed);
    curl_multi_remove_handle(client.multi_, attempt.handle());
    underway.erase(ended);
    if (range->filled_ == range->wanted_) return client.Settle(*range, std::nullopt);
    const bool may_pass = verdict.kind == Kind::kTake || verdict.kind == Kind::kAgain;
    range->failed_tries_ = got >= missing / 4 + 1 ? 0 : range->failed_tries_ + 1;
    if (!may_pass || range->failed_tries_ >= client.settings_.tries) {
      Verdict said = verdict;
      if (said.what.empty()) said.what = "the server sends less than was asked for";
      const int tries = std::max(1, range->failed_tries_);
      return client.Settle(
          *range, RemoteRange::Failure{ErrorKind::kData, WhatOf(*range->address_, said, tries),
                                       Remedy(*range->address_, answer, said)});
    }
    waiting.push_back({range, Clock::now() + Pause(*range, answer)});
  }

  Clock::duration Pause(const RemoteRange& range, const HttpAnswer& answer) const {
    if (range.failed_tries_ == 0) return {};
    const double doubled =
        client.settings_.first_wait_s * std::exp2(std::min(range.failed_tries_ - 1, 16));
    return Seconds(std::max(std::min(doubled, kLongestWait),
                            std::min(answer.retry_after_s.value_or(0), kLongestRetryAfter)));
  }

  // How long the thread may sleep where nothing arrives.
  int SleepMs() const {
    if (is_idle()) return 60'000;
    Clock::duration sleep = std::min<Clock::duration>(kTick, Seconds(client.settings_.stall_s / 4));
    for (const Waiting& each : waiting) sleep = std::min(sleep, each.not_before - Clock::now());
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(sleep).count();
    return static_cast<int>(std::max<std::int64_t>(ms, 1));
  }

  RemoteClient& client;
  std::deque<Waiting> waiting;  // for a connection, or for their next try
  std::list<Underway> underway;
};

RemoteClient::RemoteClient(const RemoteSettings& settings, std::function<bool()> is_interrupted)
    : settings_(settings), is_interrupted_(std::move(is_interrupted)), multi_(NewMulti()) {
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(settings.connections));
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    curl_multi_cleanup(multi_);
    throw ThreadError("the thread that reads remote shards", error.code().value());
  }
}

RemoteClient::~RemoteClient() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  curl_multi_wakeup(multi_);
  thread_.join();
  curl_multi_cleanup(multi_);
}

std::shared_ptr<RemoteRange> RemoteClient::Start(std::shared_ptr<const RemoteAddress> address,
                                                 std::uint64_t begin, std::size_t count,
                                                 std::shared_ptr<const RemoteStamp> stamp,
                                                 std::shared_ptr<void> charge) {
  auto range = std::make_shared<RemoteRange>(std::move(address), begin, count, std::move(stamp),
                                             std::move(charge));
  {
    const std::lock_guard lock(mutex_);
    inbox_.push_back(range);
  }
  curl_multi_wakeup(multi_);
  return range;
}

void RemoteClient::Cancel(RemoteRange& range) {
  range.is_cancelled_.store(true);
  if (!range.is_settled()) curl_multi_wakeup(multi_);
}

void RemoteClient::Await(const RemoteRange& range) {
  std::unique_lock lock(mutex_);
  while (!range.is_settled()) {
    if (is_interrupted_()) {
      throw Error(ErrorKind::kInterrupted, range.address_->shown + ": the reading was stopped");
    }
    settled_.wait_for(lock, kTick);
  }
  range.ThrowIfFailed();
}

void RemoteClient::set_on_news(std::function<void()> on_news) {
  const std::lock_guard lock(news_mutex_);
  on_news_ = std::move(on_news);
}

std::size_t RemoteClient::bytes(const RemoteSettings& settings) {
  return kCertificatesBytes + static_cast<std::size_t>(settings.connections) * kConnectionBytes;
}

void RemoteClient::Settle(RemoteRange& range, std::optional<RemoteRange::Failure> failure) {
  {
    const std::lock_guard lock(mutex_);
    range.failure_ = std::move(failure);
    range.is_settled_.store(true, std::memory_order_release);
  }
  settled_.notify_all();
  TellNews();
}

void RemoteClient::TellNews() {
  const std::lock_guard lock(news_mutex_);
  if (on_news_) on_news_();
}

void RemoteClient::Run() {
  Loop loop(*this);
  Clock::time_point told = Clock::now();
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (is_ending_) return;
      for (std::shared_ptr<RemoteRange>& range : inbox_) {
        loop.waiting.push_back({std::move(range), Clock::now()});
      }
      inbox_.clear();
    }
    loop.DropCancelled();
    loop.Begin();
    int running = 0;
    curl_multi_perform(multi_, &running);
    loop.Finish();
    loop.GiveUpSlowOnes();
    if (!loop.is_idle() && Clock::now() - told >= kTick) {
      told = Clock::now();
      TellNews();
    }
    curl_multi_poll(multi_, nullptr, 0, loop.SleepMs(), nullptr);
  }
}

}  // namespace weir
