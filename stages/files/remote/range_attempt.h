// One question to a server for a part of a file, and what comes of it.
//
// The bytes are written straight to where they are wanted, and only those of an answer that can be
// taken. One thread. Memory: libcurl's, which RemoteClient::bytes() counts.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "stages/files/remote/http_answer.h"
#include "stages/files/remote/remote_address.h"

namespace weir {

class RangeAttempt {
 public:
  // Asks for as many bytes from `begin` on as fit in `to`. `stamp` is what the file was, null where
  // that is not known; all but `address` outlive this. Throws std::bad_alloc, and Error(kData)
  // where this libcurl cannot sign.
  RangeAttempt(const RemoteAddress& address, std::uint64_t begin, std::span<std::byte> to,
               const RemoteStamp* stamp);
  RangeAttempt(const RangeAttempt&) = delete;
  RangeAttempt& operator=(const RangeAttempt&) = delete;

  CURL* handle() { return curl_.get(); }
  std::size_t got() const { return got_; }              // bytes that are there
  const HttpAnswer& answer() const { return answer_; }  // without what follows a body
  bool is_taken() const { return is_judged_ && verdict_.kind == Verdict::Kind::kTake; }

  // What came of it, when libcurl has ended it with `code`. kTake where all bytes came that the
  // server announced.
  Verdict End(CURLcode code);

 private:
  template <class Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  void Trust();
  void Sign(const RemoteAddress& address);
  void AddHeader(const std::string& line);
  void Head(std::string_view line);
  void JudgeOnce();
  std::size_t Body(std::string_view bytes);
  static std::size_t OnBody(const char* bytes, std::size_t, std::size_t count, void* self);
  static std::size_t OnHeader(const char* bytes, std::size_t, std::size_t count, void* self);

  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  const std::uint64_t begin_;
  std::span<std::byte> to_;  // once it is judged, no more than the server announced
  const RemoteStamp* const stamp_;
  std::unique_ptr<curl_slist, FreeList> headers_;  // before curl_, which uses them
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_{curl_easy_init(), curl_easy_cleanup};
  std::array<char, CURL_ERROR_SIZE> message_{};
  HttpAnswer answer_;
  bool is_head_over_ = false;  // what else looks like it are trailers (RFC 9110, section 6.5)
  bool is_judged_ = false;
  Verdict verdict_;
  std::string explanation_;  // the beginning of the body of an error
  std::size_t got_ = 0;
  bool is_too_long_ = false;
};

}  // namespace weir
