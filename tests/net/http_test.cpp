#include "net/http.hpp"

#include <gtest/gtest.h>

#include "fakes/http_server.hpp"

namespace gramwatt::net {
namespace {

using testing::HttpServer;

Request to(const std::string& url) {
  Request r;
  r.url = url;
  r.deadline = std::chrono::seconds(20);  // generous: only silence waits for it
  return r;
}

TEST(Http, SendsMethodHeadersAndPathAndReadsTheAnswer) {
  std::string head;
  const HttpServer server([&](const std::string& h) {
    head = h;
    return HttpServer::ok("hello");
  });
  Request r = to(server.url() + "/a/b?c=d");
  r.method = "PUT";
  r.headers = {{"X-Token", "t"}};
  const auto answer = http_request(r);
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
  EXPECT_TRUE(head.starts_with("PUT /a/b?c=d HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("X-Token: t\r\n"), std::string::npos);
}

TEST(Http, AStatusIsAnAnswerNotAnError) {
  const HttpServer server([](const std::string&) { return HttpServer::not_found(); });
  EXPECT_EQ(http_request(to(server.url()))->status, 404);
}

TEST(Http, ChunkedAnswersAreJoined) {
  const HttpServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  });
  EXPECT_EQ(http_request(to(server.url()))->body, "abcde");
}

TEST(Http, SilenceGarbageAndTooMuchAreErrorsInTime) {
  for (const std::string& bad : {std::string("hang"), std::string("SSH-2.0-OpenSSH\r\n"),
                                 std::string("HTTP/1.1 200 OK\r\nContent-Le"), HttpServer::ok(std::string(100'000, 'x'))}) {
    const HttpServer server([&](const std::string&) { return bad; });
    Request r = to(server.url());
    if (bad == "hang") r.deadline = std::chrono::milliseconds(200);
    const auto answer = http_request(r);
    ASSERT_FALSE(answer) << bad.size() << " " << bad.substr(0, 30);
    EXPECT_EQ(answer.error().kind, Error::Kind::unavailable);
  }
}

TEST(Http, NobodyThereIsAnError) { EXPECT_FALSE(http_request(to("http://127.0.0.1:1/"))); }

TEST(Url, IsTakenApart) {
  EXPECT_EQ(parse_url("http://h:81/p?q")->port, "81");
  EXPECT_EQ(parse_url("http://h")->target, "/");
  EXPECT_EQ(parse_url("http://[::1]:8/x")->host, "::1");
  EXPECT_EQ(parse_url("https://h/")->port, "443");
  EXPECT_TRUE(parse_url("https://h/")->tls);
  for (const char* wrong : {"", "h", "https://", "http://", "http://user:secret@h/", "http://h:x/", "http://h/a b", "ftp://h",
                            "http://h/\r\nX: y"}) {
    EXPECT_FALSE(parse_url(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace gramwatt::net
