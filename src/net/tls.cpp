// TLS by OpenSSL, linked statically.
//
// - OpenSSL is not touched before the first https address is asked, and never reads openssl.cnf: a file of somebody else's
//   system must not decide how this binary starts, and reading it costs time at every start.
// - CA certificates lie elsewhere on every distribution, and the folder compiled into a static library is right on one of them
//   only. SSL_CERT_FILE and SSL_CERT_DIR come first, as OpenSSL itself has it; then the places that Go's crypto/x509 knows too
//   (root_linux.go).
// - Controllers of servers come with certificates signed by themselves. Such a one is trusted when its fingerprint was given,
//   and then nothing else is: there is no way to trust whoever answers.

#include "net/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <filesystem>
#include <memory>

#include "base/system.hpp"
#include "net/http.hpp"

namespace gramwatt::net {
namespace {

constexpr std::array kBundles{"/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo, Alpine
                              "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL 6 and later
                              "/etc/ssl/ca-bundle.pem",                             // openSUSE
                              "/etc/pki/tls/cacert.pem",                            // OpenELEC
                              "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // CentOS, RHEL 7 and later
                              "/etc/ssl/cert.pem"};                                 // Alpine
constexpr std::array kFolders{"/etc/ssl/certs", "/etc/pki/tls/certs"};

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += kDigits[digest[i] >> 4U];
    text += kDigits[digest[i] & 15U];
  }
  return text;
}

void delete_text(void*, void* text, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(text); }

/// Of a context: the fingerprint that is pinned. Of a connection: that of whom was not trusted.
int pinned_slot() {
  static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, delete_text);
  return slot;
}
int distrusted_slot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, delete_text);
  return slot;
}

/// Keeps whose certificate it was: OpenSSL forgets it when the handshake fails.
void remember(X509_STORE_CTX* store) {
  auto* connection = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  if (connection == nullptr) return;
  delete static_cast<std::string*>(SSL_get_ex_data(connection, distrusted_slot()));
  SSL_set_ex_data(connection, distrusted_slot(), new std::string(fingerprint_of(X509_STORE_CTX_get0_cert(store))));
}

int is_vouched_for(int verified, X509_STORE_CTX* store) {
  if (verified != 1) remember(store);
  return verified;
}

/// Stands in for the whole verification of chain, name and date: this certificate or none.
int is_pinned(X509_STORE_CTX* store, void* pinned) {
  const auto& wanted = *static_cast<const std::string*>(pinned);
  if (fingerprint_of(X509_STORE_CTX_get0_cert(store)) == wanted) return 1;
  remember(store);
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool load_system_certificates(SSL_CTX* context) {
  const auto file = environment("SSL_CERT_FILE");
  const auto folder = environment("SSL_CERT_DIR");
  if (file || folder)
    return SSL_CTX_load_verify_locations(context, file ? file->c_str() : nullptr, folder ? folder->c_str() : nullptr) == 1;
  std::error_code ec;
  for (const char* bundle : kBundles) {
    if (std::filesystem::exists(bundle, ec) && SSL_CTX_load_verify_locations(context, bundle, nullptr) == 1) return true;
  }
  for (const char* each : kFolders) {
    if (std::filesystem::is_directory(each, ec) && SSL_CTX_load_verify_locations(context, nullptr, each) == 1) return true;
  }
  return false;
}

}  // namespace

std::string normal_fingerprint(const std::string& text) {
  std::string digits;
  for (const char ch : text) {
    if (ch == ':') continue;
    if (std::isxdigit(static_cast<unsigned char>(ch)) == 0) return {};
    digits += static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
  }
  if (digits.size() != 64) return {};
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) out += (i > 0 ? ":" : "") + digits.substr(i, 2);
  return out;
}

Result<ssl_ctx_st*> make_tls_context(const std::string& fingerprint) {
  // Before anything else of OpenSSL: whoever comes first decides whether openssl.cnf is read. No handlers at exit either: a
  // thread may still be waiting for an answer then.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return fail("OpenSSL cannot begin");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, is_vouched_for);
  if (!fingerprint.empty()) {
    auto wanted = std::make_unique<std::string>(normal_fingerprint(fingerprint));
    if (wanted->empty())
      return fail("\"" + fingerprint + "\" is no SHA-256 fingerprint", {}, "64 hexadecimal digits", Error::Kind::usage);
    SSL_CTX_set_cert_verify_callback(context.get(), is_pinned, wanted.get());
    SSL_CTX_set_ex_data(context.get(), pinned_slot(), wanted.release());  // lives as long as the context
  } else if (!load_system_certificates(context.get())) {
    return fail("no CA certificates are found here", {}, "install ca-certificates, or name a file in SSL_CERT_FILE");
  }
  ERR_clear_error();
  return context.release();
}

bool expect_host(ssl_st* connection, const std::string& host) {
  in6_addr address{};
  const bool numeric = inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
  if (numeric) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  return SSL_set_tlsext_host_name(connection, host.c_str()) == 1 && SSL_set1_host(connection, host.c_str()) == 1;
}

std::string distrust(ssl_st* connection) {
  const long why = SSL_get_verify_result(connection);
  if (why == X509_V_OK) return {};
  const std::string text =
      why == X509_V_ERR_APPLICATION_VERIFICATION ? "not the certificate that was pinned" : X509_verify_cert_error_string(why);
  const auto* fingerprint = static_cast<const std::string*>(SSL_get_ex_data(connection, distrusted_slot()));
  return fingerprint == nullptr ? text : text + " (SHA-256 " + *fingerprint + ")";
}

}  // namespace gramwatt::net
