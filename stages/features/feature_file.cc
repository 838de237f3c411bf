#include "stages/features/feature_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "framework/error.h"
#include "framework/write_error.h"
#include "stages/files/sha256.h"

namespace weir {
namespace {

// The file: a head of 4,096 bytes, then records of one size.
constexpr std::size_t kHeadBytes = 4096;
constexpr char kMagic[16] = "weir features 1";

struct Head {
  char magic[16];
  std::uint64_t values;
  char description[kHeadBytes - 24];  // cut to fit, ends with a zero
};
static_assert(sizeof(Head) == kHeadBytes);

// A record: this, then the values.
struct RecordHead {
  FeatureKey key;
  std::uint32_t checksum;  // CRC-32 of the key and the values
  std::uint32_t unused;
};
static_assert(sizeof(RecordHead) == 24);

std::uint32_t Checksum(const FeatureKey& key, const void* values, std::size_t bytes) {
  const auto begin = crc32(0, reinterpret_cast<const Bytef*>(key.data()), key.size());
  return crc32_z(begin, static_cast<const Bytef*>(values), bytes);
}

// False where the file ends before.
bool ReadAll(int file, void* to, std::size_t bytes, std::uint64_t offset) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t read = ::pread(file, at, bytes, static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return false;
    at += read;
    offset += static_cast<std::uint64_t>(read);
    bytes -= static_cast<std::size_t>(read);
  }
  return true;
}

// False, with errno, where not all could be written.
bool WriteAll(int file, const void* from, std::size_t bytes, std::uint64_t offset) {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t written = ::pwrite(file, at, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    offset += static_cast<std::uint64_t>(written);
    bytes -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

FeatureKey FeatureKeyOf(const std::string& text) {
  Sha256 sha256;
  sha256.Add(std::as_bytes(std::span(text)));
  const std::array<std::byte, 32> digest = sha256.FinishBytes();
  FeatureKey key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

// Keeps the file for one process, and one FeatureFile in it, at a time; the others wait.
class FeatureFile::Lock {
 public:
  explicit Lock(const FeatureFile& file) : file_(file) {
    while (::flock(file_.file_, LOCK_EX) != 0) {
      if (errno != EINTR) file_.ThrowErrno("be locked");
    }
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() { ::flock(file_.file_, LOCK_UN); }

 private:
  const FeatureFile& file_;
};

FeatureFile::FeatureFile(std::filesystem::path path, std::size_t values,
                         const std::string& description)
    : path_(std::move(path)), values_(values) {
  std::error_code error;
  std::filesystem::create_directories(path_.parent_path(), error);
  try {
    while (!Open(description)) ::close(std::exchange(file_, -1));
  } catch (...) {
    if (file_ >= 0) ::close(file_);
    throw;
  }
}

// False where another file stands in its place now: set aside, by this or by somebody who had it
// before.
bool FeatureFile::Open(const std::string& description) {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (file_ < 0) ThrowErrno("be opened");
  const Lock lock(*this);
  struct stat opened {
  }, named{};
  if (::fstat(file_, &opened) != 0) ThrowErrno("be read");
  if (::stat(path_.c_str(), &named) != 0 || named.st_ino != opened.st_ino) return false;
  if (!S_ISREG(opened.st_mode)) Refuse("is not a regular file");
  Head head{};
  if (opened.st_size < static_cast<off_t>(kHeadBytes)) {  // new, or killed before it had a head
    std::memcpy(head.magic, kMagic, sizeof kMagic);
    head.values = values_;
    description.copy(head.description, sizeof head.description - 1);
    if (!WriteAll(file_, &head, sizeof head, 0)) ThrowErrno("be written");
  } else if (!ReadAll(file_, &head, sizeof head, 0)) {
    ThrowErrno("be read");
  } else if (std::memcmp(head.magic, kMagic, sizeof kMagic) != 0 || head.values != values_) {
    SetAside();
    return false;
  }
  seen_ = Records();
  const std::uint64_t end = kHeadBytes + seen_ * record_bytes();
  if (::ftruncate(file_, static_cast<off_t>(end)) != 0) ThrowErrno("be cut to whole records");
  return true;
}

void FeatureFile::SetAside() {
  set_aside_ = path_;
  set_aside_ += ".damaged";
  if (::rename(path_.c_str(), set_aside_.c_str()) == 0) return;
  Refuse("holds no features of this model");
}

FeatureFile::~FeatureFile() { ::close(file_); }

std::size_t FeatureFile::record_bytes() const {
  return sizeof(RecordHead) + values_ * sizeof(float);
}

std::uint64_t FeatureFile::Records() const {
  struct stat status {};
  if (::fstat(file_, &status) != 0) ThrowErrno("be read");
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  return (bytes - std::min<std::uint64_t>(bytes, kHeadBytes)) / record_bytes();
}

std::uint64_t FeatureFile::ForEach(const Visit& visit, std::uint64_t first) const {
  const std::uint64_t records = Records();
  for (std::uint64_t record = first; record < records; ++record) {
    RecordHead head;
    if (!ReadAll(file_, &head, sizeof head, kHeadBytes + record * record_bytes())) return record;
    visit(head.key, {static_cast<std::uint32_t>(record), head.checksum});
  }
  return records;
}

bool FeatureFile::Read(const FeatureRecord& record, float* values) const {
  RecordHead head;
  const std::uint64_t offset = kHeadBytes + std::uint64_t{record.number} * record_bytes();
  const std::size_t bytes = values_ * sizeof(float);
  return ReadAll(file_, &head, sizeof head, offset) &&
         ReadAll(file_, values, bytes, offset + sizeof head) && head.checksum == record.checksum &&
         head.checksum == Checksum(head.key, values, bytes);
}

FeatureRecord FeatureFile::Append(const FeatureKey& key, const float* values, const Visit& others) {
  const std::size_t bytes = values_ * sizeof(float);
  const RecordHead head{key, Checksum(key, values, bytes), 0};
  record_.resize(record_bytes());
  std::memcpy(record_.data(), &head, sizeof head);
  std::memcpy(record_.data() + sizeof head, values, bytes);
  const Lock lock(*this);
  std::optional<FeatureRecord> there;
  std::vector<float> read(seen_ < Records() ? values_ : 0);
  const std::uint64_t record = ForEach(
      [&](const FeatureKey& added, const FeatureRecord& place) {
        if (others) others(added, place);
        if (added == key && Read(place, read.data())) there = place;
      },
      seen_);
  seen_ = record;
  if (there) return *there;
  const std::uint64_t offset = kHeadBytes + record * record_bytes();
  if (!WriteAll(file_, record_.data(), record_.size(), offset)) {
    const int reason = errno;
    [[maybe_unused]] const int cut = ::ftruncate(file_, static_cast<off_t>(offset));
    errno = reason;
    ThrowErrno("be written");
  }
  ++seen_;
  return {static_cast<std::uint32_t>(record), head.checksum};
}

void FeatureFile::ThrowErrno(const char* doing) const {
  throw WriteError(path_, std::string("cannot ") + doing, errno,
                   "set features.cache_folder to another folder, or features.cache to memory");
}

void FeatureFile::Refuse(const std::string& what) const {
  throw Error(ErrorKind::kData, path_.string() + " " + what,
              "Remove it, or set features.cache_folder to another folder.");
}

}  // namespace weir
