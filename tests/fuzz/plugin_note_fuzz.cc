// The note in a plugin, which is read before any of its code runs.
#include <elf.h>

#include <cstring>

#include "framework/plugin/plugin.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"

namespace weir {
namespace {

template <class Struct>
std::string BytesOf(const Struct& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// A shared object of one segment, the note.
std::string SharedObject(const std::string& note) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_type = ET_DYN;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = note.size();
  return BytesOf(header) + BytesOf(segment) + note;
}

std::string Note(const std::string& name, const std::string& text) {
  const Elf64_Nhdr note{static_cast<Elf64_Word>(name.size()), static_cast<Elf64_Word>(text.size()),
                        1};
  const auto padded = [](std::string part) {
    return part + std::string((4 - part.size() % 4) % 4, '\0');
  };
  return BytesOf(note) + padded(name) + padded(text);
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  const std::string name("weir\0", 5);
  return {SharedObject(Note(name, BuildId())), SharedObject(Note("GNU", "1234") + Note(name, "x")),
          SharedObject(Note("GNU", "1234")), SharedObject("")};
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile memory("plugin.so");
  ReadBuildId(memory.With(bytes));
}

}  // namespace weir
