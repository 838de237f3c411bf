#include "pipelines/serve/multipart.h"

#include <strings.h>

#include <algorithm>
#include <optional>
#include <string>

#include "pipelines/serve/http.h"

namespace weir {
namespace {

constexpr std::string_view kForm = "multipart/form-data";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMostPartHeadBytes = 4096;

[[noreturn]] void Refuse(const char* what) {
  throw HttpRefusal{400, std::string("the form ") + what};
}

bool BeginsWith(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && strncasecmp(text.data(), with.data(), with.size()) == 0;
}

// The value of `; name=value` or `; name="value"`, behind the first part of a header.
std::optional<std::string_view> Parameter(std::string_view header, std::string_view name) {
  std::size_t at = 0;
  while ((at = header.find(';', at)) != std::string_view::npos) {
    at = header.find_first_not_of("; \t", at);
    if (at == std::string_view::npos) return std::nullopt;
    const bool is_it =
        BeginsWith(header.substr(at), name) && header.substr(at + name.size()).starts_with('=');
    const std::size_t equals = header.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    std::size_t begin = equals + 1, end = begin;
    if (header.substr(begin).starts_with('"')) {
      for (end = ++begin; end < header.size() && header[end] != '"'; ++end) {
        if (header[end] == '\\' && end + 1 < header.size()) ++end;
      }
      at = end;
    } else {
      at = std::min(header.find(';', begin), header.size());
      for (end = at; end > begin && (header[end - 1] == ' ' || header[end - 1] == '\t');) --end;
    }
    if (is_it) return header.substr(begin, end - begin);
  }
  return std::nullopt;
}

// The value of the header Content-Disposition among the lines of a part's head.
std::string_view DispositionOf(std::string_view head) {
  constexpr std::string_view kName = "Content-Disposition:";
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find(kLineEnd));
    if (BeginsWith(line, kName)) return line.substr(kName.size());
    head.remove_prefix(std::min(head.size(), line.size() + kLineEnd.size()));
  }
  return {};
}

}  // namespace

bool IsForm(std::string_view content_type) { return BeginsWith(content_type, kForm); }

std::vector<FormFile> FilesOfForm(std::string_view content_type, std::string_view body) {
  const std::optional<std::string_view> boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) Refuse("has no boundary");
  const std::string delimiter = "\r\n--" + std::string(*boundary);
  // The first delimiter may stand at the beginning.
  std::size_t at =
      body.starts_with(delimiter.substr(2)) ? delimiter.size() - 2 : body.find(delimiter);
  if (at == std::string_view::npos) Refuse("does not have its boundary");
  if (!body.starts_with(delimiter.substr(2))) at += delimiter.size();
  std::vector<FormFile> files;
  for (int parts = 0;; ++parts) {
    std::string_view rest = body.substr(at);
    if (rest.starts_with("--")) return files;
    if (parts == kMostFormParts) Refuse("has more than 1000 parts");
    const std::size_t line_end = rest.find_first_not_of(" \t");
    if (line_end == std::string_view::npos || !rest.substr(line_end).starts_with(kLineEnd)) {
      Refuse("has a boundary with something behind it");
    }
    at += line_end + kLineEnd.size();
    rest = body.substr(at);
    // A head without a line is the blank line alone.
    const std::size_t head =
        rest.starts_with(kLineEnd) ? 0 : rest.substr(0, kMostPartHeadBytes).find("\r\n\r\n");
    if (head == std::string_view::npos) Refuse("has a part without a head");
    const std::string_view content = rest.substr(head + (head == 0 ? 2 : 4));
    const std::size_t size = content.find(delimiter);
    if (size == std::string_view::npos) Refuse("ends within a part");
    const std::string_view disposition = DispositionOf(rest.substr(0, head));
    const std::optional<std::string_view> name = Parameter(disposition, "filename");
    if (name) files.push_back({*name, content.substr(0, size)});
    at = static_cast<std::size_t>(content.data() - body.data()) + size + delimiter.size();
  }
}

}  // namespace weir
