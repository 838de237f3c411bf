// The runs that gradients are in, each laid out as the ParameterTable of what learns: one for each
// micro-batch in flight, which are added up to the sum of a batch; where a batch is cut in pieces
// (RankShare), further ones to add up the pieces, and where ranks share it, what their sum takes.
//
//   GradientRuns runs(values, 2, at::kCPU, nullptr);
//   runs.Begin();
//   ...                          // micro-batches into SinkOf(0) and SinkOf(1)
//   runs.AddWave(2);             // in the order of position
//   optimizer.Apply(runs.sum());
//
// SinkOf may be called by many threads, everything else by one, under c10::InferenceMode and with a
// device in the thread that issues its work. Memory: a run for each in flight, and SumBytes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "stages/ranks/piece_tree.h"
#include "stages/ranks/ranks.h"
#include "stages/train/steps/gradient_sink.h"

namespace weir {

class GradientRuns {
 public:
  // Runs of zeros, of `values` each. `ranks`, which outlive this, are null where a batch is one
  // piece.
  GradientRuns(std::size_t values, int in_flight, at::Device device, const Ranks* ranks);

  // What the sum over pieces and ranks takes on the host, beside the runs in flight. With a device
  // group nothing: kSumBufferValues are on the device then.
  static std::size_t SumBytes(std::size_t run_bytes, const Ranks* ranks, bool on_device);

  // A batch, or a piece of one, begins: the first micro-batch sets the gradients.
  void Begin() { has_part_ = false; }
  GradientSink SinkOf(int slot) const {
    const bool adds = slot == 0 && has_part_;
    return {runs_[slot], adds ? GradientSink::Mode::kAdd : GradientSink::Mode::kSet};
  }
  void AddWave(int slots);
  void LowerInFlight(int in_flight);  // gives back the others

  void BeginPieces();  // a batch begins; what was learnt of another is forgotten
  // What was learnt since Begin is that piece; where nothing was its gradients are zeros.
  void EndPiece(PieceNode piece);
  // sum() is `factor` times the sum of all `pieces` of the batch, over all ranks.
  void SumPieces(int pieces, float factor);

  const at::Tensor& sum() const { return runs_[0]; }

 private:
  void Add(const at::Tensor& to, const at::Tensor& more) const;
  void Scale(const at::Tensor& run, float factor) const;
  void SumOverGroup(int pieces, float factor);
  void SumOnDevices(int pieces, std::vector<at::Tensor>& nodes, std::size_t count, float factor);
  void SumOnHosts(int pieces, std::vector<at::Tensor>& nodes, std::size_t count, float factor);
  void Spare(at::Tensor run) { spare_.push_back(std::move(run)); }

  const Ranks* const ranks_;
  const at::Device device_;
  const bool on_host_;
  std::vector<at::Tensor> runs_;   // the sum's, then that of each further micro-batch in flight
  bool has_part_ = false;          // whether the sum's holds a part of this batch or piece
  PieceTree<at::Tensor> tree_;     // what this batch's pieces add up to so far
  std::vector<at::Tensor> spare_;  // runs that hold nothing
  at::Tensor buffer_;              // for the sum over ranks, where that is done
  // With a device and no device group, on the host: a run for each node of this rank.
  std::vector<at::Tensor> staged_;
};

}  // namespace weir
