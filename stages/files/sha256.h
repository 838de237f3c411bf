// SHA-256 (FIPS 180-4), by OpenSSL. One thread at a time for each object.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace weir {

inline constexpr std::size_t kSha256Digits = 64;
inline constexpr std::size_t kShownDigits = 16;  // as many as messages show

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Add(std::span<const std::byte> bytes);
  // The digest, as 64 lower-case hexadecimal digits or as it is; nothing may be added after.
  std::string Finish();
  std::array<std::byte, 32> FinishBytes();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Hexadecimal(std::span<const std::byte> bytes);  // in lower case

// The digest of a file's contents. Throws Error(kData) if it cannot be read, or is written to
// meanwhile.
std::string Sha256Of(const std::filesystem::path& path);

}  // namespace weir
