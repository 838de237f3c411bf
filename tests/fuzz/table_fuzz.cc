// A table of pictures. The first byte says which kind: CSV, TSV or JSON Lines.
#include "stages/sources/manifest_reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  return {"0path,size,label\na.jpg,3,wasps\n\"b, \"\"c.jpg\",4,ants\r\n",
          "0\xef\xbb\xbflabel,path\n\"a\nb\",c.jpg",
          "0path,label\nshort\n",
          "1label\tpath\r\nwasps\ta.jpg\r\nants\tb, c.jpg",
          "2{\"path\": \"a.jpg\", \"label\": \"w\", \"size\": [3]}\n\n{\"label\": 3, \"path\": "
          "\"b\"}\n",
          "2{\"path\": {\"path\": []}, \"label\": null}",
          "2[1, 2]\n"};
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile csv("t.csv"), tsv("t.tsv"), lines("t.jsonl");
  if (bytes.empty()) return;
  const MemoryFile& file = bytes[0] % 3 == '0' % 3 ? csv : bytes[0] % 3 == '1' % 3 ? tsv : lines;
  const auto reader = ManifestReader::Open(file.With(bytes.substr(1)), {"path", "label"});
  while (reader->Next()) reader->place();
}

}  // namespace weir
