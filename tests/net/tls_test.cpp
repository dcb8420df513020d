// https: who is trusted, and who is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "fakes/http_server.hpp"
#include "fakes/temp_tree.hpp"
#include "fakes/tls_server.hpp"
#include "net/http.hpp"

namespace gramwatt::net {
namespace {

using ::testing::HasSubstr;
using testing::HttpServer;
using testing::TlsServer;

Request to(const std::string& url, const std::string& fingerprint = {}) {
  Request r;
  r.url = url;
  r.deadline = std::chrono::seconds(20);
  r.fingerprint = fingerprint;
  return r;
}

std::string hello(const std::string&) { return HttpServer::ok("hello"); }

/// The system's CA certificates are what this file says, while it lives.
class OnlyTrusted {
 public:
  explicit OnlyTrusted(const std::string& pem) {
    tree_.write("ca.pem", pem);
    ::setenv("SSL_CERT_FILE", (tree_ / "ca.pem").c_str(), 1);
  }
  ~OnlyTrusted() { ::unsetenv("SSL_CERT_FILE"); }
  OnlyTrusted(const OnlyTrusted&) = delete;
  OnlyTrusted& operator=(const OnlyTrusted&) = delete;

 private:
  testing::TempTree tree_;
};

TEST(Tls, ACertificateThatTheSystemVouchesForIsTrusted) {
  const TlsServer server(hello);
  const OnlyTrusted own(server.pem());
  const auto answer = http_request(to(server.url()));
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, "hello");
}

TEST(Tls, ASelfSignedOneIsNotAndItsFingerprintIsTold) {
  bool asked = false;
  const TlsServer server([&](const std::string& head) {
    asked = true;
    return hello(head);
  });
  const TlsServer other(hello);
  const OnlyTrusted somebody_else(other.pem());
  const auto answer = http_request(to(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, HasSubstr(server.fingerprint()));
  EXPECT_FALSE(asked) << "nothing, and no password, may be sent to somebody who is not trusted";
}

TEST(Tls, ATrustedCertificateOfAnotherNameIsNotTrusted) {
  const TlsServer server(hello, "bmc.example");
  const OnlyTrusted own(server.pem());
  const auto answer = http_request(to(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, HasSubstr("mismatch"));
}

TEST(Tls, APinnedCertificateIsTrustedWhateverItsNameAndSigner) {
  const TlsServer server(hello, "bmc.example");
  const auto answer = http_request(to(server.url(), server.fingerprint()));
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 200);
}

TEST(Tls, AnotherThanThePinnedCertificateIsNotTrustedEvenIfTheSystemVouchesForIt) {
  const TlsServer server(hello);
  const TlsServer other(hello);
  const OnlyTrusted own(server.pem());
  const auto answer = http_request(to(server.url(), other.fingerprint()));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, HasSubstr("not the certificate that was pinned"));
}

TEST(Tls, NoCertificatesAtAllIsAnErrorAndNoBlindTrust) {
  const TlsServer server(hello);
  const OnlyTrusted nobody("");
  const auto answer = http_request(to(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, HasSubstr("no CA certificates"));
}

TEST(Tls, APlainServerSpeaksNoTls) {
  const HttpServer server([](const std::string&) { return HttpServer::ok("x"); });
  Request r = to("https" + server.url().substr(4), std::string(64, 'A'));
  r.deadline = std::chrono::seconds(2);
  EXPECT_FALSE(http_request(r));
}

TEST(HttpClient, KeepsItsConnection) {
  const TlsServer server(hello);
  HttpClient client;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client.request(to(server.url(), server.fingerprint())));
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, OpensAConnectionThatTheServerHasClosedAnew) {
  int count = 0;
  const TlsServer server([&](const std::string& head) { return ++count == 2 ? std::string("close") : hello(head); });
  HttpClient client;
  EXPECT_TRUE(client.request(to(server.url(), server.fingerprint())));
  const auto again = client.request(to(server.url(), server.fingerprint()));
  EXPECT_TRUE(again) << (again ? "" : again.error().message());
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClient, AnotherServerIsAnotherConnection) {
  const TlsServer a(hello);
  const TlsServer b([](const std::string&) { return HttpServer::ok("b"); });
  HttpClient client;
  EXPECT_TRUE(client.request(to(a.url(), a.fingerprint())));
  EXPECT_EQ(client.request(to(b.url(), b.fingerprint()))->body, "b");
}

TEST(Fingerprint, ManySpellingsOfOneThing) {
  const std::string bare(64, 'a');
  EXPECT_EQ(normal_fingerprint(bare).size(), 95U);
  EXPECT_EQ(normal_fingerprint(normal_fingerprint(bare)), normal_fingerprint(bare));
  for (const std::string& odd : {std::string(), std::string(63, 'a'), std::string(64, 'g'), bare + "a"})
    EXPECT_EQ(normal_fingerprint(odd), "") << odd;
  EXPECT_EQ(http_request(to("https://127.0.0.1:1/", "zz")).error().kind, Error::Kind::usage);
}

TEST(BasicAuthorization, IsThatOfTheRfc) {
  EXPECT_EQ(basic_authorization("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic_authorization("", ""), "Basic Og==");
}

}  // namespace
}  // namespace gramwatt::net
