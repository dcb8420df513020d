#include "grid/provider.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "grid/web_provider.hpp"
#include "net/http.hpp"

namespace gramwatt::grid {
namespace {

struct Known {
  ProviderFacts facts;
  std::unique_ptr<Provider> (*make)(ProviderSettings);
};

/// The richest signals first.
const std::vector<Known>& known() {
  static const std::vector<Known> table{
      {{"watttime",
        "marginal, US and much of the world by plan; free: California north (CAISO_NORTH)",
        SignalKind::marginal,
        true,
        {"user", "password"},
        "https://api.watttime.org",
        "GRAMWATT_WATTTIME_URL",
        "account (free or paid); data not to be passed on; 3,000 requests in 5 minutes"},
       make_watttime},
      {{"electricitymaps",
        "most zones of the world, consumption; free token: one zone, last 24 hours",
        SignalKind::average,
        true,
        {"token"},
        "https://api.electricitymaps.com",
        "GRAMWATT_ELECTRICITYMAPS_URL",
        "account (free or paid); data not to be passed on; limits by plan"},
       make_electricitymaps},
      {{"uk",
        "Great Britain, national or its 17 regions by postcode",
        SignalKind::average,
        true,
        {},
        "https://api.carbonintensity.org.uk",
        "GRAMWATT_UK_URL",
        "CC BY 4.0 (NESO); no key"},
       make_uk},
      {{"energycharts",
        "European countries",
        SignalKind::average,
        true,
        {},
        "https://api.energy-charts.info",
        "GRAMWATT_ENERGYCHARTS_URL",
        "no key; terms at its site (Fraunhofer ISE)"},
       make_energycharts},
      {{"entsoe",
        "European bidding zones, from generation by type",
        SignalKind::average,
        false,
        {"token"},
        "https://web-api.tp.entsoe.eu",
        "GRAMWATT_ENTSOE_URL",
        "CC BY 4.0 (free re-use list); free token; 400 requests a minute"},
       make_entsoe},
      {{"eia",
        "US balancing authorities, from generation by fuel, a day late",
        SignalKind::average,
        false,
        {"key"},
        "https://api.eia.gov",
        "GRAMWATT_EIA_URL",
        "public domain; free key"},
       make_eia},
      {{"carbonawaresdk",
        "what a Carbon Aware SDK server of your own covers",
        SignalKind::average,
        true,
        {},
        "",
        "GRAMWATT_CARBONAWARESDK_URL",
        "those of the source behind it"},
       make_carbonawaresdk},
  };
  return table;
}

/// "GRAMWATT_WATTTIME_PASSWORD": the variable beside the one of the address.
std::string variable_of(const ProviderFacts& facts, const std::string& secret) {
  std::string name = facts.url_variable.substr(0, facts.url_variable.rfind('_') + 1);
  for (const char c : secret) name += static_cast<char>(c - 'a' + 'A');
  return name;
}

/// Plain http that leaves this machine.
bool is_overheard(const net::Url& url) {
  return !url.tls && url.host != "localhost" && url.host != "::1" && !url.host.starts_with("127.");
}

Result<void> check(const ProviderFacts& facts, const ProviderSettings& settings) {
  const auto usage = [&](std::string what, std::string remedy) {
    return fail(std::move(what), facts.name, std::move(remedy), Error::Kind::usage);
  };
  for (const std::string& secret : facts.secrets) {
    const auto it = settings.secrets.find(secret);
    const std::string variable = variable_of(facts, secret);
    if (it == settings.secrets.end() || it->second.empty())
      return usage("needs a " + secret, fmt::format("set {}, or {} in the configuration", variable, secret));
    // It goes into a header or an address; a line break from a file would end the header.
    if (std::any_of(it->second.begin(), it->second.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
      return usage("a " + secret + " with a line break or another control character in it", "check " + variable);
  }
  if (settings.base_url.empty() && facts.default_url.empty())
    return usage("needs the address of the server", "set " + facts.url_variable + ", or url in the configuration");
  if (!settings.base_url.empty()) {
    const auto url = net::parse_url(settings.base_url);
    if (!url) return usage("an address that is none: " + url.error().what, "check " + facts.url_variable);
    if (url->target.find('?') != std::string::npos) return usage("an address with a query", "check " + facts.url_variable);
  }
  if (!settings.base_url.empty() && !facts.secrets.empty() && is_overheard(*net::parse_url(settings.base_url)))
    return usage("its key would travel unencrypted", "use https for " + facts.url_variable);
  if (settings.factor != "direct" && settings.factor != "lifecycle")
    return usage("no factor: \"" + settings.factor + "\"", "direct or lifecycle");
  return {};
}

}  // namespace

const std::vector<ProviderFacts>& provider_facts() {
  static const std::vector<ProviderFacts> facts = [] {
    std::vector<ProviderFacts> all;
    for (const Known& k : known()) all.push_back(k.facts);
    return all;
  }();
  return facts;
}

Result<std::unique_ptr<Provider>> make_provider(std::string_view name, ProviderSettings settings) {
  for (const Known& k : known()) {
    if (k.facts.name != name) continue;
    if (auto ok = check(k.facts, settings); !ok) return tl::unexpected(ok.error());
    settings.tries = std::max(settings.tries, 1);
    return k.make(std::move(settings));
  }
  std::vector<std::string> names;
  for (const Known& k : known()) names.push_back(k.facts.name);
  const auto near = did_you_mean(name, names);
  std::string all;
  for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
  return fail("no such provider", std::string(name), near ? "did you mean " + *near + "?" : "known: " + all,
              Error::Kind::missing);
}

}  // namespace gramwatt::grid
