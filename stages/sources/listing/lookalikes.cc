#include "stages/sources/listing/lookalikes.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "framework/config/suggestion.h"

namespace weir {
namespace {

constexpr std::size_t kNotes = 5;

bool IsAscii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool IsUtf8(std::string_view text) {
  return text.empty() ||
         g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) != FALSE;
}

std::string Taken(char* made) {
  const std::unique_ptr<char, decltype(&g_free)> owner(made, g_free);
  return made ? made : "";
}

// Calls visit(character, its bytes) for each of a UTF-8 text.
template <class Visit>
void ForEachCharacter(std::string_view text, Visit visit) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end;) {
    const char* const next = g_utf8_next_char(at);
    visit(g_utf8_get_char(at), std::string_view(at, static_cast<std::size_t>(next - at)));
    at = next;
  }
}

bool IsBlank(gunichar c) { return g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR; }

// Whether nothing is drawn for it: the zero-width characters, marks of direction, byte order marks,
// control characters.
bool IsInvisible(gunichar c) {
  switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return true;
    default:
      return false;
  }
}

std::string WithoutInvisible(std::string_view name) {
  std::string seen;
  ForEachCharacter(name, [&](gunichar c, std::string_view bytes) {
    if (!IsInvisible(c)) seen += bytes;
  });
  return seen;
}

// One blank in place of several, of whatever kind, and none at the ends.
std::string WithPlainBlanks(std::string_view name) {
  std::string plain;
  bool is_blank_due = false;
  ForEachCharacter(name, [&](gunichar c, std::string_view bytes) {
    if (IsBlank(c)) {
      is_blank_due = !plain.empty();
      return;
    }
    if (std::exchange(is_blank_due, false)) plain += ' ';
    plain += bytes;
  });
  return plain;
}

std::string Folded(std::string_view name) {
  return Taken(g_utf8_casefold(name.data(), static_cast<gssize>(name.size())));
}

// The parts between the signs, without blanks around them.
std::vector<std::string> PartsOf(std::string_view name, char sign) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find(sign, begin), name.size());
    std::string_view part = name.substr(begin, end - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    begin = end + 1;
  }
  return parts;
}

// The first few of many, and how many more there are.
class Notes {
 public:
  template <class Make>
  void Add(Make make) {
    if (++count_ <= kNotes) notes_.push_back(make());
  }
  std::vector<std::string> Take(const std::string& what) {
    if (count_ > kNotes) notes_.push_back(std::to_string(count_ - kNotes) + " more " + what);
    return std::move(notes_);
  }

 private:
  std::size_t count_ = 0;
  std::vector<std::string> notes_;
};

std::string Escape(gunichar c) {
  std::array<char, 16> text;
  std::snprintf(text.data(), text.size(), c > 0xFFFF ? "\\U%08x" : "\\u%04x",
                static_cast<unsigned>(c));
  return text.data();
}

std::string EscapeByte(char byte) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned char>(byte));
  return text.data();
}

}  // namespace

std::string Composed(std::string_view name) {
  if (IsAscii(name) || !IsUtf8(name)) return std::string(name);
  return Taken(g_utf8_normalize(name.data(), static_cast<gssize>(name.size()), G_NORMALIZE_NFC));
}

bool IsText(std::string_view name) {
  return IsUtf8(name) && std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
         });
}

std::string Shown(std::string_view name) {
  std::string shown = "'";
  if (!IsUtf8(name)) {
    for (const char c : name) shown += c >= ' ' && c < 0x7f ? std::string(1, c) : EscapeByte(c);
    return shown + "'";
  }
  std::size_t at = 0;
  ForEachCharacter(name, [&](gunichar c, std::string_view bytes) {
    const bool is_at_end = at == 0 || at + bytes.size() == name.size();
    const bool is_hidden = IsInvisible(c) || (IsBlank(c) && (c != ' ' || is_at_end));
    shown += is_hidden ? Escape(c) : std::string(bytes);
    at += bytes.size();
  });
  return shown + "'";
}

std::string ShownList(std::span<const std::string> names, std::size_t most) {
  std::vector<std::string> shown;
  for (const std::string& name : names.first(std::min(names.size(), most))) {
    shown.push_back(Shown(name));
  }
  if (names.size() > most) shown.push_back(std::to_string(names.size() - most) + " more");
  return Enumerate(shown);
}

std::string Skeleton(std::string_view name) {
  if (!IsUtf8(name)) return std::string(name);
  return Composed(Folded(WithPlainBlanks(WithoutInvisible(Composed(name)))));
}

std::string_view DifferenceOf(std::string_view one, std::string_view other) {
  const std::string a = Composed(one), b = Composed(other);
  if (a == b || !IsUtf8(a) || !IsUtf8(b) || Skeleton(a) != Skeleton(b)) return "";
  if (Composed(Folded(a)) == Composed(Folded(b))) return "in case alone";
  const std::string seen_a = WithoutInvisible(a), seen_b = WithoutInvisible(b);
  if (seen_a == seen_b) return "in a character that cannot be seen";
  if (WithPlainBlanks(seen_a) == WithPlainBlanks(seen_b)) return "in blanks alone";
  return "in case, and in what cannot be seen";
}

std::optional<std::string> MeantClass(std::string_view name, std::span<const std::string> known) {
  const std::string skeleton = Skeleton(name);
  const auto alike = std::find_if(known.begin(), known.end(), [&](const std::string& other) {
    return Skeleton(other) == skeleton;
  });
  return alike != known.end() ? std::optional(*alike) : Suggest(name, known);
}

std::string RemedyForClass(std::string_view name, std::span<const std::string> known) {
  const std::optional<std::string> meant = MeantClass(name, known);
  if (!meant) return "";
  const std::string_view difference = DifferenceOf(name, *meant);
  return "Did you mean " + Shown(*meant) + "?" +
         (difference.empty() ? "" : " The names differ " + std::string(difference) + ".");
}

std::vector<std::string> NotesOnLookalikes(std::span<const std::string> classes) {
  std::map<std::string, const std::string*> first_of;
  Notes notes;
  for (const std::string& name : classes) {
    const auto [entry, is_new] = first_of.emplace(Skeleton(name), &name);
    if (is_new) continue;
    const std::string& first = *entry->second;
    notes.Add([&] {
      return "the classes " + Shown(first) + " and " + Shown(name) + " differ " +
             std::string(DifferenceOf(first, name));
    });
  }
  return notes.Take("classes look like others");
}

std::vector<std::string> NotesOnJoinedClasses(std::span<const std::string> classes) {
  const std::set<std::string_view> known(classes.begin(), classes.end());
  Notes notes;
  for (const std::string& name : classes) {
    for (const char sign : {';', ',', '|'}) {
      const std::vector<std::string> parts = PartsOf(name, sign);
      const bool are_classes =
          parts.size() > 1 && std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
            return known.contains(part);
          });
      if (!are_classes) continue;
      notes.Add([&] {
        return Shown(name) + " is one class, beside " + ShownList(parts) +
               ": a picture has one label";
      });
      break;
    }
  }
  return notes.Take("classes are others joined");
}

}  // namespace weir
