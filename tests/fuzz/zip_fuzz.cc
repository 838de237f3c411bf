// The directory of a zip file, and the checksums of what is in it.
#include <span>

#include "stages/model/weights/containers/zip_directory.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/pth_bytes.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const std::vector<std::pair<std::string, std::string>> entries = {
      {"archive/data.pkl", "}."}, {"archive/data/0", "12345678"}, {"archive/version", "3\n"}};
  return {ZipBytes(entries), ZipBytes(entries, {.zip64 = true}), ZipBytes({{"a", ""}, {"a", ""}}),
          ZipBytes(entries, {.method = 8}), ZipBytes({})};
}

void FuzzRead(std::string_view bytes) {
  const auto file = std::as_bytes(std::span(bytes));
  if (!ZipDirectory::LooksLikeZip(file)) return;
  const ZipDirectory directory(file, "a.zip");
  for (const auto& [name, entry] : directory.entries()) entry.Intact();
}

}  // namespace weir
