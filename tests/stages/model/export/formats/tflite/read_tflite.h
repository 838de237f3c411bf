// A TensorFlow Lite file as its schema has it: as much of it as the tests look at.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/stages/model/export/formats/tflite/read_flat.h"

namespace weir {

struct ReadTfliteTensor {
  std::string name;
  int type = 0;  // TensorType
  std::vector<std::int32_t> shape{}, signature{};
  bool is_constant = false;
  std::string values{};
  std::vector<float> scales{};
  std::vector<std::int64_t> zeros{};
  int axis = 0;

  template <class Number>
  std::vector<Number> Numbers() const {
    std::vector<Number> numbers(values.size() / sizeof(Number));
    std::memcpy(numbers.data(), values.data(), values.size());
    return numbers;
  }
};

struct ReadTfliteOperator {
  int code = 0;  // BuiltinOperator
  int version = 0;
  std::vector<std::int32_t> inputs{}, outputs{};
  int options_type = 0;
  std::vector<FlatRead> options{};  // one, or none
};

struct ReadTflite {
  std::uint32_t version = 0;
  std::string description;
  std::vector<ReadTfliteTensor> tensors{};
  std::vector<ReadTfliteOperator> operators{};
  std::vector<std::int32_t> inputs{}, outputs{};
  std::map<std::string, std::string> metadata{};
  std::vector<FlatRead> signatures{};

  // The one that makes the tensor of that name. These throw std::runtime_error where there is none.
  const ReadTfliteOperator& Making(const std::string& name) const;
  const ReadTfliteTensor& Tensor(const std::string& name) const;
  std::vector<std::string> NamesOf(const std::vector<std::int32_t>& indices) const;
};

// Throws std::runtime_error where it is no such file, or a buffer does not lie at a multiple of 16.
ReadTflite ParseTflite(const std::string& bytes);

}  // namespace weir
