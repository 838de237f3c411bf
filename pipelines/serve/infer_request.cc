#include "pipelines/serve/infer_request.h"

#include <openssl/evp.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "pipelines/serve/http.h"

namespace weir {
namespace {

constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostDims = 8;
constexpr std::size_t kMostOutputs = 16;
constexpr std::size_t kMostNameBytes = 256;  // a key, a name, an id

[[noreturn]] void Refuse(const std::string& reason) { throw HttpRefusal{400, reason}; }

// Spoils `text`.
std::string FileOf(std::span<char> text) {
  const auto end = std::remove_if(text.begin(), text.end(),
                                  [](char letter) { return letter == '\n' || letter == '\r'; });
  const std::string_view letters(text.data(), static_cast<std::size_t>(end - text.begin()));
  const std::size_t padding = letters.ends_with("==") ? 2 : letters.ends_with('=') ? 1 : 0;
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  std::string file(letters.size() / 4 * 3, '\0');
  const bool is_padded_within = letters.find('=') < letters.size() - padding;
  const int size = letters.empty() || letters.size() > kMost || is_padded_within
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(file.data()),
                                         reinterpret_cast<const unsigned char*>(letters.data()),
                                         static_cast<int>(letters.size()));
  if (size < 0) Refuse("the data of BYTES are no file in base64");
  file.resize(static_cast<std::size_t>(size) - padding);
  return file;
}

// Takes the values in as RapidJSON meets them: false from a member ends the reading.
class Reader {
 public:
  using Ch = char;
  explicit Reader(std::size_t body_bytes) : body_bytes_(body_bytes) {}

  bool Null() { return Other(); }
  bool Bool(bool) { return Other(); }
  bool Int(int value) { return Number(value); }
  bool Uint(unsigned value) { return Number(value); }
  bool Int64(std::int64_t value) { return Number(static_cast<double>(value)); }
  bool Uint64(std::uint64_t value) { return Number(static_cast<double>(value)); }
  bool Double(double value) { return Number(value); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return true; }
  bool String(const char* text, rapidjson::SizeType length, bool);
  bool StartObject();
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    levels_.back().key = std::string_view(text, length).substr(0, kMostNameBytes);
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return End(); }
  bool StartArray() { return Begin({.is_object = false}); }
  bool EndArray(rapidjson::SizeType) { return End(); }

  // Why it ended the reading; empty where it did not.
  const std::string& why() const { return why_; }
  InferRequest Take();

 private:
  struct Level {
    bool is_object;
    std::string_view key{};  // in the body
  };

  bool Begin(Level level) {
    if (levels_.size() == kMostDepth) return Fail("the body is nested too deeply");
    levels_.push_back(level);
    return true;
  }
  bool End() {
    levels_.pop_back();
    return true;
  }
  bool Fail(std::string why) {
    why_ = std::move(why);
    return false;
  }
  bool Number(double value);
  bool Other() {
    return KeyIn("inputs") != "data" || Fail("the data of the input hold what is no number");
  }
  // Within an object of the list `list`: under which key; empty elsewhere.
  std::string_view KeyIn(std::string_view list) const {
    const bool is_in = levels_.size() >= 3 && levels_[0].is_object && levels_[0].key == list &&
                       !levels_[1].is_object && levels_[2].is_object &&
                       std::none_of(levels_.begin() + 3, levels_.end(),
                                    [](const Level& level) { return level.is_object; });
    return is_in ? levels_[2].key : std::string_view();
  }
  void CheckPixels();

  const std::size_t body_bytes_;
  std::vector<Level> levels_;
  std::string why_;
  int inputs_ = 0;
  std::string datatype_;
  std::vector<double> shape_;
  InferRequest request_;
};

bool Reader::StartObject() {
  const bool is_input = levels_.size() == 2 && levels_[0].key == "inputs" && !levels_[1].is_object;
  if (is_input && ++inputs_ > 1) return Fail("the model has one input, `image`");
  return Begin({.is_object = true});
}

bool Reader::Number(double value) {
  const std::string_view key = KeyIn("inputs");
  if (key == "shape") {
    if (shape_.size() == kMostDims) return Fail("the shape of the input has too many numbers");
    shape_.push_back(value);
  } else if (key == "data") {
    if (!(value >= 0 && value <= 255) || value != std::floor(value)) {
      return Fail(
          "the data of the input hold a number that is no byte: pixels are whole numbers "
          "from 0 to 255");
    }
    // A number takes a digit and a comma at least.
    if (request_.pixels.empty()) request_.pixels.reserve(body_bytes_ / 2);
    request_.pixels.push_back(static_cast<std::uint8_t>(value));
  }
  return true;
}

bool Reader::String(const char* text, rapidjson::SizeType length, bool) {
  const std::string_view value(text, length);
  const std::string_view input = KeyIn("inputs");
  if (levels_.size() == 1 && levels_[0].key == "id") {
    if (length > kMostNameBytes) return Fail("the id is longer than 256 bytes");
    request_.id = value;
  } else if (input == "datatype") {
    datatype_ = value.substr(0, kMostNameBytes);
  } else if (input == "name") {
    if (value != "image") return Fail("the model has one input, `image`");
  } else if (input == "data") {
    if (request_.files.size() == kMostInferPictures)
      return Fail("a request may have 1000 pictures");
    request_.files.push_back(FileOf({const_cast<char*>(text), length}));  // it is in the body
  } else if (KeyIn("outputs") == "name") {
    if (request_.outputs.size() == kMostOutputs) return Fail("too many outputs are asked for");
    request_.outputs.emplace_back(value.substr(0, kMostNameBytes));
  }
  return true;
}

void Reader::CheckPixels() {
  const bool is_shape =
      shape_.size() == 4 && shape_[3] == 3 && std::ranges::all_of(shape_, [](double size) {
        return size >= 1 && size <= 1 << 20 && size == std::floor(size);
      });
  if (!is_shape) Refuse("the shape of UINT8 is [pictures, height, width, 3]");
  const double values = shape_[0] * shape_[1] * shape_[2] * shape_[3];
  if (values != static_cast<double>(request_.pixels.size())) {
    Refuse("the shape of the input says so many values and its data are others: " +
           std::to_string(request_.pixels.size()) + " came");
  }
  if (shape_[0] > kMostInferPictures) Refuse("a request may have 1000 pictures");
  request_.count = static_cast<std::size_t>(shape_[0]);
  request_.height = static_cast<int>(shape_[1]);
  request_.width = static_cast<int>(shape_[2]);
}

InferRequest Reader::Take() {
  if (inputs_ == 0) Refuse("the request has no input: give `inputs` with one, `image`");
  if (datatype_ == "UINT8") {
    CheckPixels();
    request_.files.clear();
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

InferRequest ReadInferRequest(std::span<char> body) {
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag;
  Reader reader(body.size());
  rapidjson::InsituStringStream text(body.data());
  rapidjson::Reader parser;
  const rapidjson::ParseResult result = parser.Parse<kFlags>(text, reader);
  if (!result) {
    Refuse(!reader.why().empty()
               ? reader.why()
               : "the body is no JSON at byte " + std::to_string(result.Offset()) + ": " +
                     rapidjson::GetParseError_En(result.Code()));
  }
  if (text.Tell() != body.size()) Refuse("the body is no JSON: it has a byte that is 0");
  return reader.Take();
}

}  // namespace weir
