#include "stages/files/remote/range_attempt.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/curl_start.h"

namespace weir {
namespace {

constexpr long kMostRedirects = 5;
constexpr std::size_t kMostExplanationBytes = 4 << 10;
// The SHA-256 of no bytes, which is what these questions send.
constexpr const char* kHashOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// What will be the same at the next try.
bool IsFinal(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return true;
    default:
      return false;
  }
}

}  // namespace

RangeAttempt::RangeAttempt(const RemoteAddress& address, std::uint64_t begin,
                           std::span<std::byte> to, const RemoteStamp* stamp)
    : begin_(begin), to_(to), stamp_(stamp) {
  StartCurl();
  if (!curl_) throw std::bad_alloc();
  Set(CURLOPT_URL, address.url.c_str());
  Set(CURLOPT_ERRORBUFFER, message_.data());
  Set(CURLOPT_USERAGENT, "weir");
  Set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  Set(CURLOPT_QUICK_EXIT, 1L);  // or the end waits for the thread that asks for the host's address
#endif
  // Several connections bring more than one of HTTP/2 that is shared.
  Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  // A header that signs must not go to where a redirect points.
  Set(CURLOPT_FOLLOWLOCATION, address.is_s3 ? 0L : 1L);
  Set(CURLOPT_MAXREDIRS, kMostRedirects);
  const bool is_encrypted = address.url.starts_with("https");
#if LIBCURL_VERSION_NUM >= 0x075500
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_REDIR_PROTOCOLS_STR, is_encrypted ? "https" : "http,https");
#else
  Set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  Set(CURLOPT_REDIR_PROTOCOLS,
      static_cast<long>(is_encrypted ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  Trust();
  Set(CURLOPT_WRITEFUNCTION, &RangeAttempt::OnBody);
  Set(CURLOPT_WRITEDATA, this);
  Set(CURLOPT_HEADERFUNCTION, &RangeAttempt::OnHeader);
  Set(CURLOPT_HEADERDATA, this);
  const std::string range = std::to_string(begin) + "-" + std::to_string(begin + to.size() - 1);
  Set(CURLOPT_RANGE, range.c_str());
  if (stamp && stamp->has_strong_etag()) AddHeader("If-Match: " + stamp->etag);
  if (address.credentials) Sign(address);
  if (headers_) Set(CURLOPT_HTTPHEADER, headers_.get());
}

// Connections share what is trusted only where that is a file and no folder beside it: else each
// reads the file for itself, which takes 1 MiB.
void RangeAttempt::Trust() {
  // OpenSSL's own name for such a file; libcurl has one compiled in.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment while weir runs
  const char* file = std::getenv("SSL_CERT_FILE");
  if (file) {
    Set(CURLOPT_CAINFO, file);
  } else {
    file = curl_version_info(CURLVERSION_NOW)->cainfo;
  }
  if (file && ::access(file, R_OK) == 0) Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

void RangeAttempt::Sign(const RemoteAddress& address) {
  const S3Credentials& credentials = *address.credentials;
  // The password is set only once libcurl is sure to sign with it: without, it would be sent.
  const std::string provider = "aws:amz:" + address.region + ":s3";
  if (curl_easy_setopt(curl_.get(), CURLOPT_HTTPAUTH, CURLAUTH_AWS_SIGV4) != CURLE_OK ||
      curl_easy_setopt(curl_.get(), CURLOPT_AWS_SIGV4, provider.c_str()) != CURLE_OK) {
    throw Error(ErrorKind::kData, address.shown + " cannot be read: libcurl refuses to sign for it",
                "Check AWS_REGION, and that libcurl was built with AWS Signature Version 4.");
  }
  Set(CURLOPT_USERNAME, credentials.key_id.c_str());
  Set(CURLOPT_PASSWORD, credentials.secret.c_str());
  AddHeader(std::string("x-amz-content-sha256: ") + kHashOfNothing);
  if (!credentials.session_token.empty()) {
    AddHeader("x-amz-security-token: " + credentials.session_token);
  }
}

void RangeAttempt::AddHeader(const std::string& line) {
  curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
  if (!longer) throw std::bad_alloc();
  static_cast<void>(headers_.release());  // it is the beginning of the longer one
  headers_.reset(longer);
}

std::size_t RangeAttempt::OnHeader(const char* bytes, std::size_t, std::size_t count, void* self) {
  static_cast<RangeAttempt*>(self)->Head({bytes, count});
  return count;
}

std::size_t RangeAttempt::OnBody(const char* bytes, std::size_t, std::size_t count, void* self) {
  return static_cast<RangeAttempt*>(self)->Body({bytes, count});
}

// Each answer has a head, also one that only points to another place; trailers come without one.
void RangeAttempt::Head(std::string_view line) {
  if (is_judged_) return;
  if (line.starts_with("HTTP/")) is_head_over_ = false;
  if (is_head_over_) return;
  answer_.AddLine(line);
  is_head_over_ = line == "\r\n" || line == "\n";
}

void RangeAttempt::JudgeOnce() {
  if (is_judged_) return;
  is_judged_ = true;
  verdict_ = Judge(answer_, begin_, to_.size(), stamp_);
  if (is_taken()) to_ = to_.first(static_cast<std::size_t>(AnnouncedBytes(answer_)));
}

std::size_t RangeAttempt::Body(std::string_view bytes) {
  JudgeOnce();
  if (verdict_.kind != Verdict::Kind::kTake) {
    if (answer_.status < 300 || explanation_.size() > kMostExplanationBytes) return 0;
    explanation_ += bytes.substr(0, kMostExplanationBytes);
    return bytes.size();
  }
  is_too_long_ = bytes.size() > to_.size() - got_;
  if (is_too_long_) return 0;
  std::memcpy(to_.data() + got_, bytes.data(), bytes.size());
  got_ += bytes.size();
  return bytes.size();
}

Verdict RangeAttempt::End(CURLcode code) {
  using Kind = Verdict::Kind;
  // A redirect that was not followed to its end is libcurl's to explain.
  if (answer_.status > 0 && code != CURLE_TOO_MANY_REDIRECTS) JudgeOnce();
  if (is_judged_ && verdict_.kind != Kind::kTake) {
    const std::string explained = ErrorCodeIn(explanation_);
    Verdict verdict = verdict_;
    if (!explained.empty()) verdict.what += " (" + explained + ")";
    return verdict;
  }
  if (is_too_long_) return {Kind::kAgain, "the server sends more than it announced"};
  if (code == CURLE_OK) {
    return got_ > 0 ? Verdict{} : Verdict{Kind::kAgain, "the server sent nothing"};
  }
  // libcurl's own messages may name the address with all that follows its `?`.
  const bool is_long = std::strchr(message_.data(), '?') != nullptr;
  return {IsFinal(code) ? Kind::kRefused : Kind::kAgain,
          Printable(message_[0] && !is_long ? message_.data() : curl_easy_strerror(code)),
          code == CURLE_PEER_FAILED_VERIFICATION
              ? "SSL_CERT_FILE may name the certificates to trust."
              : ""};
}

}  // namespace weir
