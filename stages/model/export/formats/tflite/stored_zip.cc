#include "stages/model/export/formats/tflite/stored_zip.h"

#include "stages/files/zip_records.h"

namespace weir {

std::string StoredZip(std::uint64_t at, const std::string& name, std::string_view contents) {
  const zip::Entry entry = {
      .name = name, .bytes = contents.size(), .checksum = zip::Checksum(0, contents), .offset = at};
  const std::string before = zip::LocalHeader(entry).append(contents);
  return before + zip::Directory({&entry, 1}, at + before.size());
}

}  // namespace weir
