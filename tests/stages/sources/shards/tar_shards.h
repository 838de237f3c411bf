// Tar shards that a test makes, by libarchive.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace weir {

using Members = std::vector<std::pair<std::string, std::string>>;  // names and contents

inline void WriteTar(const std::filesystem::path& path, const Members& members,
                     int format = ARCHIVE_FORMAT_TAR_USTAR, bool compressed = false) {
  struct archive* archive = archive_write_new();
  archive_write_set_format(archive, format);
  if (compressed) archive_write_add_filter_gzip(archive);
  ASSERT_EQ(archive_write_open_filename(archive, path.c_str()), ARCHIVE_OK);
  for (const auto& [name, content] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    ASSERT_EQ(archive_write_header(archive, entry), ARCHIVE_OK) << name;
    archive_write_data(archive, content.data(), content.size());
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_close(archive), ARCHIVE_OK);
  archive_write_free(archive);
}

}  // namespace weir
