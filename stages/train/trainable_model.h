// What of the model is behind the frozen prefix, in LibTorch: features in, logits out, and the
// gradients of what learns.
//
//   model.BeginBatch();
//   ParallelFor(2, [&](int i) { model.Learn(micro_batches[i], i, logits[i], losses[i]); });
//   model.AddGradients(2);          // in the order of position
//   model.Step(step, learning_rate);
//
// Where a batch is cut in pieces (RankShare), each of them is such a batch:
//
//   model.BeginPieces();
//   for (int piece = first; piece < end; ++piece) {
//     model.BeginBatch(); ... model.AddGradients(2);
//     model.EndPiece({0, piece});
//   }
//   model.SumPieces(pieces, 1.0 / samples);
//   model.Step(step, learning_rate);
//
// Learn and Predict may be called from many threads at once, everything else by one thread at a
// time and not beside them. Where batch statistics are used (NeedsWholeBatch), one Learn at a
// time.
//
// With a device all tensors are there, and every call but those of the spans below is made in the
// thread that issues the device's work (Device::Issue), one at a time; its bits are LibTorch's on
// that device. The optimizer's step is LibTorch's, too; logits come to the host once a micro-batch,
// where the losses and their gradient are worked out as ever.
//
// Memory: HeldBytes from Load to the end, with an average AverageBytes too and 512 KiB while it is
// exchanged, LearningBytes or InferenceBytes (activation_plan.h) for each call in progress, and one
// run of gradients for each micro-batch in flight beyond the first. With a device that is there,
// and the optimizer's step takes up to three runs more; on the host are StateBytes, with an average
// AverageBytes, and StagingBytes for the call in progress.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "stages/device/depthwise_kernels.h"
#include "stages/model/model.h"
#include "stages/ranks/piece_tree.h"
#include "stages/ranks/ranks.h"
#include "stages/train/activation_plan.h"
#include "stages/train/losses/cross_entropy.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/steps/micro_batch.h"
#include "stages/train/steps/parameter_table.h"

namespace weir {

struct TrainableOptions {
  bool training = true;  // else forward only, without gradients or slots
  std::shared_ptr<const Loss> loss = std::make_shared<const CrossEntropy>(CrossEntropy::Params{});
  std::span<const double> class_weights{};  // [classes], which outlive it; empty: all 1
  int in_flight = 1;                        // micro-batches at once; 1 with a device
  Activations activations = Activations::kKept;
  std::string torch_device{};                   // Device::torch_device(); empty: the host
  const DepthwiseKernels* depthwise = nullptr;  // Device::depthwise(), which outlives the model
  bool averages = false;  // whether an average of the weights is kept beside them
  // Those that a batch is learnt with; null or alone with one piece: nothing is added over pieces.
  const Ranks* ranks = nullptr;
};

class TrainableModel {
 public:
  using LoadHead = decltype(ModelSource::load_head);

  // `model` and `optimizer` outlive this. Takes HeldBytes, the runs of gradients, and with
  // `averages` AverageBytes from LibTorch's allocator, with a device StateBytes besides.
  TrainableModel(const Model& model, const Optimizer& optimizer, const TrainableOptions& options);
  ~TrainableModel();

  static std::size_t HeldBytes(const Model& model, const Optimizer& optimizer, bool training);
  static std::size_t GradientBytes(const Model& model);  // a run of gradients
  // Further runs, and buffers, for the sum over pieces and ranks; on the host.
  static std::size_t SumBytes(const Model& model, const Ranks* ranks, bool on_device);
  // An average of the weights and the running statistics.
  static std::size_t AverageBytes(const Model& model);
  // What the spans below show: with a device a copy on the host, without one a part of HeldBytes.
  static std::size_t StateBytes(const Model& model, const Optimizer& optimizer, bool training);

  // Does once what a batch will do, in micro-batches of `samples`, to see whether there is room for
  // it. From then on one of fewer samples is filled up to as many, with rows of zeros that have no
  // gradient, so that a device meets no shape later that it has not met here; not where a batch
  // norm learns on the batch's statistics. Before Load, as nothing of the state is what it was.
  void Rehearse(int samples, int batch_size);

  // The start: the optimizer's slots, the backbone's numbers (read only where there are layers
  // behind the prefix), and the head's, from `load_head` or, where it is empty, drawn as Keras
  // does: Glorot uniform (Glorot and Bengio, 2010), biases zero.
  void Load(const std::function<LayerReader()>& open_backbone, const LoadHead& load_head);

  // Logits [samples, classes] of a micro-batch in inference.
  void Predict(const MicroBatch& micro_batch, std::span<float> logits) const;

  // One batch: its micro-batches from 0 on in the order of position, in waves of at most in_flight.
  // `slot` counts within the wave. Writes logits and each sample's loss, adds the gradients to the
  // slot's run.
  void BeginBatch();
  void Learn(const MicroBatch& micro_batch, int slot, std::span<float> logits,
             std::span<double> losses) const;
  void AddGradients(int slots);  // adds a wave's gradients to the batch's
  void BeginPieces();            // a batch begins; what was learnt of another is forgotten
  // What was learnt since BeginBatch is that piece of the batch; nothing: its gradients are zeros.
  void EndPiece(PieceNode piece);
  // The batch's gradients, of `pieces` in all: `factor` times their sum over all ranks.
  void SumPieces(int pieces, double factor);
  void LowerInFlight(int in_flight);  // between batches; gives back the other slots' runs
  void Step(std::uint64_t step, double learning_rate);
  // Sets the step behind which the slots of each parameter that learns begin: 0 at first.
  void SetBegun(const std::vector<std::uint64_t>& begun);

  // The average, which begins as the weights that are loaded: goes that part of the way to them as
  // they are, and changes places with them.
  void MoveAverage(double share);
  void ExchangeAverage();

  // The state, in the layout of the tables: to look at, to save, and to restore. With a device
  // these are copies on the host: FetchState makes them anew, before they are read or changed in
  // part.
  const ModelParameters& tables() const;
  std::span<float> values();
  std::span<float> statistics();
  std::span<float> slot(int index);  // the optimizer's, in the order of slot_names()
  std::span<float> average_values();
  std::span<float> average_statistics();
  void FetchState() const;
  void ValuesChanged();  // after writing to them

 private:
  struct Parts;

  const Model& model_;
  const Optimizer& optimizer_;
  TrainableOptions options_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir
