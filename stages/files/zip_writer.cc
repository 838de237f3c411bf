#include "stages/files/zip_writer.h"

#include "framework/error.h"

namespace weir {

void ZipWriter::Add(const std::string& name, std::string_view content) {
  Begin(name, content.size());
  Write(std::as_bytes(std::span(content)));
}

void ZipWriter::Begin(const std::string& name, std::uint64_t bytes) {
  EndEntry();
  entries_.push_back({.name = name, .bytes = bytes, .offset = written_});
  missing_ = bytes;
  WriteText(zip::LocalHeader(entries_.back(), alignment_));
}

void ZipWriter::Write(std::span<const std::byte> piece) {
  if (piece.size() > missing_) {
    throw Error(ErrorKind::kInternal, entries_.back().name + " has more bytes than was said");
  }
  const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
  entries_.back().checksum = zip::Checksum(entries_.back().checksum, text);
  missing_ -= piece.size();
  WriteText(text);
}

void ZipWriter::Close() {
  EndEntry();
  WriteText(zip::Directory(entries_, written_));
}

void ZipWriter::WriteText(std::string_view text) {
  file_.Write(std::as_bytes(std::span(text)));
  written_ += text.size();
}

// The checksum is known now: it goes into the header before the contents.
void ZipWriter::EndEntry() {
  if (missing_ > 0) {
    throw Error(ErrorKind::kInternal, entries_.back().name + " has fewer bytes than was said");
  }
  if (entries_.empty() || entries_.back().bytes == 0) return;
  file_.WriteAt(entries_.back().offset + zip::kChecksumOffset,
                std::as_bytes(std::span(&entries_.back().checksum, 1)));
}

}  // namespace weir
