// The node's management controller, as configured.
//
// Basic authentication (DSP0266, 13.3.2), not sessions: a session that a killed program leaves behind is one of the few that a
// controller has. One connection is kept, so that the handshake, dear for a small controller, is made once a run. A password is
// sent over https only, and never printed.

#include "cli/redfish.hpp"

#include <memory>

#include <fmt/format.h>

#include "base/system.hpp"
#include "net/http.hpp"

namespace gramwatt::cli {
namespace {

/// A controller that is asked for several resources in turn answers each in up to a second.
constexpr std::chrono::milliseconds kDeadline{3000};
constexpr std::size_t kLargestAnswer = 1U << 20U;

struct Access {
  std::string server;  ///< "https://bmc:443"
  std::string authorization, fingerprint;
};

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

/// One path, on a connection that is kept.
class Service {
 public:
  explicit Service(Access access) : access_(std::move(access)) {}
  Result<std::string> get(const std::string& path) {
    net::Request request;
    request.url = access_.server + path;
    request.headers = {{"Accept", "application/json"}, {"OData-Version", "4.0"}};
    if (!access_.authorization.empty()) request.headers.emplace_back("Authorization", access_.authorization);
    request.deadline = kDeadline;
    request.body_limit = kLargestAnswer;
    request.fingerprint = access_.fingerprint;
    auto answer = client_.request(request);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status == 200) return std::move(answer->body);
    const bool barred = answer->status == 401 || answer->status == 403;
    return fail(fmt::format("HTTP status {}", answer->status), request.url,
                barred ? "check redfish-user and redfish-password (gramwatt config)" : "");
  }

 private:
  Access access_;
  net::HttpClient client_;
};

}  // namespace

job::MachineOptions machine_options(const Settings& settings) {
  const Config& config = settings.config;
  const auto value = [](const char* name, const std::optional<std::string>& otherwise) {
    auto v = environment(name);
    if (!v) v = otherwise;
    return v;
  };
  job::MachineOptions options;
  if (const auto tree = value("GRAMWATT_RAPL_TREE", config.rapl_tree)) options.rapl.tree = *tree;
  const auto url = value("GRAMWATT_REDFISH_URL", config.redfish);
  if (!url || !settings.network) return options;
  const auto refuse = [&](Error why) {
    options.bmc.redfish = [why = std::move(why)](const std::string&) -> Result<std::string> { return tl::unexpected(why); };
    return options;
  };
  const auto parts = net::parse_url(*url);
  if (!parts) return refuse(parts.error());
  Access access;
  const std::string host = parts->host.find(':') == std::string::npos ? parts->host : "[" + parts->host + "]";
  access.server = fmt::format("{}://{}:{}", parts->tls ? "https" : "http", host, parts->port);
  access.fingerprint = value("GRAMWATT_REDFISH_FINGERPRINT", config.redfish_fingerprint).value_or("");
  if (const auto user = value("GRAMWATT_REDFISH_USER", config.redfish_user)) {
    if (!parts->tls && !is_loopback(parts->host))
      return refuse({"a password is sent over https only", *url, "write the address with https://", Error::Kind::usage});
    access.authorization =
        net::basic_authorization(*user, value("GRAMWATT_REDFISH_PASSWORD", config.redfish_password).value_or(""));
  }
  if (parts->target != "/") options.bmc.redfish_path = parts->target;
  options.bmc.redfish = [service = std::make_shared<Service>(std::move(access))](const std::string& path) {
    return service->get(path);
  };
  return options;
}

}  // namespace gramwatt::cli
