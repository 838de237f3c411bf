#include "stages/train/gradient_runs.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <span>
#include <utility>

#include "framework/flow/parallel.h"
#include "stages/ranks/gradient_sum.h"
#include "stages/train/tensors/float_run.h"

namespace weir {
namespace {

constexpr std::size_t kValuesOfATask = std::size_t{1} << 17;

// work(begin, end) over all of [0, values) in parts; what is done to each value is the same.
template <class Work>
void InParts(std::size_t values, const Work& work) {
  const int parts = static_cast<int>((values + kValuesOfATask - 1) / kValuesOfATask);
  ParallelFor(parts, [&](int part) {
    const std::size_t begin = part * kValuesOfATask;
    work(begin, std::min(begin + kValuesOfATask, values) - begin);
  });
}

bool IsSharedOut(const Ranks* ranks) { return ranks != nullptr && ranks->share.ranks > 1; }

RunArithmetic OnDevice(at::Device device) {
  const auto run = [device](const float* values, std::size_t count) {
    return at::for_blob(const_cast<float*>(values), {static_cast<std::int64_t>(count)})
        .options(at::TensorOptions(device).dtype(at::kFloat))
        .target_device(device)
        .make_tensor();
  };
  return {.add = [run](float* sum, const float* more,
                       std::size_t count) { run(sum, count).add_(run(more, count)); },
          .scale = [run](float* to, const float* from, std::size_t count,
                         float factor) { run(to, count).copy_(run(from, count)).mul_(factor); }};
}

// The sums that this rank's pieces of a batch leave at most: a short batch may leave more of them.
std::size_t MostNodes(const RankShare& share) {
  std::size_t most = 0;
  for (int end = share.first_piece() + 1; end <= share.end_piece(); ++end) {
    most = std::max(most, NodesOf(share.first_piece(), end).size());
  }
  return most;
}

// Runs that are needed at once to add up the pieces of a batch, the one of a micro-batch included.
int RunsOfSum(const Ranks* ranks) {
  return ranks == nullptr ? 1 : SumsAtOnce(ranks->share.first_piece(), ranks->share.end_piece());
}

}  // namespace

GradientRuns::GradientRuns(std::size_t values, int in_flight, at::Device device, const Ranks* ranks)
    : ranks_(ranks), device_(device), on_host_(device.is_cpu()) {
  for (int i = 0; i < in_flight; ++i) runs_.push_back(ZeroRun(values, device));
  for (int i = 1; i < RunsOfSum(ranks); ++i) Spare(ZeroRun(values, device));
  if (!IsSharedOut(ranks)) return;
  const bool sums_on_device = ranks->device_group != nullptr;
  buffer_ = ZeroRun(kSumBufferValues, sums_on_device ? device : at::kCPU);
  if (on_host_ || sums_on_device) return;
  staged_.resize(MostNodes(ranks->share));
  for (at::Tensor& run : staged_) run = ZeroRun(values, at::kCPU);
}

std::size_t GradientRuns::SumBytes(std::size_t run_bytes, const Ranks* ranks, bool on_device) {
  std::size_t bytes = on_device ? 0 : static_cast<std::size_t>(RunsOfSum(ranks) - 1) * run_bytes;
  if (!IsSharedOut(ranks) || ranks->device_group) return bytes;
  bytes += kSumBufferValues * sizeof(float);
  return bytes + (on_device ? MostNodes(ranks->share) * run_bytes : 0);
}

void GradientRuns::AddWave(int slots) {
  has_part_ = true;
  if (slots == 1) return;
  InParts(SpanOf(runs_[0]).size(), [&](std::size_t begin, std::size_t count) {
    float* const sum = SpanOf(runs_[0]).data() + begin;
    for (int slot = 1; slot < slots; ++slot) {
      const float* const more = SpanOf(runs_[slot]).data() + begin;
      for (std::size_t i = 0; i < count; ++i) sum[i] += more[i];
    }
  });
}

void GradientRuns::LowerInFlight(int in_flight) {
  runs_.resize(std::min(runs_.size(), static_cast<std::size_t>(in_flight)));
}

void GradientRuns::BeginPieces() {
  for (const auto& [node, run] : tree_.nodes()) Spare(run);
  tree_.Clear();
  if (runs_[0].defined()) return;
  runs_[0] = std::move(spare_.back());
  spare_.pop_back();
}

void GradientRuns::EndPiece(PieceNode piece) {
  if (!has_part_) runs_[0].zero_();
  tree_.Push(piece, std::move(runs_[0]), [this](at::Tensor& left, at::Tensor& right) {
    Add(left, right);
    Spare(std::move(right));
  });
  if (spare_.empty()) return;  // it was the last one
  runs_[0] = std::move(spare_.back());
  spare_.pop_back();
}

void GradientRuns::SumPieces(int pieces, float factor) {
  if (IsSharedOut(ranks_)) return SumOverGroup(pieces, factor);
  at::Tensor all = tree_.Finish([this](at::Tensor& left, at::Tensor& right) {
    Add(left, right);
    Spare(std::move(right));
  });
  tree_.Clear();
  if (runs_[0].defined()) Spare(std::move(runs_[0]));
  runs_[0] = std::move(all);
  Scale(runs_[0], factor);
}

// A rank of which the batch has no piece, as it is the last one and short, gets the sum all the
// same.
void GradientRuns::SumOverGroup(int pieces, float factor) {
  std::vector<at::Tensor> nodes;
  for (const auto& [node, run] : tree_.nodes()) nodes.push_back(run);
  tree_.Clear();
  const std::size_t count = nodes.size();
  if (nodes.empty()) nodes.push_back(std::exchange(runs_[0], at::Tensor()));
  if (ranks_->device_group) {
    SumOnDevices(pieces, nodes, count, factor);
  } else {
    SumOnHosts(pieces, nodes, count, factor);
  }
  if (runs_[0].defined()) Spare(std::move(runs_[0]));
  runs_[0] = std::move(nodes.front());
  for (std::size_t i = 1; i < nodes.size(); ++i) Spare(std::move(nodes[i]));
}

// A rank that is gone is waited for on the device, and cannot be told there from one that is slow:
// so all ranks call on each other over the host first.
void GradientRuns::SumOnDevices(int pieces, std::vector<at::Tensor>& nodes, std::size_t count,
                                float factor) {
  const std::byte here{1};
  std::vector<std::byte> all(static_cast<std::size_t>(ranks_->share.ranks));
  AllGather(*ranks_->group, {&here, 1}, all);
  std::vector<std::span<float>> mine;
  for (const at::Tensor& node : nodes) mine.push_back(SpanOf(node));
  SumOverRanks(*ranks_->device_group, ranks_->share, pieces, std::span(mine).first(count),
               mine.front(), factor, SpanOf(buffer_), OnDevice(device_));
}

void GradientRuns::SumOnHosts(int pieces, std::vector<at::Tensor>& nodes, std::size_t count,
                              float factor) {
  std::vector<std::span<float>> mine;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!on_host_) staged_[i].copy_(nodes[i]);
    mine.push_back(SpanOf(on_host_ ? nodes[i] : staged_[i]));
  }
  SumOverRanks(*ranks_->group, ranks_->share, pieces, std::span(mine).first(count), mine.front(),
               factor, SpanOf(buffer_));
  if (!on_host_) nodes.front().copy_(staged_.front());
}

void GradientRuns::Add(const at::Tensor& to, const at::Tensor& more) const {
  if (!on_host_) {
    to.add_(more);
    return;
  }
  InParts(SpanOf(to).size(), [&](std::size_t begin, std::size_t count) {
    float* const sum = SpanOf(to).data() + begin;
    const float* const values = SpanOf(more).data() + begin;
    for (std::size_t i = 0; i < count; ++i) sum[i] += values[i];
  });
}

void GradientRuns::Scale(const at::Tensor& run, float factor) const {
  if (!on_host_) {
    run.mul_(factor);
    return;
  }
  InParts(SpanOf(run).size(), [&](std::size_t begin, std::size_t count) {
    float* const values = SpanOf(run).data() + begin;
    for (std::size_t i = 0; i < count; ++i) values[i] *= factor;
  });
}

}  // namespace weir
