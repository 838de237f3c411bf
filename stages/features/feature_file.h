// Features in a file, one record a sample and variant, to be used again by later runs.
//
//   FeatureFile file(folder / "4f0c....features", /*values=*/1280, "what all records depend on");
//   const FeatureRecord record = file.Append(key, values);
//   file.Read(record, values);
//
// Records are only ever added, each by one write under a lock on the file, so several runs may
// share it at once, and none adds what another has added meanwhile. One that was cut short by a
// kill or a full disk is taken off by the next who opens the file; one whose checksum is wrong, or
// another than it was, is as good as not there. A file whose head is damaged is set aside, and one
// begins anew. Read through the page cache: what it takes is the kernel's, to be had back at any
// time.
//
// Any thread may read; one at a time may append. Holds a descriptor, and the record that was
// appended last. What the file says costs nothing: its records are of one size, and are looked at
// one by one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace weir {

// The first 16 bytes of a SHA-256 over what a record depends on.
using FeatureKey = std::array<std::byte, 16>;
FeatureKey FeatureKeyOf(const std::string& text);

// Where features are, and the checksum that tells them from others that stand there later.
struct FeatureRecord {
  std::uint32_t number = 0;
  std::uint32_t checksum = 0;
};

class FeatureFile {
 public:
  using Visit = std::function<void(const FeatureKey&, const FeatureRecord&)>;

  // Makes the file, and its folder, where it is not there. `values` floats a record. `description`
  // is kept at its head, for people. What is there and is no such file becomes PATH.damaged (and
  // takes the place of an earlier one). Throws Error(kData) where it cannot be used.
  FeatureFile(std::filesystem::path path, std::size_t values, const std::string& description);
  FeatureFile(const FeatureFile&) = delete;
  FeatureFile& operator=(const FeatureFile&) = delete;
  ~FeatureFile();

  // Where what was there was set aside; empty where it was not.
  const std::filesystem::path& set_aside() const { return set_aside_; }

  // Calls `visit` for each whole record that is there now, in their order, from the number `first`
  // on. Returns how many there are.
  std::uint64_t ForEach(const Visit& visit, std::uint64_t first = 0) const;

  // False where the record is gone, its checksum is wrong, or another stands in its place.
  bool Read(const FeatureRecord& record, float* values) const;

  // Adds a record. Where others have added one of that key since this last looked at the end of the
  // file, that is returned, and nothing added; `others`, if any, is called for each that they have
  // added. Throws Error(kData), with the free space where the disk is full; then nothing of the
  // record is left there.
  FeatureRecord Append(const FeatureKey& key, const float* values, const Visit& others = {});

 private:
  class Lock;
  bool Open(const std::string& description);
  void SetAside();
  std::size_t record_bytes() const;
  std::uint64_t Records() const;
  [[noreturn]] void ThrowErrno(const char* doing) const;
  [[noreturn]] void Refuse(const std::string& what) const;

  std::filesystem::path path_;
  std::size_t values_;
  int file_ = -1;
  std::filesystem::path set_aside_;
  std::uint64_t seen_ = 0;         // records that were there when this last added one, or opened it
  std::vector<std::byte> record_;  // the record that is appended
};

}  // namespace weir
