// Reads reference tensors: safetensors files of F32, F64 and U8, whole into memory.
//
//   const ReferenceTensors file(*SharedData("reference/augment_keras.safetensors"));
//   const std::vector<float> outputs = file.Values<float>("outputs");
//   const nlohmann::json cases = nlohmann::json::parse(file.Metadata("cases"));
//
// Throws what nlohmann::json or std::runtime_error throw where the file is not as expected.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace weir {

class ReferenceTensors {
 public:
  explicit ReferenceTensors(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    std::uint64_t header_bytes = 0;
    if (bytes_.size() < sizeof header_bytes)
      throw std::runtime_error("cannot read " + path.string());
    std::memcpy(&header_bytes, bytes_.data(), sizeof header_bytes);
    data_begin_ = sizeof header_bytes + header_bytes;
    header_ = nlohmann::json::parse(bytes_.substr(sizeof header_bytes, header_bytes));
  }

  std::vector<std::int64_t> Shape(const std::string& name) const {
    return header_.at(name).at("shape").get<std::vector<std::int64_t>>();
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : header_.items()) {
      if (name != "__metadata__") names.push_back(name);
    }
    return names;
  }

  // In row-major order; T is float for F32, double for F64, std::uint8_t for U8.
  template <class T>
  std::vector<T> Values(const std::string& name) const {
    constexpr bool kIsDouble = std::is_same_v<T, double>;
    static_assert(kIsDouble || std::is_same_v<T, float> || std::is_same_v<T, std::uint8_t>);
    const nlohmann::json& tensor = header_.at(name);
    if (tensor.at("dtype") != (kIsDouble ? "F64" : std::is_same_v<T, float> ? "F32" : "U8")) {
      throw std::runtime_error(name + " is of another type");
    }
    const std::size_t begin = data_begin_ + tensor.at("data_offsets").at(0).get<std::size_t>();
    const std::size_t end = data_begin_ + tensor.at("data_offsets").at(1).get<std::size_t>();
    if (begin > end || end > bytes_.size()) throw std::runtime_error(name + " is cut short");
    std::vector<T> values((end - begin) / sizeof(T));
    std::memcpy(values.data(), bytes_.data() + begin, values.size() * sizeof(T));
    return values;
  }

  std::string Metadata(const std::string& key) const {
    return header_.at("__metadata__").at(key).get<std::string>();
  }

 private:
  std::string bytes_;
  nlohmann::json header_;
  std::size_t data_begin_ = 0;
};

}  // namespace weir
