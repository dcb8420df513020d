// The real binary and a fake management controller on loopback, https with a certificate of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "fakes/http_server.hpp"
#include "fakes/temp_tree.hpp"
#include "fakes/tls_server.hpp"

namespace gramwatt {
namespace {

using ::testing::HasSubstr;
using testing::HttpServer;
using ::testing::Not;
using testing::TlsServer;

class RedfishEndToEnd : public ::testing::Test {
 protected:
  std::string answer(const std::string& head) {
    // "operator:geheim"
    if (head.find("Authorization: Basic b3BlcmF0b3I6Z2VoZWlt\r\n") == std::string::npos) {
      ++refused_;
      return "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    }
    if (head.starts_with("GET /redfish/v1/Chassis HTTP"))
      return HttpServer::ok(R"({"Members":[{"@odata.id":"/redfish/v1/Chassis/1"}]})");
    if (head.starts_with("GET /redfish/v1/Chassis/1 HTTP"))
      return HttpServer::ok(
          R"({"ChassisType":"RackMount","Links":{"ComputerSystems":[{"@odata.id":"/redfish/v1/Systems/1"}]}})");
    if (head.starts_with("GET /redfish/v1/Chassis/1/Power HTTP"))
      return HttpServer::ok(R"({"PowerControl":[{"PowerConsumedWatts":444}]})");
    return HttpServer::not_found();
  }

  void set(const std::string& name, const std::string& value) { environment_ += name + "='" + value + "' "; }
  void account(const std::string& password = "geheim") {
    set("GRAMWATT_REDFISH_USER", "operator");
    set("GRAMWATT_REDFISH_PASSWORD", password);
  }

  struct Outcome {
    int exit_code = -1;
    std::string output;  ///< standard output and error, every white space a single blank
  };
  Outcome gramwatt(const std::string& arguments) {
    const std::string command = "env -u GRAMWATT_NO_NETWORK HOME='" + home_.root().string() +
                                "' XDG_DATA_HOME= XDG_CONFIG_HOME= " + "GRAMWATT_SYSFS='" + (home_ / "sys").string() + "' " +
                                environment_ + GRAMWATT_BINARY + " " + arguments + " 2>&1";
    Outcome outcome;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
      for (const char ch : std::string_view(buffer.data(), n)) {
        const bool space = std::isspace(static_cast<unsigned char>(ch)) != 0;
        if (!space) outcome.output += ch;
        else if (!outcome.output.ends_with(' ')) outcome.output += ' ';
      }
    }
    const int status = ::pclose(pipe);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

  testing::TempTree home_;
  std::string environment_;
  std::atomic<int> refused_ = 0;
  TlsServer server_{[this](const std::string& head) { return answer(head); }};
};

TEST_F(RedfishEndToEnd, ARunIsMeasuredAtTheNode) {
  account();
  set("GRAMWATT_REDFISH_URL", server_.url());
  set("GRAMWATT_REDFISH_FINGERPRINT", server_.fingerprint());
  const Outcome run = gramwatt("run --no-ledger --json - -q -- true");
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("power reading of the BMC (Redfish)"));
  EXPECT_THAT(run.output, Not(HasSubstr("geheim")));
  EXPECT_EQ(server_.connections(), 1) << "one handshake a run";
}

TEST_F(RedfishEndToEnd, LookingUpANameTakesNoSignalsFromTheRun) {
  account();
  set("GRAMWATT_REDFISH_URL", server_.url("localhost"));
  set("GRAMWATT_REDFISH_FINGERPRINT", server_.fingerprint());
  for (int i = 0; i < 5; ++i) {
    const Outcome run = gramwatt("run --no-ledger --json - -q -- true");  // its end is a signal
    EXPECT_THAT(run.output, HasSubstr("power reading of the BMC (Redfish)"));
  }
}

TEST_F(RedfishEndToEnd, WhoIsNotTrustedGetsNoPasswordAndTheRunGoesOn) {
  account();
  set("GRAMWATT_REDFISH_URL", server_.url());
  const Outcome doctor = gramwatt("doctor --json -");
  EXPECT_THAT(doctor.output, HasSubstr(server_.fingerprint()));
  EXPECT_THAT(doctor.output, HasSubstr("not trusted"));
  EXPECT_EQ(server_.connections(), 0);
  EXPECT_EQ(gramwatt("run --no-ledger -q -- sh -c 'exit 7'").exit_code, 7);
}

TEST_F(RedfishEndToEnd, AWrongPasswordIsNamedAndNotPrinted) {
  account("falsch");
  set("GRAMWATT_REDFISH_URL", server_.url());
  set("GRAMWATT_REDFISH_FINGERPRINT", server_.fingerprint());
  const Outcome doctor = gramwatt("doctor");
  EXPECT_THAT(doctor.output, HasSubstr("HTTP status 401"));
  EXPECT_THAT(doctor.output, HasSubstr("redfish-password"));
  EXPECT_THAT(doctor.output, Not(HasSubstr("falsch")));
  EXPECT_GT(refused_, 0);
}

TEST_F(RedfishEndToEnd, WithoutNetworkNobodyIsAsked) {
  account();
  set("GRAMWATT_REDFISH_URL", server_.url());
  set("GRAMWATT_REDFISH_FINGERPRINT", server_.fingerprint());
  EXPECT_THAT(gramwatt("doctor --no-network").output, Not(HasSubstr("Redfish")));
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(RedfishEndToEnd, APasswordIsNotSentInClear) {
  account();
  set("GRAMWATT_REDFISH_URL", "http://192.0.2.1");  // never asked: it would be sent there
  const Outcome doctor = gramwatt("doctor");
  EXPECT_THAT(doctor.output, HasSubstr("over https only"));
}

TEST_F(RedfishEndToEnd, TheConfigurationHoldsAPasswordThatNobodyElseMayReadAndNeverShowsIt) {
  const auto configure = [&](const std::string& key, const std::string& value) {
    EXPECT_EQ(gramwatt("config set " + key + " '" + value + "'").exit_code, 0);
  };
  configure("redfish", server_.url());
  configure("redfish-user", "operator");
  configure("redfish-password", "geheim");
  configure("redfish-fingerprint", server_.fingerprint());
  EXPECT_THAT(gramwatt("config get").output, Not(HasSubstr("geheim")));
  EXPECT_THAT(gramwatt("config get redfish-password").output, HasSubstr("(set)"));
  EXPECT_THAT(gramwatt("doctor").output, HasSubstr("power reading of the BMC (Redfish)"));

  ::chmod((home_ / ".config/gramwatt/config.toml").c_str(), 0644);
  const Outcome doctor = gramwatt("config get");
  EXPECT_THAT(doctor.output, HasSubstr("others may read this file"));
  EXPECT_THAT(doctor.output, HasSubstr("chmod 600"));
  EXPECT_THAT(gramwatt("doctor").output, HasSubstr("HTTP status 401"));
}

TEST_F(RedfishEndToEnd, NonsenseInTheConfigurationIsRefused) {
  EXPECT_NE(gramwatt("config set redfish ftp://bmc").exit_code, 0);
  EXPECT_NE(gramwatt("config set redfish-fingerprint 12:34").exit_code, 0);
}

}  // namespace
}  // namespace gramwatt
