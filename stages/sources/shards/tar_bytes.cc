#include "stages/sources/shards/tar_bytes.h"

#include <archive.h>
#include <zlib.h>

#include <new>
#include <utility>

namespace weir {
namespace {

// RFC 1952, section 2.3.1: how a member begins.
constexpr unsigned char kFirst = 0x1f, kSecond = 0x8b;
constexpr int kGzip = 16 + MAX_WBITS;  // zlib.h: a gzip header and trailer, checked

}  // namespace

void TarBytes::EndInflating::operator()(z_stream_s* stream) const {
  ::inflateEnd(stream);
  delete stream;
}

TarBytes::TarBytes(TarInput& input) : input_(input) {
  const std::array<unsigned char, 2> magic = input.FirstTwo();
  if (magic[0] != kFirst || magic[1] != kSecond) return;
  auto inflater = std::make_unique<z_stream_s>();
  if (::inflateInit2(inflater.get(), kGzip) != Z_OK) throw std::bad_alloc();
  inflater_.reset(inflater.release());
}

int TarBytes::Open(archive* reader) {
  const auto read = [](archive*, void* self, const void** begin) -> la_ssize_t {
    return static_cast<TarBytes*>(self)->Read(begin);
  };
  const auto skip = [](archive*, void* self, la_int64_t bytes) -> la_int64_t {
    return static_cast<TarBytes*>(self)->Skip(bytes);
  };
  return archive_read_open2(reader, this, nullptr, read, skip, nullptr);
}

std::ptrdiff_t TarBytes::Fail(std::string problem) {
  problem_ = std::move(problem);
  return -1;
}

std::ptrdiff_t TarBytes::Read(const void** begin) {
  const std::ptrdiff_t got = inflater_ ? Inflate() : ReadFile();
  *begin = inflater_ ? unpacked_.data() : read_.data();
  if (got <= 0) return got;
  if (static_cast<std::uint64_t>(got) > allowed_) {
    return Fail("the header of a file, or its map, is too long");
  }
  allowed_ -= static_cast<std::uint64_t>(got);
  return got;
}

std::ptrdiff_t TarBytes::ReadFile() {
  try {
    return static_cast<std::ptrdiff_t>(input_.Read(read_));
  } catch (const std::exception& error) {
    failure_ = std::current_exception();
    return Fail(error.what());
  }
}

bool TarBytes::Refill() {
  if (inflater_->avail_in > 0) return true;
  const std::ptrdiff_t got = ReadFile();
  if (got < 0) return false;
  inflater_->next_in = read_.data();
  inflater_->avail_in = static_cast<unsigned>(got);
  return true;
}

// gzip files one behind the other are one file, as gunzip has it; what else follows is passed over.
std::ptrdiff_t TarBytes::Inflate() {
  inflater_->next_out = unpacked_.data();
  inflater_->avail_out = unpacked_.size();
  while (!is_ended_ && inflater_->avail_out == unpacked_.size()) {
    if (!Refill()) return -1;
    if (inflater_->avail_in == 0) return Fail("truncated gzip input");
    const int status = ::inflate(inflater_.get(), Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      if (!Refill()) return -1;
      is_ended_ = inflater_->avail_in == 0 || *inflater_->next_in != kFirst;
      if (!is_ended_) ::inflateReset(inflater_.get());
    } else if (status != Z_OK) {
      return Fail("damaged gzip input");
    }
  }
  return static_cast<std::ptrdiff_t>(unpacked_.size() - inflater_->avail_out);
}

// What is not compressed is passed over without a look at it.
std::int64_t TarBytes::Skip(std::int64_t bytes) {
  if (inflater_ || bytes < 0 || !input_.Skip(static_cast<std::uint64_t>(bytes))) return 0;
  return bytes;
}

}  // namespace weir
