#include "stages/files/remote/remote_address.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "framework/error.h"
#include "framework/text.h"

namespace weir {
namespace {

constexpr std::string_view kS3 = "s3://";
constexpr std::array<std::string_view, 3> kSchemes = {"http://", "https://", kS3};

// Which of the schemes a name begins with, in lower case; empty where with none.
std::string_view SchemeOf(std::string_view name) {
  for (const std::string_view scheme : kSchemes) {
    const std::string_view begin = name.substr(0, scheme.size());
    if (std::equal(begin.begin(), begin.end(), scheme.begin(), scheme.end(),
                   [](unsigned char a, char b) { return std::tolower(a) == b; })) {
      return scheme;
    }
  }
  return {};
}

// Where a host or a bucket ends, in what follows the scheme.
std::size_t AuthorityEnd(std::string_view rest, bool is_s3) {
  return std::min(rest.find_first_of(is_s3 ? "/" : "/?#"), rest.size());
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether a name and a password stand before the host. Those who write them there do not escape
// them: in "me:se/cret@host" a path would begin with the slash, as far as RFC 3986 knows. Where the
// host has no `:`, a path may have an `@`.
bool HoldsPassword(std::string_view rest, bool is_s3) {
  const std::size_t at = rest.find('@'), end = AuthorityEnd(rest, is_s3);
  if (at == std::string_view::npos) return false;
  if (at < end || rest[end] != '/') return true;
  std::string_view authority = rest.substr(0, end);
  if (const std::size_t ipv6 = authority.rfind(']'); ipv6 != std::string_view::npos) {
    authority.remove_prefix(ipv6);
  }
  const std::size_t colon = authority.find(':');
  if (colon == std::string_view::npos) return false;
  return !IsPort(authority.substr(colon + 1)) || at < rest.find_first_of("?#", end);
}

// What can be shown of it: from the last `@` on, where that stands before all that may be a path.
std::string_view BehindPassword(std::string_view rest, bool is_s3) {
  const std::size_t at = rest.rfind('@');
  return at < AuthorityEnd(rest, is_s3) ? rest.substr(at) : std::string_view();
}

std::string FromEnvironment(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment while weir runs
  const char* const value = std::getenv(name);
  return value ? value : "";
}

std::string FromEnvironment(const char* name, const char* other) {
  std::string value = FromEnvironment(name);
  return value.empty() ? FromEnvironment(other) : value;
}

// As S3 signs paths: all but letters, digits and -._~ is written %XX; slashes stay.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
std::string Encoded(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char letter : key) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool is_plain = (byte < 0x80 && std::isalnum(byte)) || letter == '-' || letter == '.' ||
                          letter == '_' || letter == '~' || letter == '/';
    if (is_plain) {
      encoded += letter;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

// Whether a parameter of a url only signs it.
bool Signs(std::string_view parameter) {
  constexpr std::array<std::string_view, 11> kNames = {"awsaccesskeyid",
                                                       "expires",
                                                       "googleaccessid",
                                                       "key-pair-id",
                                                       "policy",
                                                       "se",
                                                       "sig",
                                                       "ske",
                                                       "signature",
                                                       "skt",
                                                       "st"};
  std::string name(parameter);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return name.starts_with("x-amz-") || name.starts_with("x-goog-") ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

[[noreturn]] void Refuse(const std::string& name, const std::string& why,
                         const std::string& remedy) {
  throw Error(ErrorKind::kData, Printable(name) + ": " + why, remedy);
}

std::shared_ptr<const S3Credentials> CredentialsFor(const std::string& name) {
  S3Credentials found{FromEnvironment("AWS_ACCESS_KEY_ID"),
                      FromEnvironment("AWS_SECRET_ACCESS_KEY"),
                      FromEnvironment("AWS_SESSION_TOKEN")};
  if (found.key_id.empty() && found.secret.empty()) return nullptr;
  if (found.key_id.empty() || found.secret.empty()) {
    Refuse(name,
           std::string("the environment has AWS_") +
               (found.secret.empty() ? "ACCESS_KEY_ID and no AWS_SECRET_ACCESS_KEY"
                                     : "SECRET_ACCESS_KEY and no AWS_ACCESS_KEY_ID"),
           "Set both, or none for a bucket that anybody may read.");
  }
  return std::make_shared<const S3Credentials>(std::move(found));
}

RemoteAddress S3AddressOf(const std::string& name, const std::string& shown) {
  const std::string path = name.substr(kS3.size());
  const std::size_t slash = path.find('/');
  const std::string bucket = path.substr(0, slash);
  const std::string key = slash == std::string::npos ? "" : path.substr(slash + 1);
  if (bucket.empty() || key.empty()) {
    Refuse(shown, "it has no " + std::string(bucket.empty() ? "bucket" : "key"),
           "Write it as s3://bucket/folder/shard.tar.");
  }
  RemoteAddress address{.url = {}, .shown = shown, .is_s3 = true};
  address.region = FromEnvironment("AWS_REGION", "AWS_DEFAULT_REGION");
  if (address.region.empty()) address.region = "us-east-1";
  address.credentials = CredentialsFor(shown);
  std::string endpoint = FromEnvironment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  // A dot in the name of a bucket is not covered by the certificate of *.s3.amazonaws.com.
  const bool in_path = !endpoint.empty() || bucket.find('.') != std::string::npos;
  const std::string domain =
      address.region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
  if (endpoint.empty()) {
    endpoint =
        "https://" + (in_path ? "" : Encoded(bucket) + ".") + "s3." + address.region + domain;
  }
  address.url = endpoint + "/" + (in_path ? Encoded(bucket) + "/" : "") + Encoded(key);
  return address;
}

}  // namespace

bool IsRemote(std::string_view name) { return !SchemeOf(name).empty(); }

std::string ShownRemote(std::string_view name) {
  const std::string_view scheme = SchemeOf(name);
  if (scheme.empty()) return OneLine(name);
  std::string_view rest = name.substr(scheme.size());
  const bool is_s3 = scheme == kS3, has_password = HoldsPassword(rest, is_s3);
  if (has_password) rest = BehindPassword(rest, is_s3);
  if (!is_s3) rest = rest.substr(0, rest.find_first_of("?#"));
  return OneLine(std::string(name.substr(0, scheme.size())) + (has_password ? "..." : "") +
                 std::string(rest));
}

std::string UnsignedUrl(std::string_view url) {
  const std::size_t query = std::min(url.find('?'), url.size());
  std::string kept(url.substr(0, query));
  char before = '?';
  for (std::size_t begin = query + 1; begin < url.size();) {
    const std::size_t end = std::min(url.find('&', begin), url.size());
    const std::string_view parameter = url.substr(begin, end - begin);
    begin = end + 1;
    if (Signs(parameter.substr(0, parameter.find('=')))) continue;
    kept += before;
    kept += parameter;
    before = '&';
  }
  return kept;
}

RemoteAddress AddressOf(const std::string& name) {
  const std::string shown = ShownRemote(name);
  const std::string_view scheme = SchemeOf(name);
  const std::string rest = name.substr(scheme.size());
  if (HoldsPassword(rest, scheme == kS3)) {
    Refuse(shown, "a password does not belong into an address",
           "Serve the shards where none is asked for, or from S3 with AWS_ACCESS_KEY_ID and "
           "AWS_SECRET_ACCESS_KEY. An @ of the path itself is written %40.");
  }
  if (scheme == kS3) return S3AddressOf(name, shown);
  if (rest.find_first_of("/?#") == 0 || rest.empty())
    Refuse(shown, "it has no host", "Write it as https://host/folder/shard.tar.");
  return {.url = name.substr(0, name.find('#')), .shown = shown};
}

}  // namespace weir
