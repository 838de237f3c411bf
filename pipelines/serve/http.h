// A request over HTTP and what is answered, as the service behind a server sees them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/serve/http_head.h"

namespace weir {

// A request whose head has been read, and whose body has not: what the body may take is leased
// before ReadBody(). One thread at a time.
class HttpRequest {
 public:
  virtual ~HttpRequest() = default;

  virtual const std::string& method() const = 0;  // "POST"
  virtual const std::string& path() const = 0;    // "/predict", without the query, decoded
  // A value of the query, decoded; empty where it has none of that name.
  virtual std::optional<std::string> parameter(const std::string& name) const = 0;
  // The values of the headers of that name, in their order.
  virtual std::vector<std::string> headers(const std::string& name) const = 0;

  // Where its body ends, and how it is sent.
  virtual const RequestHead& head() const = 0;

  // Fills `to` from the body. Throws HttpRefusal where it is cut off, or comes too slowly.
  virtual void ReadBody(std::span<char> to) = 0;
  // Whether somebody still waits for the answer, as far as is known.
  virtual bool IsSenderThere() const = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::shared_ptr<void> held{};  // what pays for the body, until it is sent
};

// Why a request is not answered as it was meant.
struct HttpRefusal {
  int status;          // 400 and more
  std::string reason;  // for the sender
  std::vector<std::pair<std::string, std::string>> headers{};
};

}  // namespace weir
