// By Boost.Beast: header-only, so that it links statically everywhere, on OpenSSL for https (tls.cpp). This is the only file
// that includes it.

#include "net/http.hpp"

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <array>
#include <csignal>
#include <optional>

#include "base/text.hpp"
#include "net/tls.hpp"

namespace gramwatt::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

/// All signals blocked in this thread, and in those that it starts, while it lives.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

/// One connection and the exchanges on it, each step by step; the stream's timer ends one whichever step it is in.
class HttpClient::Connection {
 public:
  Connection(Url url, std::string fingerprint) : url_(std::move(url)), fingerprint_(std::move(fingerprint)), resolver_(io_) {}

  [[nodiscard]] bool serves(const Url& url, const std::string& fingerprint) const {
    return url.tls == url_.tls && url.host == url_.host && url.port == url_.port && fingerprint == fingerprint_;
  }
  /// May another exchange follow on this connection?
  [[nodiscard]] bool reusable() const { return reusable_; }

  /// `keep`: let the server know that more may come.
  [[nodiscard]] Result<Response> exchange(const Request& request, const std::string& target, bool keep) {
    if (auto ready = prepare(); !ready) return tl::unexpected(ready.error());
    make_message(request, target, keep);
    error_.clear();
    done_ = false;
    lowest().expires_after(request.deadline);
    if (open_) send();
    else look_up();
    io_.restart();
    io_.run_for(request.deadline + std::chrono::milliseconds(20));  // the look-up has no timer of its own
    return result(request, keep);
  }

 private:
  [[nodiscard]] Result<void> prepare() {
    if (plain_ || secure_) return {};
    if (!url_.tls) {
      plain_.emplace(io_);
      return {};
    }
    const auto context = make_tls_context(fingerprint_);
    if (!context) return tl::unexpected(context.error());
    context_.emplace(*context);
    secure_.emplace(io_, *context_);
    if (!expect_host(secure_->native_handle(), url_.host)) return fail("not a host that TLS can name", url_.host);
    return {};
  }

  void make_message(const Request& request, const std::string& target, bool keep) {
    message_ = {};
    message_.method(http::string_to_verb(request.method));
    message_.target(target);
    message_.version(11);
    const bool usual = url_.port == (url_.tls ? "443" : "80");
    const std::string host = url_.host.find(':') == std::string::npos ? url_.host : "[" + url_.host + "]";
    message_.set(http::field::host, usual ? host : host + ":" + url_.port);
    message_.keep_alive(keep);
    if (!keep) message_.set(http::field::connection, "close");
    for (const auto& [name, value] : request.headers) message_.set(name, value);
    message_.prepare_payload();
    parser_.emplace();
    parser_->body_limit(request.body_limit);
  }

  beast::tcp_stream& lowest() { return secure_ ? beast::get_lowest_layer(*secure_) : *plain_; }

  void look_up() {
    beast::error_code ec;
    const auto address = asio::ip::make_address(url_.host, ec);
    if (!ec) return connect(std::array{tcp::endpoint(address, parse_number<std::uint16_t>(url_.port).value_or(0))});
    // Looking up a name takes a thread of its own, which must not take the signals of a process that waits for them elsewhere.
    const SignalsBlocked in_that_thread;
    resolver_.async_resolve(url_.host, url_.port, [this](const auto& error, const auto& found) {
      if (error) return stop("cannot look up", error);
      connect(found);
    });
  }

  template <class Endpoints>
  void connect(const Endpoints& endpoints) {
    lowest().async_connect(endpoints, [this](const auto& error, const auto&) {
      if (error) return stop("cannot connect", error);
      if (secure_) shake_hands();
      else send();
    });
  }

  void shake_hands() {
    secure_->async_handshake(asio::ssl::stream_base::client, [this](const auto& ec) {
      if (!ec) return send();
      const std::string why = distrust(secure_->native_handle());
      if (why.empty()) return stop("no TLS", ec);
      error_ = "its certificate is not trusted: " + why;
      distrusted_ = true;
    });
  }

  void send() {
    open_ = true;
    if (secure_) exchange_on(*secure_);
    else exchange_on(*plain_);
  }

  template <class Stream>
  void exchange_on(Stream& stream) {
    http::async_write(stream, message_, [this, &stream](const auto& ec, std::size_t) {
      if (ec) return stop("cannot send", ec);
      http::async_read(stream, buffer_, *parser_, [this](const auto& error, std::size_t) {
        if (error) return stop("cannot read the answer", error);
        done_ = true;
      });
    });
  }

  void stop(const char* doing, const beast::error_code& ec) { error_ = std::string(doing) + ": " + ec.message(); }

  [[nodiscard]] Result<Response> result(const Request& request, bool keep) {
    if (error_.empty() && !done_) error_ = "no answer in time";
    // Beast 300 lets a single buffer's worth pass above its limit.
    if (error_.empty() && parser_->get().body().size() > request.body_limit) error_ = "the answer is too long";
    if (!error_.empty()) {
      return fail(error_, request.url, distrusted_ ? "compare the fingerprint with the server's own, then pin it" : "",
                  Error::Kind::unavailable);
    }
    reusable_ = keep && parser_->get().keep_alive();
    Response response{static_cast<int>(parser_->get().result_int()), std::move(parser_->get().body()), {}};
    for (const auto& field : parser_->get())
      response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    return response;
  }

  Url url_;
  std::string fingerprint_;
  asio::io_context io_;
  tcp::resolver resolver_;
  std::optional<asio::ssl::context> context_;
  std::optional<beast::tcp_stream> plain_;
  std::optional<beast::ssl_stream<beast::tcp_stream>> secure_;
  http::request<http::empty_body> message_;
  std::optional<http::response_parser<http::string_body>> parser_;
  beast::flat_buffer buffer_;
  std::string error_;
  bool open_ = false, done_ = false, distrusted_ = false, reusable_ = false;
};

std::optional<std::string> Response::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (beast::iequals({known.data(), known.size()}, {name.data(), name.size()})) return value;
  }
  return std::nullopt;
}

HttpClient::HttpClient() = default;
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<Response> HttpClient::request(const Request& request) { return request_on(request, true); }

Result<Response> HttpClient::request_on(const Request& request, bool keep) {
  const auto url = parse_url(request.url);
  if (!url) return tl::unexpected(url.error());
  try {
    if (connection_ && !connection_->serves(*url, request.fingerprint)) connection_.reset();
    if (connection_) {
      auto answer = connection_->exchange(request, url->target, true);
      if (answer && connection_->reusable()) return answer;
      connection_.reset();
      if (answer) return answer;
    }
    connection_ = std::make_unique<Connection>(*url, request.fingerprint);
    auto answer = connection_->exchange(request, url->target, keep);
    if (!answer || !connection_->reusable()) connection_.reset();
    return answer;
  } catch (const std::exception& e) {
    connection_.reset();
    return fail(e.what(), request.url, {}, Error::Kind::unavailable);
  }
}

namespace {

Result<Url> take_apart(const std::string& url, std::string_view scheme, const char* port) {
  const auto wrong = [&](const char* what) { return fail(what, url, "http://host[:port]/path", Error::Kind::usage); };
  const std::string rest = url.substr(scheme.size());
  const auto slash = rest.find_first_of("/?");
  const std::string authority = rest.substr(0, slash);
  Url parts;
  parts.target = slash == std::string::npos ? "/" : rest.substr(slash);
  if (parts.target.front() == '?') parts.target.insert(0, "/");
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  parts.host = authority.substr(0, has_port ? colon : std::string::npos);
  parts.port = has_port ? authority.substr(colon + 1) : port;
  if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']')
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  if (parts.host.empty() || parts.port.empty() || parts.port.find_first_not_of("0123456789") != std::string::npos)
    return wrong("not an http address");
  if (url.find_first_of(" \r\n\t") != std::string::npos) return wrong("white space in an address");
  // A password in an address would be printed with it.
  if (parts.host.find('@') != std::string::npos)
    return fail("a user in an address", {}, "give user and password apart", Error::Kind::usage);
  return parts;
}

}  // namespace

Result<Url> parse_url(const std::string& url) {
  if (url.starts_with("http://")) return take_apart(url, "http://", "80");
  if (!url.starts_with("https://")) return fail("not an http address", url, "http://host[:port]/path", Error::Kind::usage);
  auto parts = take_apart(url, "https://", "443");
  if (parts) parts->tls = true;
  return parts;
}

std::string basic_authorization(const std::string& user, const std::string& password) {
  const std::string both = user + ":" + password;
  std::string text(beast::detail::base64::encoded_size(both.size()), '\0');
  text.resize(beast::detail::base64::encode(text.data(), both.data(), both.size()));
  return "Basic " + text;
}

Result<Response> http_request(const Request& request) {
  HttpClient once;
  return once.request_on(request, false);
}

}  // namespace gramwatt::net
