#include "stages/sources/shards/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr std::size_t kReadAtOnce = 8 << 10;
// A file's header, with the names and records that stand before it (libarchive takes 1 MiB of each)
// and the map of a sparse file, in bytes.
constexpr std::uint64_t kMostHeaderBytes = std::uint64_t{2} << 20;
constexpr std::uint64_t kBlock = 512;
constexpr const char* kCopyAnew = "Copy the shard anew.";

}  // namespace

void TarReader::Free::operator()(archive* opened) const { archive_read_free(opened); }

TarReader::TarReader(std::unique_ptr<TarInput> input)
    : input_(std::move(input)), path_(input_->name()), archive_(archive_read_new()) {
  if (!archive_) throw std::bad_alloc();
  archive_read_support_format_tar(archive_.get());
  archive_read_set_format_option(archive_.get(), "tar", "read_concatenated_archives", "1");
  bytes_ = std::make_unique<TarBytes>(*input_);
  bytes_->Allow(kMostHeaderBytes);
  Check(bytes_->Open(archive_.get()));
}

TarReader::~TarReader() = default;

bool TarReader::Next() {
  bytes_->Allow(~std::uint64_t{0});
  if (entry_) Check(archive_read_data_skip(archive_.get()));
  bytes_->Allow(kMostHeaderBytes);
  const int status = archive_read_next_header(archive_.get(), &entry_);
  if (!bytes_->problem().empty()) ThrowFailure();
  if (status == ARCHIVE_EOF) {
    CheckEnd();
    return false;
  }
  Check(status);
  bytes_->Allow(~std::uint64_t{0});  // no limit for its content
  const char* name = archive_entry_pathname(entry_);
  if (!name) name = archive_entry_pathname_utf8(entry_);  // what the locale has no letters for
  name_ = name ? name : "";
  // Up to here all bytes of a plain file were headers, and what was passed over.
  begin_ = static_cast<std::uint64_t>(archive_filter_bytes(archive_.get(), 0));
  end_ = begin_ + (is_file() ? (size() + kBlock - 1) / kBlock * kBlock : 0);
  if (name_.size() >= PATH_MAX) {
    name_.resize(40);
    Refuse("... has too long a name", "Give it another one.");
  }
  const auto file_size = static_cast<std::uint64_t>(stamp().bytes);
  if (is_file() && !is_compressed() && (begin_ > file_size || size() > file_size - begin_)) {
    Refuse("is cut off", kCopyAnew);
  }
  return true;
}

void TarReader::CheckEnd() {
  const auto read = static_cast<std::uint64_t>(archive_filter_bytes(archive_.get(), 0));
  if (read >= end_ + kBlock) return;
  throw Error(ErrorKind::kData,
              path_ + " is cut off: the zeros that a tar file ends in are missing", kCopyAnew);
}

void TarReader::CheckUnchanged() const {
  if (input_->Close()) return;
  throw Error(ErrorKind::kData, path_ + " was changed while its files were listed",
              "Begin again when it is whole.");
}

bool TarReader::is_file() const {
  return archive_entry_filetype(entry_) == AE_IFREG && !archive_entry_hardlink(entry_) &&
         archive_entry_sparse_count(entry_) == 0;
}

std::uint64_t TarReader::size() const {
  return static_cast<std::uint64_t>(archive_entry_size(entry_));
}

bool TarReader::is_compressed() const { return bytes_->is_compressed(); }

std::string TarReader::ReadFirst(std::size_t bytes) {
  std::string first(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const la_ssize_t more = archive_read_data(archive_.get(), first.data() + got, bytes - got);
    if (more < 0) ThrowFailure();
    if (more == 0) break;
    got += static_cast<std::size_t>(more);
  }
  first.resize(got);
  return first;
}

void TarReader::Read(const std::function<void(std::string_view)>& take) {
  std::array<char, kReadAtOnce> piece;
  while (true) {
    const la_ssize_t got = archive_read_data(archive_.get(), piece.data(), piece.size());
    if (got < 0) ThrowFailure();
    if (got == 0) return;
    take({piece.data(), static_cast<std::size_t>(got)});
  }
}

std::string TarReader::ReadText(std::size_t most_bytes) {
  if (size() > most_bytes) Refuse("is too long for what it is", "Is it another kind of file?");
  std::string text;
  Read([&](std::string_view piece) { text += piece; });
  return text;
}

void TarReader::Refuse(const std::string& why, const std::string& remedy) const {
  throw Error(ErrorKind::kData, path_ + ": " + Printable(name_) + " " + why, remedy);
}

void TarReader::Check(int status) const {
  if (status < ARCHIVE_WARN) ThrowFailure();
}

void TarReader::ThrowFailure() const {
  bytes_->RethrowFailure();
  if (archive_errno(archive_.get()) == ENOMEM) throw std::bad_alloc();
  const std::string& problem = bytes_->problem();
  const char* const what = problem.empty() ? archive_error_string(archive_.get()) : problem.c_str();
  throw Error(ErrorKind::kData,
              path_ + " cannot be read as a tar file: " + (what ? what : "libarchive failed"),
              "Copy the shard anew, or leave it out.");
}

}  // namespace weir
