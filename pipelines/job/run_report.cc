#include "pipelines/job/run_report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "framework/byte_size.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/signals.h"
#include "pipelines/record/ending.h"
#include "pipelines/report/bottleneck.h"
#include "pipelines/report/plan_text.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

// memory.json of a usual pipeline is made in less.
constexpr std::size_t kLastRoomBytes = std::size_t{64} << 10;

// Writes the configuration and the plan, and gives the path of the memory log, which is begun after
// them, as it tells of a run that goes on.
std::filesystem::path BeginFolder(const RunFolder& folder, const std::string& resolved_yaml,
                                  const nlohmann::json& plan) {
  folder.WriteConfig(resolved_yaml);
  folder.WritePlan(plan);
  return folder.memory_log();
}

}  // namespace

void PrintLine(const std::string& text) {
  if (!text.empty()) std::printf("%s\n", text.c_str());
}

RunReport::RunReport(RunFolder folder, const std::string& resolved_yaml, const nlohmann::json& plan,
                     Session& session, const RunReportOptions& options)
    : folder_(std::move(folder)),
      options_(options),
      is_terminal_(IsTerminal()),
      memory_(session.pipeline(), {.log = BeginFolder(folder_, resolved_yaml, plan),
                                   .limit_bytes = session.plan().limit_bytes,
                                   .read_device = [this] { return OnDevice(); }}),
      last_room_(std::make_unique<std::byte[]>(kLastRoomBytes)) {
  GoOnWith(session);
}

RunReport::~RunReport() {
  if (session_) session_->pipeline().set_on_drop({});
}

void RunReport::GoOnWith(Session& session) {
  session_ = &session;
  limit_bytes_ = session.plan().limit_bytes;
  planned_bytes_ = std::max(planned_bytes_, session.plan().peak_bytes());
  memory_.Watch(&session.pipeline());
  session.pipeline().set_on_drop([this](const std::string& stage, const Drop& drop) {
    folder_.Dropped(drop.sample, stage, drop.reason);
    if (!options_.is_shared) return;
    const std::lock_guard lock(new_losses_mutex_);
    new_losses_.push_back({drop.sample, stage, drop.reason});
  });
}

std::vector<RunReport::Lost> RunReport::TakeNewLosses() {
  const std::lock_guard lock(new_losses_mutex_);
  return std::exchange(new_losses_, {});
}

void RunReport::Leave() {
  figures_ = AllFigures();
  leased_bytes_ = std::max(leased_bytes_, session_->pipeline().peak_leased_bytes());
  if (const auto holding = OnDevice()) device_bytes_ = holding->peak_bytes;
  left_out_ = LeftOutByKind(*session_);
  memory_.Watch(nullptr);
  session_->pipeline().set_on_drop({});
  session_ = nullptr;
}

void RunReport::Record(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    NoteEnd([&error] { return EndingOf(error); });
    throw;
  } catch (...) {
    NoteEnd([] { return "failed: what was thrown is no exception"; });
    throw;
  }
  memory_.End("done");
}

void RunReport::NoteEnd(const std::function<std::string()>& state) noexcept {
  last_room_.reset();
  try {
    memory_.End(state());
  } catch (const std::exception&) {  // not even that much is left: the log still says "running"
  }
}

double RunReport::RunPass(const Pass& pass, const ShownPass& shown) {
  const Clock::time_point begin = Clock::now();
  {
    Progress progress({.title = shown.title,
                       .limit_bytes = limit_bytes_,
                       .images_after = shown.images_after,
                       .is_terminal = is_terminal_},
                      shown.state, [&] {
                        if (SignalReceived() && !options_.is_shared) session_->pipeline().Stop();
                        Watch(shown);
                      });
    session_->pipeline().Run(pass);
  }
  Watch(shown);  // a short pass has no tick
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  seconds_ += seconds;
  return seconds;
}

void RunReport::Watch(const ShownPass& shown) {
  const ProgressState state = shown.state();
  const std::string said = memory_.Tick(shown.title, state.done, state.total);
  if (options_.trace) TraceMemory();
  if (!said.empty()) std::printf("%s%s\n", is_terminal_ ? "\r\033[K" : "", said.c_str());
}

void RunReport::TraceMemory() const {
  const MemorySnapshot& now = memory_.last();
  options_.trace->Counter("held by the process", now.held_bytes);
  for (const Pipeline::Holding& holding : now.holdings) {
    options_.trace->Counter(holding.stage + ": " + holding.what, holding.bytes);
  }
}

// The stages of all sessions have the same names.
std::vector<Pipeline::Figures> RunReport::AllFigures() const {
  std::vector<Pipeline::Figures> all = session_ ? session_->pipeline().figures() : figures_;
  if (!session_) return all;
  for (Pipeline::Figures& stage : all) {
    for (const Pipeline::Figures& before : figures_) {
      if (before.stage != stage.stage) continue;
      stage.figures.items += before.figures.items;
      stage.figures.drops += before.figures.drops;
      stage.figures.busy_seconds += before.figures.busy_seconds;
    }
  }
  return all;
}

std::vector<std::pair<std::string, double>> RunReport::SharesOfTime() const {
  return weir::SharesOfTime(AllFigures(), seconds_, options_.workers);
}

std::optional<DeviceHolding> RunReport::OnDevice() const {
  const auto device = session_ ? session_->device().device : nullptr;
  if (!device) return std::nullopt;
  const MemoryUsage usage = device->usage();
  return DeviceHolding{.name = device->name(),
                       .limit_bytes = usage.limit_bytes,
                       .bytes = usage.used_bytes,
                       .peak_bytes = std::max(device_bytes_, usage.peak_bytes)};
}

void RunReport::WriteSummary(nlohmann::json own) const {
  const auto shares = SharesOfTime();
  const std::size_t leased = session_ ? session_->pipeline().peak_leased_bytes() : 0;
  own.update({{"peak_budget_bytes", std::max(leased_bytes_, leased)},
              {"peak_rss_anon_bytes", Progress::peak_held_bytes()},
              {"planned_bytes", planned_bytes_},
              {"share_of_time", std::map<std::string, double>(shares.begin(), shares.end())},
              {"dropped", folder_.dropped()},
              {"left_out", session_ ? LeftOutByKind(*session_) : left_out_}});
  const auto on_device = OnDevice();
  const std::size_t device_bytes = on_device ? on_device->peak_bytes : device_bytes_;
  if (device_bytes > 0) own["peak_device_bytes"] = device_bytes;
  folder_.WriteSummary(own);
}

std::string RunReport::HeldText() const {
  return ToRoundText(ByteSize{Progress::peak_held_bytes()}) + " held at most of " +
         ToRoundText(ByteSize{limit_bytes_});
}

void RunReport::SayBottleneck() const {
  PrintLine(BottleneckText(SharesOfTime(), options_.workers));
}

void RunReport::SayDropped(const std::string& things) const {
  if (folder_.dropped() == 0) return;
  std::printf("%llu %scould not be used: %s says which, and why\n",
              static_cast<unsigned long long>(folder_.dropped()), things.c_str(),
              folder_.dropped_list().c_str());
}

}  // namespace weir
