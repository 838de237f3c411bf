#include "stages/sources/shards/tar_outline.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace weir {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;  // zlib.h: a gzip header and trailer, with a checksum
constexpr std::size_t kMostOfARecord = 16 << 10;  // bytes

struct RecordHead {
  std::uint64_t begin;
  std::uint64_t size;
};

}  // namespace

TarOutlineWriter::TarOutlineWriter(const std::filesystem::path& path) : file_(path) {
  if (::deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

TarOutlineWriter::~TarOutlineWriter() { ::deflateEnd(&stream_); }

void TarOutlineWriter::Add(std::uint64_t begin, std::span<const std::byte> bytes) {
  if (begin != begin_ + record_.size() || record_.size() + bytes.size() > kMostOfARecord) {
    WriteRecord();
    begin_ = begin;
  }
  record_.insert(record_.end(), bytes.begin(), bytes.end());
}

void TarOutlineWriter::WriteRecord() {
  if (record_.empty()) return;
  const RecordHead head{begin_, record_.size()};
  Deflate(std::as_bytes(std::span(&head, 1)), Z_NO_FLUSH);
  Deflate(record_, Z_NO_FLUSH);
  record_.clear();
}

void TarOutlineWriter::Commit() {
  WriteRecord();
  const RecordHead end{0, 0};
  Deflate(std::as_bytes(std::span(&end, 1)), Z_FINISH);
  file_.Commit();
}

void TarOutlineWriter::Deflate(std::span<const std::byte> bytes, int flush) {
  std::array<std::byte, 8 << 10> packed;
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream_.avail_in = static_cast<uInt>(bytes.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_out = static_cast<uInt>(packed.size());
    ::deflate(&stream_, flush);
    file_.Write(std::span(packed).first(packed.size() - stream_.avail_out));
  } while (stream_.avail_out == 0);
}

std::optional<TarOutlineReader> TarOutlineReader::Open(const std::filesystem::path& path) {
  gzFile_s* const file = ::gzopen(path.c_str(), "rbe");
  if (!file) return std::nullopt;
  TarOutlineReader reader(file);
  return reader.IsWhole() ? std::optional(std::move(reader)) : std::nullopt;
}

// zlib compares the checksum at the end of the stream, so all is read once before any is used.
bool TarOutlineReader::IsWhole() {
  if (::gzdirect(file_.get())) return false;  // no gzip stream: it would be read as it is
  std::uint64_t end = 0;
  while (NextRecord()) {
    if (begin_ < end || begin_ + record_.size() < begin_) return false;
    end = begin_ + record_.size();
  }
  char behind;
  if (!is_over_ || ::gzread(file_.get(), &behind, 1) != 0) return false;
  is_over_ = false;
  begin_ = 0;
  return ::gzrewind(file_.get()) == 0;
}

// False at the end, where is_over_ tells whether it is where it should be.
bool TarOutlineReader::NextRecord() {
  RecordHead head;
  record_.clear();
  if (::gzread(file_.get(), &head, sizeof head) != static_cast<int>(sizeof head)) return false;
  is_over_ = head.size == 0;
  if (is_over_ || head.size > kMostOfARecord) return false;
  begin_ = head.begin;
  record_.resize(head.size);
  return ::gzread(file_.get(), record_.data(), static_cast<unsigned>(head.size)) ==
         static_cast<int>(head.size);
}

std::size_t TarOutlineReader::Read(std::uint64_t position, std::span<unsigned char> to) {
  while (!is_over_ && position >= begin_ + record_.size()) {
    if (!NextRecord()) is_over_ = true;
  }
  if (is_over_ || position < begin_) return 0;
  const auto skipped = static_cast<std::size_t>(position - begin_);
  const std::size_t count = std::min(to.size(), record_.size() - skipped);
  std::memcpy(to.data(), record_.data() + skipped, count);
  return count;
}

}  // namespace weir
