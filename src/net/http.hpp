#pragma once
// HTTP, in one place. Plain HTTP now: the only address asked by default is a cloud's own link-local metadata service. TLS comes
// into this library when providers do.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace gramwatt::net {

struct Request {
  std::string method = "GET";  ///< GET or PUT
  std::string url;             ///< "http://host[:port]/path?query"
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds deadline{1000};  ///< for everything: look-up, connection, answer
  std::size_t body_limit = 65536;            ///< a longer answer is an error
};

struct Response {
  int status = 0;
  std::string body;
};

/// One request, one answer. No redirects, no proxy, no cookies. Any status is a Response; an Error means that none arrived in
/// time. Thread-safe: nothing is shared between calls.
[[nodiscard]] Result<Response> http_request(const Request& request);

/// The parts of an http URL; an Error for anything else.
struct Url {
  std::string host, port, target;
};
[[nodiscard]] Result<Url> parse_url(const std::string& url);

}  // namespace gramwatt::net
