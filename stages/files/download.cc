#include "stages/files/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

#include "framework/error.h"
#include "framework/text.h"
#include "framework/write_error.h"
#include "stages/files/curl_start.h"

namespace weir {
namespace {

constexpr int kMostTries = 8;
constexpr long kMostRedirects = 5;
constexpr long kConnectSeconds = 30;
constexpr long kSlowSeconds = 30;
constexpr long kSlowBytesPerSecond = 1000;
constexpr long kOk = 200, kPartialContent = 206, kRangeNotSatisfiable = 416;

// The part of a file that is on the disk, locked against another process that fetches it too.
class PartFile {
 public:
  explicit PartFile(const DownloadRequest& request)
      : path_(request.part), elsewhere_(request.elsewhere) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file_ < 0) Throw(errno);
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      ::close(file_);
      throw Error(ErrorKind::kData, path_.string() + ": another process is downloading it",
                  "wait for it to finish, then run this again");
    }
    bytes_ = static_cast<std::uint64_t>(::lseek(file_, 0, SEEK_END));
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() {
    if (bytes_ == 0) ::unlink(path_.c_str());
    ::close(file_);
  }

  std::uint64_t bytes() const { return bytes_; }

  // Clear and Append give false where the disk refuses, which ThrowIfFailed then tells.
  bool Clear() {
    if (::ftruncate(file_, 0) != 0 || ::lseek(file_, 0, SEEK_SET) != 0) {
      error_ = errno;
      return false;
    }
    bytes_ = 0;
    return true;
  }

  bool Append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        error_ = errno;
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
      bytes_ += static_cast<std::uint64_t>(written);
    }
    return true;
  }

  void ClearOrThrow() {
    if (!Clear()) Throw(error_);
  }
  void ThrowIfFailed() const {
    if (error_ != 0) Throw(error_);
  }

 private:
  [[noreturn]] void Throw(int error) const {
    throw WriteError(path_, "cannot be written", error, elsewhere_);
  }

  const std::filesystem::path path_;
  const std::string elsewhere_;
  int file_ = -1;
  int error_ = 0;
  std::uint64_t bytes_ = 0;
};

// One request. The callbacks are C's, so no exception may leave them.
class Transfer {
 public:
  Transfer(const DownloadRequest& request, PartFile& part, const ProgressCallback& progress)
      : part_(part),
        progress_(progress),
        asked_from_(part.bytes()),
        most_bytes_(request.most_bytes) {
    if (!curl_) throw Error(ErrorKind::kInternal, "libcurl cannot be started");
    Set(CURLOPT_URL, request.url.c_str());
    Set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(most_bytes_));  // where it is announced
    Set(CURLOPT_ERRORBUFFER, message_.data());
    Set(CURLOPT_USERAGENT, "weir");
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_FAILONERROR, 1L);
    Set(CURLOPT_FOLLOWLOCATION, 1L);
    Set(CURLOPT_MAXREDIRS, kMostRedirects);
    Set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    Set(CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
    Set(CURLOPT_LOW_SPEED_LIMIT, kSlowBytesPerSecond);
#if LIBCURL_VERSION_NUM >= 0x075500
    Set(CURLOPT_PROTOCOLS_STR, "http,https,file");
    Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    Set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE));
    Set(CURLOPT_REDIR_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    Set(CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_NOPROGRESS, 0L);
    Set(CURLOPT_XFERINFOFUNCTION, &Transfer::OnProgress);
    Set(CURLOPT_XFERINFODATA, this);
    range_ = std::to_string(asked_from_) + "-";
    if (asked_from_ > 0) Set(CURLOPT_RANGE, range_.c_str());
  }

  CURLcode Run() { return curl_easy_perform(curl_.get()); }

  long status() const {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  bool wrong_range() const { return wrong_range_; }
  bool too_long() const { return too_long_; }
  std::string Message(CURLcode code) const {
    return Printable(message_[0] ? message_.data() : curl_easy_strerror(code));
  }

 private:
  template <class Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }

  static std::size_t OnBody(const char* bytes, std::size_t, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->Body({bytes, count}) ? count : 0;
  }

  bool Body(std::string_view bytes) {
    if (!started_ && asked_from_ > 0) {
      // All of it, though a part was asked for; or another part.
      if (status() == kOk && !part_.Clear()) return false;
      if (status() == kPartialContent && !range_confirmed_) wrong_range_ = true;
    }
    started_ = true;
    too_long_ = part_.bytes() + bytes.size() > most_bytes_;
    return !wrong_range_ && !too_long_ && part_.Append(bytes);
  }

  static std::size_t OnHeader(const char* bytes, std::size_t, std::size_t count, void* self) {
    static_cast<Transfer*>(self)->Header({bytes, count});
    return count;
  }

  // "Content-Range: bytes 500-999/1000"
  void Header(std::string_view line) {
    constexpr std::string_view kName = "content-range:";
    if (line.size() < kName.size() || !curl_strnequal(line.data(), kName.data(), kName.size())) {
      return;
    }
    range_confirmed_ = line.find("bytes " + range_) != line.npos;
  }

  static int OnProgress(void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->Progress(total) ? 0 : 1;
  }

  bool Progress(curl_off_t total) const {
    if (!progress_) return true;
    DownloadProgress progress{.done_bytes = part_.bytes(), .total_bytes = std::nullopt};
    if (total > 0) {
      const std::uint64_t before = status() == kPartialContent ? asked_from_ : 0;
      progress.total_bytes = before + static_cast<std::uint64_t>(total);
    }
    return progress_(progress);
  }

  PartFile& part_;
  const ProgressCallback& progress_;
  const std::uint64_t asked_from_;
  const std::uint64_t most_bytes_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_{curl_easy_init(), curl_easy_cleanup};
  std::array<char, CURL_ERROR_SIZE> message_{};
  std::string range_;
  bool started_ = false;
  bool range_confirmed_ = false;
  bool wrong_range_ = false;
  bool too_long_ = false;
};

}  // namespace

void Download(const DownloadRequest& request, const ProgressCallback& progress) {
  StartCurl();
  const std::string& url = request.url;
  PartFile part(request);
  if (url.starts_with("file:"))
    part.ClearOrThrow();  // a copy is quicker than finding out where to go on
  for (int tries = 1;; ++tries) {
    const std::uint64_t before = part.bytes();
    Transfer transfer(request, part, progress);
    const CURLcode code = transfer.Run();
    if (code == CURLE_OK) return;
    if (code == CURLE_ABORTED_BY_CALLBACK) {
      throw Error(ErrorKind::kInterrupted,
                  url + ": the download was stopped at " +
                      PrintableBytes(static_cast<double>(part.bytes())),
                  "run this again: it goes on from there");
    }
    part.ThrowIfFailed();
    if (transfer.too_long() || code == CURLE_FILESIZE_EXCEEDED) {
      part.ClearOrThrow();
      throw Error(ErrorKind::kData,
                  url + ": is longer than " + std::to_string(request.most_bytes >> 20) +
                      " MiB, so it is not " + request.wanted + "; nothing of it is kept",
                  "check the URL");
    }
    const bool no_such_range =
        before > 0 && (transfer.wrong_range() || transfer.status() == kRangeNotSatisfiable);
    if (no_such_range) part.ClearOrThrow();
    const bool again = no_such_range || part.bytes() > before;
    if (!again || tries == kMostTries) {
      throw Error(ErrorKind::kData, url + ": cannot be downloaded: " + transfer.Message(code),
                  request.remedy);
    }
  }
}

}  // namespace weir
