#pragma once
// Whom to trust on the other end of an https connection. Only http.cpp includes this.

#include <string>

#include "base/error.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX and SSL
struct ssl_st;

namespace gramwatt::net {

/// A client context, TLS 1.2 or newer. With `fingerprint` (SHA-256 of the server's certificate, hexadecimal, colons allowed)
/// that certificate is trusted and no other; without it, what the system's CA certificates vouch for, by name and date. The
/// caller owns it. An Error for a fingerprint that is none, and where no CA certificates are found.
[[nodiscard]] Result<ssl_ctx_st*> make_tls_context(const std::string& fingerprint);

/// Says who is expected to answer on this connection.
[[nodiscard]] bool expect_host(ssl_st* connection, const std::string& host);

/// Why the other end was not trusted, with its fingerprint: "self-signed certificate (SHA-256 AB:CD:…)". Empty when it was.
[[nodiscard]] std::string distrust(ssl_st* connection);

}  // namespace gramwatt::net
