#include "framework/plugin/plugin.h"

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "framework/flow/crash_notice.h"
#include "framework/input_file.h"
#include "framework/plugin/build_id.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEntry = "weir_plugin_register";
constexpr const char* kBuildIt =
    "Build it with weir_add_plugin() of find_package(weir); `weir new-plugin` writes an example.";
constexpr std::uint64_t kLargestNotes = 1 << 20;

#if __SIZEOF_POINTER__ == 8
using Header = Elf64_Ehdr;
using Segment = Elf64_Phdr;
constexpr unsigned char kClass = ELFCLASS64;
#else
using Header = Elf32_Ehdr;
using Segment = Elf32_Phdr;
constexpr unsigned char kClass = ELFCLASS32;
#endif

[[noreturn]] void Refuse(const fs::path& path, const std::string& what, const std::string& remedy) {
  throw Error(ErrorKind::kConfig, "plugin '" + path.string() + "' " + what, remedy);
}

std::string LastError() {
  return dlerror();  // NOLINT(concurrency-mt-unsafe): each thread has its own
}

bool ReadAt(InputFile& file, std::uint64_t offset, void* to, std::size_t bytes) {
  return file.ReadAt(offset, to, bytes) == bytes;
}

constexpr std::size_t Padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

// The text of weir's note among `notes`.
std::optional<std::string> FindNote(const std::string& notes) {
  using std::string_view_literals::operator""sv;
  constexpr std::string_view kName = "weir\0"sv;  // its end is part of it
  std::size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr note;  // the same in both classes
    std::memcpy(&note, notes.data() + at, sizeof note);
    const std::size_t name = at + sizeof note;
    if (note.n_namesz > notes.size() || note.n_descsz > notes.size()) break;
    const std::size_t text = name + Padded(note.n_namesz);
    if (text + note.n_descsz > notes.size()) break;
    if (std::string_view(notes).substr(name, note.n_namesz) == kName) {
      return std::string(notes.data() + text, strnlen(notes.data() + text, note.n_descsz));
    }
    at = text + Padded(note.n_descsz);
  }
  return std::nullopt;
}

// What `work` throws, as an error of the plugin's.
template <class Work>
auto Blaming(const fs::path& path, const std::string& when, const Work& work) {
  const std::string who = "plugin '" + path.string() + "' ";
  const CrashNotice notice(who + "crashed while " + when,
                           "Take it out of `plugins`, or see to it in a debugger.");
  try {
    return work();
  } catch (const Error& error) {
    throw Error(error.kind(), who + "failed while " + when + ": " + error.what(), error.remedy());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kConfig, who + "threw while " + when + ": " + error.what());
  } catch (...) {
    throw Error(ErrorKind::kConfig, who + "threw what is no exception while " + when);
  }
}

// What a stage of a plugin is made with, so that its faults are the plugin's.
StageSpec Watched(StageSpec spec, const fs::path& path) {
  const auto made = [path, when = "it made the stage " + spec.name](const auto& make) {
    PlacedStage placed = Blaming(path, when, make);
    placed.plugin = path.string();
    return placed;
  };
  spec.plugin = path.string();
  spec.make = [made, make = std::move(spec.make)](const YamlNode& params, BuildContext& context) {
    return made([&] { return make(params, context); });
  };
  if (!spec.reads) return spec;
  spec.reads->fit = [path, when = "it was asked which data " + spec.name + " reads",
                     fit = std::move(spec.reads->fit)](const fs::path& data) {
    return Blaming(path, when, [&] { return fit(data); });
  };
  spec.reads->make = [made, make = std::move(spec.reads->make)](
                         const YamlNode& params, std::vector<fs::path> data,
                         const std::vector<std::string>& classes, BuildContext& context) {
    return made([&] { return make(params, std::move(data), classes, context); });
  };
  return spec;
}

}  // namespace

std::string BuildId() { return WEIR_BUILD_ID; }

std::string ReadBuildId(const fs::path& path) {
  InputFile file(path);
  if (!file.problem().empty()) {
    Refuse(path, file.problem(),
           "A relative path is relative to the folder of the file that it is written in; --set "
           "plugins=[FILE] gives another one.");
  }
  Header header;
  if (!ReadAt(file, 0, &header, sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    Refuse(path, "is no shared object", kBuildIt);
  }
  if (header.e_ident[EI_CLASS] != kClass || header.e_type != ET_DYN ||
      header.e_phentsize != sizeof(Segment)) {
    Refuse(path, "is no shared object for this machine", kBuildIt);
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Segment segment;
    if (!ReadAt(file, header.e_phoff + i * sizeof segment, &segment, sizeof segment)) break;
    if (segment.p_type != PT_NOTE || segment.p_filesz > kLargestNotes) continue;
    std::string notes(segment.p_filesz, '\0');
    if (!ReadAt(file, segment.p_offset, notes.data(), notes.size())) continue;
    if (const auto id = FindNote(notes)) return *id;
  }
  Refuse(path, "is a shared object, but no plugin of weir's: it has no build id", kBuildIt);
}

void LoadPlugin(const fs::path& path, Registry& registry) {
  const std::string id = ReadBuildId(path);
  if (id != BuildId()) {
    Refuse(path, "was built against another weir: " + id + "; this is " + BuildId(),
           "Build it anew against the weir that is to load it.");
  }
  Registry brought;
  Blaming(path, "it was loaded", [&] {
    // The path is absolute, since dlopen looks elsewhere for one without a slash.
    void* object = dlopen(fs::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (object == nullptr)
      throw Error(ErrorKind::kConfig, LastError(), "See what it is linked to.");
    void* entry = dlsym(object, kEntry);
    if (entry == nullptr) throw Error(ErrorKind::kConfig, LastError(), kBuildIt);
    reinterpret_cast<void (*)(Registry&)>(entry)(brought);
  });
  for (const std::string& name : brought.names()) {
    if (const StageSpec* taken = registry.Find(name)) {
      Refuse(path,
             "brings a stage `" + name + "`, which " +
                 (taken->plugin.empty() ? "weir has itself"
                                        : "'" + taken->plugin + "' brings as well"),
             "Rename it: kName of the stage is its name in the YAML.");
    }
  }
  for (const std::string& name : brought.names()) {
    registry.Add(Watched(*brought.Find(name), path));
  }
}

std::vector<fs::path> FindPlugins(const std::string& search_path) {
  std::vector<fs::path> found;
  for (std::size_t begin = 0; begin < search_path.size();) {
    const std::size_t end = std::min(search_path.find(':', begin), search_path.size());
    std::error_code absent;
    const std::string folder = search_path.substr(begin, end - begin);
    for (const auto& entry : fs::directory_iterator(folder, absent)) {
      if (entry.path().extension() == ".so") found.push_back(entry.path());
    }
    begin = end + 1;
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace weir
