// Sources: AWS "Instance identity documents" and IMDSv2; Azure "Instance Metadata Service"; Google "VM metadata"; DMI strings
// as cloud-init knows them. Only instance type, region and zone are read. Never a path that holds credentials.

#include "place/metadata.hpp"

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"
#include "net/http.hpp"

namespace gramwatt::place {
namespace {

// The service answers from the host itself, in a few milliseconds; where nobody is there, nobody must wait.
constexpr std::chrono::milliseconds kDeadline{250};

Result<std::string> ask(const std::string& method, const std::string& url,
                        std::vector<std::pair<std::string, std::string>> headers) {
  net::Request request;
  request.method = method;
  request.url = url;
  request.headers = std::move(headers);
  request.deadline = kDeadline;
  auto answer = net::http_request(request);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status != 200) return fail("status " + std::to_string(answer->status), url, {}, Error::Kind::unavailable);
  return std::move(answer->body);
}

/// Only what a name may consist of: this text ends up in records and on terminals.
bool is_plain(std::string_view s) {
  return !s.empty() && s.size() <= 64 &&
         s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == std::string_view::npos;
}

Result<Cloud> checked(std::string provider, std::string instance, std::string region) {
  if (!is_plain(region) || (!instance.empty() && !is_plain(instance)))
    return fail("an answer without a region", provider + " metadata");
  return Cloud{std::move(provider), std::move(instance), std::move(region)};
}

std::string member(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

Result<Cloud> ask_aws(const std::string& base) {
  const auto token = ask("PUT", base + "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}});
  if (!token) return tl::unexpected(token.error());
  const auto document = ask("GET", base + "/latest/dynamic/instance-identity/document",
                            {{"X-aws-ec2-metadata-token", std::string(trim(*token))}});
  if (!document) return tl::unexpected(document.error());
  return parse_aws_document(*document);
}

Result<Cloud> ask_azure(const std::string& base) {
  const auto compute =
      ask("GET", base + "/metadata/instance/compute?api-version=2021-02-01&format=json", {{"Metadata", "true"}});
  if (!compute) return tl::unexpected(compute.error());
  return parse_azure_compute(*compute);
}

Result<Cloud> ask_gcp(const std::string& base) {
  const std::vector<std::pair<std::string, std::string>> flavour{{"Metadata-Flavor", "Google"}};
  const auto zone = ask("GET", base + "/computeMetadata/v1/instance/zone", flavour);
  if (!zone) return tl::unexpected(zone.error());
  const auto type = ask("GET", base + "/computeMetadata/v1/instance/machine-type", flavour);
  return parse_gcp(type.value_or(""), *zone);
}

}  // namespace

std::optional<std::string> provider_by_firmware(const Roots& roots) {
  const auto dmi = [&](const char* name) { return read_line_or_empty(roots.sysfs / "class" / "dmi" / "id" / name); };
  const std::string vendor = dmi("sys_vendor");
  if (vendor == "Amazon EC2" || dmi("bios_vendor") == "Amazon EC2") return "aws";
  if (dmi("product_name") == "Google Compute Engine") return "gcp";
  // Every Hyper-V guest is Microsoft's; the chassis asset tag is Azure's.
  if (vendor == "Microsoft Corporation" && dmi("chassis_asset_tag") == "7783-7084-3265-9085-8269-3286-77") return "azure";
  return std::nullopt;
}

Result<Cloud> ask_metadata(const std::string& provider, const std::string& base) {
  if (provider == "aws") return ask_aws(base);
  if (provider == "azure") return ask_azure(base);
  return ask_gcp(base);
}

Result<Cloud> parse_aws_document(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return fail("an answer that is no JSON object", "aws metadata");
  return checked("aws", member(json, "instanceType"), member(json, "region"));
}

Result<Cloud> parse_azure_compute(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return fail("an answer that is no JSON object", "azure metadata");
  return checked("azure", member(json, "vmSize"), lower(member(json, "location")));
}

Result<Cloud> parse_gcp(const std::string& machine_type, const std::string& zone) {
  // "projects/123/zones/europe-west1-b"
  const std::string_view path = trim(zone);
  const std::string_view name = path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos) return fail("an answer without a region", "gcp metadata");
  const std::string_view type = trim(machine_type);
  return checked("gcp", std::string(type.substr(type.rfind('/') == std::string_view::npos ? 0 : type.rfind('/') + 1)),
                 std::string(name.substr(0, dash)));
}

}  // namespace gramwatt::place
