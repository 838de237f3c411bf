#include "stages/files/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <new>

#include "framework/error.h"

namespace weir {

void TarWriter::Free::operator()(struct archive* archive) const { archive_write_free(archive); }

TarWriter::TarWriter(AtomicFile& file) : file_(file), archive_(archive_write_new()) {
  if (!archive_) throw std::bad_alloc();
  Check(archive_write_set_format_ustar(archive_.get()));
  archive_write_set_bytes_per_block(archive_.get(), 0);  // each piece is given on at once
  Check(archive_write_open2(archive_.get(), this, nullptr, &WriteBytes, nullptr, nullptr));
}

TarWriter::~TarWriter() { is_ended_ = true; }

void TarWriter::Add(const std::string& name, std::string_view content) {
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            archive_entry_free);
  if (!entry) throw std::bad_alloc();
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), 0, 0);
  Check(archive_write_header(archive_.get(), entry.get()));
  if (archive_write_data(archive_.get(), content.data(), content.size()) < 0) Check(ARCHIVE_FATAL);
}

void TarWriter::Close() { Check(archive_write_close(archive_.get())); }

// Called by libarchive; no exception goes through it.
std::ptrdiff_t TarWriter::WriteBytes(struct archive*, void* self, const void* bytes,
                                     std::size_t size) {
  auto& writer = *static_cast<TarWriter*>(self);
  if (writer.error_ || writer.is_ended_) return -1;
  try {
    writer.file_.Write({static_cast<const std::byte*>(bytes), size});
  } catch (...) {
    writer.error_ = std::current_exception();
    return -1;
  }
  writer.bytes_ += size;
  return static_cast<std::ptrdiff_t>(size);
}

void TarWriter::Check(int status) const {
  if (error_) std::rethrow_exception(error_);
  if (status >= ARCHIVE_WARN) return;
  if (archive_errno(archive_.get()) == ENOMEM) throw std::bad_alloc();
  const char* const what = archive_error_string(archive_.get());
  throw Error(ErrorKind::kData,
              file_.path().string() + " cannot be written: " + (what ? what : "libarchive failed"),
              "See what is wrong with that place, or write to another.");
}

}  // namespace weir
