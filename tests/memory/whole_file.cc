#include "tests/memory/whole_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/support/file_text.h"

namespace weir {
namespace {

using nlohmann::json;
using std::string_view_literals::operator""sv;

bool IsWholeLines(const std::string& text) {
  if (!text.empty() && text.back() != '\n') return false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!json::accept(line)) return false;
  }
  return true;
}

// Eight bytes of the header's length, the header, which says where each tensor ends, the tensors.
bool IsWholeSafetensors(std::string_view text) {
  std::uint64_t header_bytes = 0;
  if (text.size() < sizeof header_bytes) return false;
  std::memcpy(&header_bytes, text.data(), sizeof header_bytes);
  text.remove_prefix(sizeof header_bytes);
  if (header_bytes > text.size()) return false;
  const json header = json::parse(text.substr(0, header_bytes), nullptr, false);
  if (header.is_discarded()) return false;
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    end = std::max(end, tensor["data_offsets"][1].get<std::uint64_t>());
  }
  return text.size() == header_bytes + end;
}

bool IsWholeTar(const std::string& text) {
  return text.size() >= 1024 && text.find_first_not_of('\0', text.size() - 1024) == text.npos;
}

}  // namespace

bool IsWholeFile(const std::filesystem::path& path) {
  const std::string ending = path.extension().string(), text = FileText(path);
  if (ending == ".json") return json::accept(text);
  if (ending == ".jsonl") return IsWholeLines(text);
  if (ending == ".safetensors") return IsWholeSafetensors(text);
  if (ending == ".png") return text.ends_with("IEND\xAE\x42\x60\x82"sv);
  if (ending == ".tar") return IsWholeTar(text);
  return true;
}

}  // namespace weir
