// What is kept of a tar file on a server; begins with gzip's magic number.
#include <array>

#include "stages/sources/shards/tar_outline.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const ScratchFolder folder;
  const std::string some(700, 'x');
  TarOutlineWriter writer(folder / "a.outline");
  for (const std::uint64_t begin : {0, 700, 5000}) {
    writer.Add(begin, std::as_bytes(std::span(some)));
  }
  writer.Commit();
  return {FileText(folder / "a.outline")};
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile memory("a.outline");
  std::optional<TarOutlineReader> reader = TarOutlineReader::Open(memory.With(bytes));
  if (!reader) return;
  std::array<unsigned char, 512> to;
  for (std::uint64_t position = 0; position < 8192; position += 512) reader->Read(position, to);
}

}  // namespace weir
