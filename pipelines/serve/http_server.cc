#include "pipelines/serve/http_server.h"

#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "pipelines/serve/connection.h"
#include "pipelines/serve/connection_threads.h"
#include "pipelines/serve/status.h"

namespace weir {
namespace {

constexpr int kTicksPerSecond = 10;

// What the library has read of a request, and the connection that it is on.
class Incoming final : public HttpRequest {
 public:
  Incoming(const httplib::Request& request, Connection& connection)
      : request_(request), connection_(connection), path_(PathOf(request.path)) {}

  const std::string& method() const override { return request_.method; }
  const std::string& path() const override { return path_; }
  const RequestHead& head() const override { return connection_.head(); }
  std::optional<std::string> parameter(const std::string& name) const override {
    const auto found = request_.params.find(name);
    if (found == request_.params.end()) return std::nullopt;
    return found->second;
  }
  std::vector<std::string> headers(const std::string& name) const override {
    std::vector<std::string> values;
    const auto [begin, end] = request_.headers.equal_range(name);
    for (auto each = begin; each != end; ++each) values.push_back(each->second);
    return values;
  }
  void ReadBody(std::span<char> to) override {
    if (connection_.ReadBody(to)) return;
    throw HttpRefusal{
        connection_.timed_out() ? 408 : 400,
        connection_.timed_out() ? "the body came too slowly" : "the body ended before its length"};
  }
  bool IsSenderThere() const override { return connection_.IsSenderThere(); }

 private:
  // A target may name the server as well: "http://host/path".
  static std::string PathOf(const std::string& target) {
    constexpr std::string_view kScheme = "http://";
    if (!target.starts_with(kScheme)) return target;
    const std::size_t path = target.find('/', kScheme.size());
    return path == std::string::npos ? "/" : target.substr(path);
  }

  const httplib::Request& request_;
  Connection& connection_;
  const std::string path_;
};

HttpResponse Answered(const HttpServer::Service& service, HttpRequest& request) {
  try {
    return service(request);
  } catch (const HttpRefusal& refusal) {
    return {
        .status = refusal.status, .body = ErrorJson(refusal.reason), .headers = refusal.headers};
  } catch (const std::bad_alloc&) {
    return {.status = 503,
            .body = ErrorJson("the machine has no memory left"),
            .headers = {{"Retry-After", "1"}}};
  } catch (const std::exception& error) {
    return {.status = 500, .body = ErrorJson(error.what())};
  }
}

// Not by a content provider: the library stops at one's answer when it is told to end.
void Give(HttpResponse response, httplib::Response& to) {
  to.status = response.status;
  to.body = std::move(response.body);
  if (!to.body.empty()) to.set_header("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) to.set_header(name, value);
}

thread_local Connection* served = nullptr;  // whose request this thread is at
thread_local bool is_served = false;        // it has come to the service
thread_local bool is_refusing = false;      // the connection that comes has no room

}  // namespace

class HttpServer::Server final : public httplib::Server {
 public:
  Server(HttpOptions options, Service service)
      : options_(std::move(options)), service_(std::move(service)) {
    // Two servers of one port would share its connections out.
    set_socket_options([](int socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_tcp_nodelay(true);
    set_idle_interval(0, 1'000'000 / kTicksPerSecond);
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      is_served = true;
      Incoming incoming(request, *served);
      HttpResponse answer = Answered(service_, incoming);
      served->Hold(std::move(answer.held));
      Give(std::move(answer), response);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) {
      response.headers.erase("Keep-Alive");  // the library's numbers are not these connections'
      if (is_served && served->goes_on() && !counts_.IsPressed()) return;
      response.headers.erase("Connection");
      response.set_header("Connection", "close");
    });
    new_task_queue = [this] {
      return new ConnectionThreads(
          options_.connections, counts_,
          [](const std::function<void()>& task) {
            is_refusing = true;
            task();
            is_refusing = false;
          },
          [this] {
            if (!counts_.is_ending && is_to_end_()) {
              counts_.is_ending = true;
              stop();
            }
          });
    };
  }

  int Bind() {
    errno = 0;
    const int port = options_.port == 0                           ? bind_to_any_port(options_.host)
                     : bind_to_port(options_.host, options_.port) ? options_.port
                                                                  : -1;
    // The library lets five connections wait to be accepted.
    if (port >= 0 && ::listen(svr_sock_, options_.connections) == 0) return port;
    const std::string why = errno == 0 ? "" : ": " + std::generic_category().message(errno);
    throw Error(ErrorKind::kConfig,
                "cannot listen on " + options_.host + ":" + std::to_string(options_.port) + why,
                "Give another --port, or a --host that this machine has.");
  }

  void Run(std::function<bool()> is_to_end) {
    is_to_end_ = std::move(is_to_end);
    if (!listen_after_bind() && !counts_.is_ending) {
      throw Error(ErrorKind::kInternal, "no more connections can be accepted");
    }
  }

  const ConnectionCounts& counts() const { return counts_; }

 private:
  bool process_and_close_socket(int socket) override {
    Connection connection(
        socket, options_.times, [this] { return counts_.IsPressed(); },
        options_.is_short_of_memory);
    if (is_refusing) {
      connection.Refuse(503, "there are too many connections");
    } else {
      Serve(connection);
      connection.Linger();
    }
    if (connection.refusal() != 0 && options_.on_refusal) options_.on_refusal(connection.refusal());
    ::close(socket);
    return true;
  }

  void Serve(Connection& connection) {
    served = &connection;
    try {
      while (connection.NextRequest()) {
        bool is_closed = false;
        is_served = false;
        if (!Process(connection, is_closed) || !is_served) break;  // else the library refused it
        if (is_closed || !connection.goes_on() || counts_.IsPressed()) break;
      }
    } catch (const std::exception&) {
      // Not even an answer has room: the connection ends.
    }
    served = nullptr;
  }

  // As the library's version wants it.
  template <class Stream>
  bool Process(Stream& stream, bool& is_closed) {
    const bool is_last = counts_.IsPressed();
    const auto begin_body = [&](httplib::Request&) { stream.BeginBody(); };
    if constexpr (requires { this->process_request(stream, is_last, is_closed, begin_body); }) {
      return this->process_request(stream, is_last, is_closed, begin_body);
    } else {
      std::string remote, local;
      int remote_port = 0, local_port = 0;
      stream.get_remote_ip_and_port(remote, remote_port);
      stream.get_local_ip_and_port(local, local_port);
      return this->process_request(stream, remote, remote_port, local, local_port, is_last,
                                   is_closed, begin_body);
    }
  }

  const HttpOptions options_;
  const Service service_;
  ConnectionCounts counts_;
  std::function<bool()> is_to_end_;
};

HttpServer::HttpServer(const HttpOptions& options, Service service)
    : server_(std::make_unique<Server>(options, std::move(service))) {}
HttpServer::~HttpServer() = default;

int HttpServer::Bind() { return server_->Bind(); }
void HttpServer::Run(std::function<bool()> is_to_end) { server_->Run(std::move(is_to_end)); }
int HttpServer::open_connections() const { return server_->counts().open; }
bool HttpServer::is_ending() const { return server_->counts().is_ending; }

}  // namespace weir
