// A layer of `model.head` as it is declared: the shapes that it takes and gives, and its arrays.
//
// Each is a class in a file of its own and a row of the list (framework/config/parts.h). What it
// computes in training is in stages/train/head/, under the same name. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/parts.h"
#include "framework/shape.h"
#include "stages/model/head/pooling.h"

namespace weir {

// An array that a layer keeps.
struct HeadArray {
  // Glorot's is for [outputs, inputs] (Glorot and Bengio, 2010).
  enum class Initializer { kZeros, kOnes, kGlorotUniform };

  std::string_view name;  // "weight"
  Shape shape;
  Initializer initializer = Initializer::kZeros;
  bool learns = true;  // else it is a running statistic

  std::size_t values() const { return static_cast<std::size_t>(ValuesIn(shape)); }
};

// As it is saved: "head.1.weight".
std::string HeadArrayName(int layer, std::string_view array);

// Where a layer stands, for messages.
struct HeadPlace {
  std::string text;  // "model.head[2] (dense)"
  bool is_last = false;
};

class HeadLayer {
 public:
  static constexpr std::string_view kWord = "head layer", kOne = "a layer", kMany = "layers";
  static std::span<const Part<HeadLayer>> All();

  virtual ~HeadLayer() = default;

  virtual std::string_view name() const = 0;  // as in the YAML: "global_average_pooling"
  virtual YamlNode ToYaml() const = 0;

  // What a checkpoint declares, so that nobody goes on with another head: the name and what decides
  // what it computes ("dense 2 softmax").
  virtual std::string declaration() const { return std::string(name()); }

  // Whether it gives a value for each class, of whose number it has to be told by WithClasses,
  // which returns the layer that knows it. Null where it needs none.
  virtual bool needs_classes() const { return false; }
  virtual std::shared_ptr<const HeadLayer> WithClasses(int) const { return nullptr; }

  // What it gives where `input` arrives. Throws Error(kConfig) where it cannot stand there.
  virtual Shape OutputDims(const Shape& input, const HeadPlace& place) const = 0;

  // The arrays that it keeps where `input` arrives.
  virtual std::vector<HeadArray> Arrays(const Shape&) const { return {}; }

  // What it makes of the last map where the frozen backbone can do that itself.
  virtual Pooling pooling() const { return Pooling::kNone; }

  // Whether it learns from the whole batch, which must then be one micro-batch.
  virtual bool needs_whole_batch() const { return false; }

  // Throws Error(kConfig) where it cannot be a classifier's last layer.
  virtual void CheckLast() const;

 protected:
  static std::string NumberText(double value);  // `value` as JSON has it, for a declaration
};

using Head = std::vector<std::shared_ptr<const HeadLayer>>;

// What to do about a head that ends otherwise.
inline constexpr const char* kEndOfHead =
    "End it with dense: {units: classes, activation: softmax}.";

}  // namespace weir
