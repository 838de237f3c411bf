#include "pipelines/serve/infer_request.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "pipelines/serve/http.h"

namespace weir {
namespace {

constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostDims = 8;
constexpr std::size_t kMostFiles = 10'000;
constexpr std::size_t kMostOutputs = 16;
constexpr std::size_t kMostIdBytes = 1024;

[[noreturn]] void Refuse(const std::string& reason) { throw HttpRefusal{400, reason}; }

std::string Decoded(std::string text) {
  std::erase_if(text, [](char letter) { return letter == '\n' || letter == '\r'; });
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  std::string file(text.size() / 4 * 3, '\0');
  const int size = text.empty() || text.size() > kMost
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(file.data()),
                                         reinterpret_cast<const unsigned char*>(text.data()),
                                         static_cast<int>(text.size()));
  if (size < 0) Refuse("the data of BYTES are no file in base64");
  file.resize(static_cast<std::size_t>(size) - padding);
  return file;
}

// Takes the values in as they come.
class Reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  InferRequest Take(std::string_view body);

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override {
    return Number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return Number(value); }
  bool string(string_t& value) override;
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override;
  bool key(string_t& name) override;
  bool end_object() override { return End(); }
  bool start_array(std::size_t) override { return Begin({.is_object = false}); }
  bool end_array() override { return End(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail("the body is no JSON from byte " + std::to_string(position) + " on");
  }

 private:
  struct Level {
    bool is_object;
    std::string key{};
  };

  bool Begin(Level level) {
    if (levels_.size() == kMostDepth) return Fail("the body is nested too deeply");
    levels_.push_back(std::move(level));
    return true;
  }
  bool End() {
    levels_.pop_back();
    return true;
  }
  bool Fail(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
  }
  bool Number(double value);
  // Within an object of the list `list`: under which key.
  const std::string* KeyIn(const char* list) const {
    const bool is_in = levels_.size() >= 3 && levels_[0].is_object && levels_[0].key == list &&
                       !levels_[1].is_object && levels_[2].is_object;
    return is_in ? &levels_[2].key : nullptr;
  }
  void CheckPixels(InferRequest& request) const;

  std::vector<Level> levels_;
  std::string why_;
  int inputs_ = 0;
  std::string datatype_;
  std::vector<double> shape_;
  InferRequest request_;
};

bool Reader::start_object(std::size_t) {
  const bool is_input = levels_.size() == 2 && levels_[0].key == "inputs" && !levels_[1].is_object;
  if (is_input && ++inputs_ > 1) return Fail("the model has one input, `image`");
  return Begin({.is_object = true});
}

bool Reader::key(string_t& name) {
  levels_.back().key = name.substr(0, kMostIdBytes);
  return true;
}

bool Reader::Number(double value) {
  const std::string* const key = KeyIn("inputs");
  if (!key) return true;
  if (*key == "shape") {
    if (shape_.size() == kMostDims) return Fail("the shape of the input has too many numbers");
    shape_.push_back(value);
  } else if (*key == "data") {
    if (!(value >= 0 && value <= 255) || value != std::floor(value)) {
      return Fail(
          "the data of the input hold a number that is no byte: pixels are whole numbers "
          "from 0 to 255");
    }
    request_.pixels.push_back(static_cast<std::uint8_t>(value));
  }
  return true;
}

bool Reader::string(string_t& value) {
  if (levels_.size() == 1 && levels_[0].key == "id") {
    if (value.size() > kMostIdBytes) return Fail("the id is longer than 1024 bytes");
    request_.id = value;
  } else if (const std::string* const key = KeyIn("inputs")) {
    if (*key == "datatype") datatype_ = value.substr(0, kMostIdBytes);
    if (*key == "name" && value != "image") return Fail("the model has one input, `image`");
    if (*key == "data") {
      if (request_.files.size() == kMostFiles) return Fail("the input has too many files");
      request_.files.push_back(Decoded(std::move(value)));
    }
  } else if (const std::string* const output = KeyIn("outputs")) {
    if (*output == "name" && request_.outputs.size() < kMostOutputs) {
      request_.outputs.push_back(value.substr(0, kMostIdBytes));
    }
  }
  return true;
}

// A shape of which the pixels are.
void Reader::CheckPixels(InferRequest& request) const {
  const bool is_shape =
      shape_.size() == 4 && shape_[3] == 3 && std::ranges::all_of(shape_, [](double size) {
        return size >= 1 && size <= 1 << 20 && size == std::floor(size);
      });
  if (!is_shape) Refuse("the shape of UINT8 is [pictures, height, width, 3]");
  const double values = shape_[0] * shape_[1] * shape_[2] * shape_[3];
  if (values != static_cast<double>(request.pixels.size())) {
    Refuse("the shape of the input says so many values and its data are others: " +
           std::to_string(request.pixels.size()) + " came");
  }
  request.count = static_cast<std::size_t>(shape_[0]);
  request.height = static_cast<int>(shape_[1]);
  request.width = static_cast<int>(shape_[2]);
}

InferRequest Reader::Take(std::string_view body) {
  if (!nlohmann::json::sax_parse(body.begin(), body.end(), this)) {
    Refuse(why_.empty() ? "the body is no JSON" : why_);
  }
  if (inputs_ == 0) Refuse("the request has no input: give `inputs` with one, `image`");
  if (datatype_ == "UINT8") {
    CheckPixels(request_);
  } else if (datatype_ != "BYTES") {
    Refuse("the datatype of the input is " + (datatype_.empty() ? "missing" : datatype_) +
           ": give BYTES, files in base64, or UINT8, pixels");
  } else if (request_.files.empty()) {
    Refuse("the input has no data");
  } else if (shape_.size() != 1 || shape_[0] != static_cast<double>(request_.files.size())) {
    Refuse("the shape of BYTES is [files], as many as there are data");
  } else {
    request_.count = request_.files.size();
  }
  return std::move(request_);
}

}  // namespace

InferRequest ReadInferRequest(std::string_view body) { return Reader().Take(body); }

}  // namespace weir
