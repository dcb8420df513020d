#include "job/control.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "base/system.hpp"
#include "fakes/temp_tree.hpp"

namespace gramwatt::job {
namespace {

class Control : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("XDG_RUNTIME_DIR", (folder_ / "").c_str(), 1); }
  void TearDown() override { ::unsetenv("XDG_RUNTIME_DIR"); }
  testing::TempTree folder_;
};

Result<std::string> ask(ControlServer& server, const std::string& id, const std::string& question) {
  Result<std::string> said = std::string();
  std::thread asks([&] { said = ask_job(id, question); });
  pollfd wait{server.fd(), POLLIN, 0};
  ::poll(&wait, 1, 5000);
  server.serve([](const std::string& q) -> Result<std::string> {
    if (q == "pause") return std::string("it pauses");
    return fail("not understood", q, "ask for something else");
  });
  asks.join();
  return said;
}

TEST_F(Control, AQuestionIsAnsweredAndARefusalIsAnError) {
  auto server = ControlServer::open("01RUN");
  ASSERT_TRUE(server) << server.error().message();
  EXPECT_EQ(ask(*server, "01RUN", "pause"), "it pauses");
  const auto refused = ask(*server, "01RUN", "dance");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("not understood"), std::string::npos);
}

TEST_F(Control, NobodyAnswersForAJobWhoseGramwattIsGone) {
  { auto server = ControlServer::open("01RUN"); }
  EXPECT_EQ(ask_job("01RUN", "pause").error().kind, Error::Kind::missing);
}

TEST_F(Control, AFolderOfSomebodyElseIsRefused) {
  std::filesystem::create_directory(folder_ / "gramwatt");
  std::filesystem::permissions(folder_ / "gramwatt", std::filesystem::perms::all);
  EXPECT_FALSE(ControlServer::open("01RUN"));
}

}  // namespace
}  // namespace gramwatt::job
