// Features in a file, one record a sample and variant, to be used again by later runs.
//
//   FeatureFile file(folder / "4f0c....features", /*values=*/1280, "what all records depend on");
//   const FeatureRecord record = file.Append(key, values);
//   file.Read(record, values);
//
// Records are only ever added, each by one write under a lock on the file, so several runs may
// share it at once. One that was cut short by a kill or a full disk is taken off by the next who
// opens the file; one whose checksum is wrong, or another than it was, is as good as not there.
// Read through the page cache: what it takes is the kernel's, to be had back at any time.
//
// Any thread may read; one at a time may append. Holds a descriptor, and the record that was
// appended last.
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
  // Makes the file, and its folder, where it is not there. `values` floats a record. `description`
  // is kept at its head, for people. Throws Error(kData) where it cannot be used: not writable, or
  // another file.
  FeatureFile(std::filesystem::path path, std::size_t values, const std::string& description);
  FeatureFile(const FeatureFile&) = delete;
  FeatureFile& operator=(const FeatureFile&) = delete;
  ~FeatureFile();

  // The records that are there now, whole ones, in their order.
  void ForEach(const std::function<void(const FeatureKey&, const FeatureRecord&)>& visit) const;

  // False where its checksum is wrong, it is gone, or another stands there.
  bool Read(const FeatureRecord& record, float* values) const;

  // Throws Error(kData), with the free space where the disk is full; then nothing
  // of it is left there.
  FeatureRecord Append(const FeatureKey& key, const float* values);

 private:
  class Lock;
  std::size_t record_bytes() const;
  std::uint64_t Records() const;
  [[noreturn]] void ThrowErrno(const char* doing) const;
  [[noreturn]] void Refuse(const std::string& what) const;

  std::filesystem::path path_;
  std::size_t values_;
  int file_ = -1;
  std::vector<std::byte> record_;  // that is appended
};

}  // namespace weir
