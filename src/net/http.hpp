#pragma once
// HTTP and HTTPS, in one place. Nobody is asked who was not configured, except a cloud's own link-local metadata service.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace gramwatt::net {

struct Request {
  std::string method = "GET";  ///< GET or PUT
  std::string url;             ///< "http://host[:port]/path?query" or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds deadline{1000};  ///< for everything: look-up, connection, answer
  std::size_t body_limit = 65536;            ///< a longer answer is an error
  /// https only: SHA-256 of the one certificate that is trusted (see tls.hpp); empty: what the system's CA certificates vouch
  /// for.
  std::string fingerprint;
};

struct Response {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< as the server sent them

  /// The first header of that name, whichever its case; nothing where there is none.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
};

/// One request, one answer. No redirects, no proxy, no cookies. Any status is a Response; an Error means that none arrived in
/// time. Thread-safe: nothing is shared between calls.
[[nodiscard]] Result<Response> http_request(const Request& request);

/// As http_request, keeping the connection for the next request to the same server: a TLS handshake is dear for a small
/// controller. A kept connection that the server has closed meanwhile is opened anew. One thread at a time.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  [[nodiscard]] Result<Response> request(const Request& request);

 private:
  friend Result<Response> http_request(const Request& request);
  [[nodiscard]] Result<Response> request_on(const Request& request, bool keep);

  class Connection;
  std::unique_ptr<Connection> connection_;
};

/// The parts of an address; an Error for anything that is no http or https address.
struct Url {
  bool tls = false;
  std::string host, port, target;
};
[[nodiscard]] Result<Url> parse_url(const std::string& url);

/// A SHA-256 fingerprint as 64 hexadecimal digits, upper case, colons between pairs; nothing for anything else.
[[nodiscard]] std::string normal_fingerprint(const std::string& text);

/// "user:password" as an Authorization header's value has it (RFC 7617).
[[nodiscard]] std::string basic_authorization(const std::string& user, const std::string& password);

}  // namespace gramwatt::net
