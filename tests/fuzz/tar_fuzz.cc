// A tar shard and its index; compressed ones begin with gzip's magic number.
#include <archive.h>

#include "stages/sources/shards/shard_index.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"
#include "tests/stages/sources/shards/tar_member.h"
#include "tests/stages/sources/shards/tar_shards.h"
#include "tests/support/file_text.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const ScratchFolder folder;
  const std::string jpeg = "\xff\xd8\xff\xe0 no picture, but it begins as one";
  const Members members = {{"a/1.jpg", jpeg},
                           {"a/1.cls", "0"},
                           {"a/2.jpg", jpeg},
                           {"a/2.json", "{\"class\": \"ants\", \"size\": [1]}"},
                           {"b/", ""}};
  std::vector<std::string> seeds;
  for (const int format :
       {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FORMAT_TAR_GNUTAR}) {
    for (const bool compressed : {false, true}) {
      WriteTar(folder / "a.tar", members, format, compressed);
      seeds.push_back(FileText(folder / "a.tar"));
    }
  }
  const std::string end(1024, '\0');
  seeds.push_back(TarMember("pax", 'x', "23 path=a/longer/4.jpg\n") + TarMember("4", '0', jpeg) +
                  end);
  seeds.push_back(TarMember("long", 'L', std::string(300, 'n')) + TarMember("5", '0', "1") + end);
  seeds.push_back(TarMember("sparse", 'S', "") + TarMember("6.cls", '0', "1") + end);
  return seeds;
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile memory("a.tar");
  ShardIndex index;
  index.AddShard(memory.With(bytes).string(), {},
                 [](const ShardIndex::Notes&, const std::string&) {});
  for (std::uint64_t i = 0; i < index.size(); ++i) {
    index.name(i);
    index.part(i);
  }
}

}  // namespace weir
