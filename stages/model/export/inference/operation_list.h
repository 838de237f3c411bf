// The operations of an InferenceGraph with what reads their constants, while they are put together
// and afterwards. One thread at a time.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "stages/model/export/inference/inference_operation.h"

namespace weir {

// The values of the constants of one operation, in their order.
using ConstantValues = std::vector<std::vector<float>>;

class OperationList {
 public:
  using Read = std::function<ConstantValues()>;

  // Adds an operation behind the rest and gives its index.
  int Append(
      inference::Operation operation, Read read = [] { return ConstantValues(); }) {
    operations_.push_back(std::move(operation));
    reads_.push_back(std::move(read));
    return last();
  }

  // The same for one that reads the last operation and takes no constants.
  int AppendPlain(std::string name, inference::Kind kind, Shape output) {
    return Append({.name = std::move(name),
                   .inputs = {last()},
                   .kind = kind,
                   .constants = {},
                   .output = std::move(output)});
  }

  int last() const { return static_cast<int>(operations_.size()) - 1; }  // kPicture where empty

  const std::vector<inference::Operation>& operations() const { return operations_; }
  ConstantValues ReadConstants(int operation) const { return reads_.at(operation)(); }

 private:
  std::vector<inference::Operation> operations_;
  std::vector<Read> reads_;
};

}  // namespace weir
