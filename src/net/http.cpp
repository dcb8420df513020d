// By Boost.Beast: header-only, so that it links statically everywhere, and made to take OpenSSL underneath when TLS comes. This
// is the only file that includes it.

#include "net/http.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace gramwatt::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

/// One exchange on one connection, step by step; the stream's timer ends it whichever step it is in.
class Exchange {
 public:
  Exchange(asio::io_context& io, const Request& request, const Url& url)
      : resolver_(io), stream_(io), url_(url), request_(request) {
    message_.method(http::string_to_verb(request.method));
    message_.target(url.target);
    message_.version(11);
    message_.set(http::field::host, url.port == "80" ? url.host : url.host + ":" + url.port);
    message_.set(http::field::connection, "close");
    for (const auto& [name, value] : request.headers) message_.set(name, value);
    message_.prepare_payload();
    parser_.body_limit(request.body_limit);
  }

  void start() {
    stream_.expires_after(request_.deadline);
    resolver_.async_resolve(url_.host, url_.port, [this](const auto& ec, const auto& found) {
      if (ec) return stop("cannot look up", ec);
      stream_.async_connect(found, [this](const auto& error, const auto&) {
        if (error) return stop("cannot connect", error);
        exchange();
      });
    });
  }

  [[nodiscard]] Result<Response> result() && {
    if (error_.empty() && !done_) error_ = "no answer in time";
    // Beast 300 lets a single buffer's worth pass above its limit.
    if (error_.empty() && parser_.get().body().size() > request_.body_limit) error_ = "the answer is too long";
    if (!error_.empty()) return fail(error_, request_.url, {}, Error::Kind::unavailable);
    return Response{static_cast<int>(parser_.get().result_int()), std::move(parser_.get().body())};
  }

 private:
  void exchange() {
    http::async_write(stream_, message_, [this](const auto& ec, std::size_t) {
      if (ec) return stop("cannot send", ec);
      http::async_read(stream_, buffer_, parser_, [this](const auto& error, std::size_t) {
        if (error) return stop("cannot read the answer", error);
        done_ = true;
      });
    });
  }
  void stop(const char* doing, const beast::error_code& ec) { error_ = std::string(doing) + ": " + ec.message(); }

  tcp::resolver resolver_;
  beast::tcp_stream stream_;
  const Url& url_;
  const Request& request_;
  http::request<http::empty_body> message_;
  http::response_parser<http::string_body> parser_;
  beast::flat_buffer buffer_;
  std::string error_;
  bool done_ = false;
};

}  // namespace

Result<Url> parse_url(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  const auto wrong = [&](const char* what) { return fail(what, url, "http://host[:port]/path", Error::Kind::usage); };
  if (url.starts_with("https://")) return wrong("https is not spoken here yet");
  if (!url.starts_with(scheme)) return wrong("not an http address");
  const std::string rest = url.substr(scheme.size());
  const auto slash = rest.find_first_of("/?");
  const std::string authority = rest.substr(0, slash);
  Url parts;
  parts.target = slash == std::string::npos ? "/" : rest.substr(slash);
  if (parts.target.front() == '?') parts.target.insert(0, "/");
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  parts.host = authority.substr(0, has_port ? colon : std::string::npos);
  parts.port = has_port ? authority.substr(colon + 1) : "80";
  if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']')
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  if (parts.host.empty() || parts.port.empty() || parts.port.find_first_not_of("0123456789") != std::string::npos)
    return wrong("not an http address");
  if (url.find_first_of(" \r\n\t") != std::string::npos) return wrong("white space in an address");
  return parts;
}

Result<Response> http_request(const Request& request) {
  const auto url = parse_url(request.url);
  if (!url) return tl::unexpected(url.error());
  try {
    asio::io_context io;
    Exchange exchange(io, request, *url);
    exchange.start();
    io.run_for(request.deadline + std::chrono::milliseconds(20));  // the look-up has no timer of its own
    return std::move(exchange).result();
  } catch (const std::exception& e) {
    return fail(e.what(), request.url, {}, Error::Kind::unavailable);
  }
}

}  // namespace gramwatt::net
