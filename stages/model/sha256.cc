#include "stages/model/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "framework/error.h"
#include "stages/model/mapped_file.h"

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

std::string Sha256::Finish() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  Check(EVP_DigestFinal_ex(context_->evp.get(), digest.data(), &size));
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string Sha256Of(const std::filesystem::path& path) {
  const MappedFile file(path);
  Sha256 sha256;
  sha256.Add(file.bytes());
  return sha256.Finish();
}

}  // namespace weir
