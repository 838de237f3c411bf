#include "stages/files/sha256.h"

#include <openssl/evp.h>

#include "framework/error.h"
#include "stages/files/mapped_file.h"

namespace weir {
namespace {

void Check(int done) {
  if (done != 1) throw Error(ErrorKind::kInternal, "OpenSSL cannot compute a SHA-256");
}

}  // namespace

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> evp{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  Check(EVP_DigestInit_ex(context_->evp.get(), EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::Add(std::span<const std::byte> bytes) {
  Check(EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()));
}

std::array<std::byte, 32> Sha256::FinishBytes() {
  std::array<std::byte, 32> digest;
  Check(EVP_DigestFinal_ex(context_->evp.get(), reinterpret_cast<unsigned char*>(digest.data()),
                           nullptr));
  return digest;
}

std::string Sha256::Finish() { return Hexadecimal(FinishBytes()); }

std::string Hexadecimal(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

std::string Sha256Of(const std::filesystem::path& path) {
  const MappedFile file(path);
  Sha256 sha256;
  sha256.Add(file.bytes());
  file.CheckUnchanged();
  return sha256.Finish();
}

}  // namespace weir
