// How often pictures of one class were taken for another: the confusion matrix of one pass.
//
// What it holds is fixed before the pass begins: a cell of 8 bytes for each pair of classes or one
// entry of 8 bytes for each picture, whichever is less, and 24 bytes a class. With 10,000 classes
// and 40,000 pictures that is 0.6 MB, where the whole matrix would take 800 MB.
//
// Whoever wants the counts puts one of these among the resources before the pipeline is made; the
// stage `train` pays for it and fills it in the passes over its split. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "framework/flow/pass.h"
#include "stages/train/metrics/class_tally.h"

namespace weir {

class ConfusionCounts {
 public:
  static constexpr std::string_view kResource = "confusion counts";

  explicit ConfusionCounts(Split split = Split::kTest) : split_(split) {}

  Split split() const { return split_; }

  // Says how large it will be; nothing is held yet.
  void Declare(int classes, std::uint64_t pictures);
  std::size_t bytes() const;  // what it holds from Open() on

  void Open();
  // Forgets what was counted.
  void Begin();
  // Both are labels below `classes`. Throws std::length_error above the declared pictures.
  void Add(int truth, int predicted);

  int classes() const { return classes_; }
  const std::vector<ClassTally>& of_classes() const { return of_classes_; }

  // Calls visit(predicted, pictures) for each class that pictures of `truth` were taken for, by
  // rising label.
  void ForEachTaken(int truth, const std::function<void(int, std::uint64_t)>& visit);

 private:
  bool is_dense() const;
  void Sort();

  Split split_;
  int classes_ = 0;
  std::uint64_t pictures_ = 0;
  // Dense: the counts, [classes, classes], row: truth, column: prediction. Else of each picture
  // truth * classes + prediction.
  std::vector<std::uint64_t> values_;
  bool is_sorted_ = false;
  std::vector<ClassTally> of_classes_;
};

}  // namespace weir
