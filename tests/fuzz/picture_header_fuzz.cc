// A look at a file of any kind: what it is, how large, which way up.
#include "stages/decode/formats.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/picture_seeds.h"
#include "tests/stages/decode/picture_chunks.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> files =
      WrittenPictures({"a.jpg", "b.png", "c.gif", "d.webp", "e.tif", "f.tif[bigtiff]", "g.ppm"});
  for (const std::string& other :
       {std::string("\0\0\0\x1c", 4) + "ftypheic", std::string("\0\0\0\x20", 4) + "ftypavif",
        std::string("8BPS\0\1", 6), std::string("%PDF-1.7"), std::string("<svg xmlns="),
        std::string("\x76\x2f\x31\x01"), std::string("qoif"), std::string("\xff\x0a")}) {
    files.push_back(other + std::string(20, '\0'));
  }
  const std::string exif = "Exif" + std::string(2, '\0') + ExifBlock(6);
  files.push_back(files[0].substr(0, 2) + "\xff\xe1" + BigBytes(exif.size() + 2, 2) + exif +
                  files[0].substr(2));
  return files;
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile memory("picture");
  FilePart part;
  part.path = memory.With(bytes).string();
  Outcome<FileBytes> file = FileBytes::Open(part);
  if (FileBytes* opened = std::get_if<FileBytes>(&file)) ReadImageHeader(*opened);
}

}  // namespace weir
