// Reading by toml++, which is heavy: this is the only file that includes it. Writing edits lines, because a round trip through
// a TOML writer would drop the user's comments.

#include "cli/config.hpp"

#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "base/file.hpp"
#include "base/system.hpp"
#include "base/text.hpp"
#include "cli/budget_request.hpp"
#include "net/http.hpp"
#include "place/find.hpp"

namespace gramwatt::cli {
namespace {

const std::vector<std::string>& keys() {
  static const std::vector<std::string> all{"zone",
                                            "place",
                                            "lat",
                                            "lon",
                                            "pue",
                                            "machine",
                                            "idle-owner",
                                            "project",
                                            "stage",
                                            "interval",
                                            "ledger",
                                            "network",
                                            "redfish",
                                            "redfish-user",
                                            "redfish-password",
                                            "redfish-fingerprint",
                                            "rapl-tree",
                                            "electricity-price",
                                            "grid-providers",
                                            "watttime-user",
                                            "watttime-password",
                                            "electricitymaps-token",
                                            "entsoe-token",
                                            "eia-key",
                                            "carbonawaresdk-url"};
  return all;
}

Error unknown_key(const std::string& key) {
  const auto meant = did_you_mean(key, keys());
  return {fmt::format("unknown key \"{}\"", key),
          {},
          meant ? fmt::format("did you mean {}?", *meant) : fmt::format("keys are {}", fmt::join(keys(), ", ")),
          Error::Kind::usage};
}

bool is_grid_access(const std::string& key) {
  const auto& known = grid_access_keys();
  return std::find(known.begin(), known.end(), key) != known.end();
}

/// What nobody else may read.
bool is_secret(const std::string& key) { return key == "redfish-password" || (is_grid_access(key) && !key.ends_with("-url")); }

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> out;
  for (const auto word : split(list, ',')) {
    if (!trim(word).empty()) out.emplace_back(trim(word));
  }
  return out;
}

Result<void> take(Config& c, const std::string& key, const std::string& value) {
  const auto into = [](auto& slot, auto checked) -> Result<void> {
    if (!checked) return tl::unexpected(checked.error());
    slot = *checked;
    return {};
  };
  if (key == "zone") c.zone = value;
  else if (key == "place") c.place = value;
  else if (key == "lat") return into(c.lat, check_latitude(value));
  else if (key == "lon") return into(c.lon, check_longitude(value));
  else if (key == "project") c.project = value;
  else if (key == "stage") c.stage = value;
  else if (key == "ledger") c.ledger = value;
  else if (key == "rapl-tree") c.rapl_tree = value;
  else if (key == "electricity-price") return into(c.electricity_price, check_price(value));
  else if (key == "redfish") return into(c.redfish, check_redfish(value));
  else if (key == "redfish-user") c.redfish_user = value;
  else if (key == "redfish-password") c.redfish_password = value;
  else if (key == "redfish-fingerprint") return into(c.redfish_fingerprint, check_fingerprint(value));
  else if (key == "grid-providers") c.grid_providers = words(value);
  else if (is_grid_access(key)) c.grid_access[key] = value;
  else if (key == "pue") return into(c.pue, check_pue(value));
  else if (key == "machine") return into(c.machine, check_machine(value));
  else if (key == "idle-owner") return into(c.idle_owner, check_idle_owner(value));
  else if (key == "interval") return into(c.interval, check_interval(value));
  else if (key == "network") {
    if (value != "true" && value != "false")
      return fail(fmt::format("\"{}\" is neither true nor false", value), "network", {}, Error::Kind::usage);
    c.network = value == "true";
  } else {
    return tl::unexpected(unknown_key(key));
  }
  return {};
}

std::string text_of(const toml::node& node) {
  if (const auto* list = node.as_array()) {
    std::string all;
    for (const toml::node& entry : *list) all += (all.empty() ? "" : ",") + text_of(entry);
    return all;
  }
  if (const auto s = node.value<std::string>()) return *s;
  if (node.is_boolean()) return *node.value<bool>() ? "true" : "false";
  if (const auto d = node.value<double>()) return fmt::format("{}", *d);
  return "?";
}

/// The price may stand behind it: amounts of money are checked when they are used.
void take_budget(Config& c, const std::string& project, const toml::node& node, const std::filesystem::path& path) {
  const std::string text = text_of(node);
  const auto checked = parse_period_budget(text, Price{1, {}}, {});
  if (checked) c.budgets[project] = text;
  else
    c.problems.push_back(fmt::format("{}:{}: {}; this project has no budget", path.string(), node.source().begin.line,
                                     checked.error().message()));
}

/// How a value is written: numbers and booleans bare, all else as a basic string.
std::string literal(const std::string& key, const std::string& value) {
  if (key == "pue" || key == "network" || key == "lat" || key == "lon") return value;
  std::string out = "\"";
  for (const char ch : value) {
    if (ch == '"' || ch == '\\') out += '\\';
    out += ch;
  }
  return out + '"';
}

bool others_may_read(const std::filesystem::path& path) {
  using std::filesystem::perms;
  std::error_code ec;
  const perms mode = std::filesystem::status(path, ec).permissions();
  return ec || (mode & (perms::group_all | perms::others_all)) != perms::none;
}

/// Is this line "key = …" at the top level?
bool sets(std::string_view line, std::string_view key) {
  line = trim(line);
  if (!line.starts_with(key)) return false;
  return trim(line.substr(key.size())).starts_with('=');
}

}  // namespace

std::filesystem::path config_path() {
  if (const auto p = environment("GRAMWATT_CONFIG")) return *p;
  return xdg_config_home() / "gramwatt" / "config.toml";
}

Config load_config(const std::filesystem::path& path) {
  Config config;
  const auto text = read_file(path);
  if (!text) {
    if (text.error().kind != Error::Kind::missing) config.problems.push_back(text.error().message());
    return config;
  }
  toml::table table;
  try {
    table = toml::parse(*text);
  } catch (const toml::parse_error& e) {
    config.problems.push_back(
        fmt::format("{}:{}: {}; the whole file is ignored", path.string(), e.source().begin.line, e.description()));
    return config;
  }
  const bool secret = !others_may_read(path);
  for (const auto& [key, node] : table) {
    std::string name(key.str());
    std::replace(name.begin(), name.end(), '_', '-');
    if (name == "budgets" && node.is_table()) {
      for (const auto& [project, budget] : *node.as_table()) take_budget(config, std::string(project.str()), budget, path);
      continue;
    }
    if (is_secret(name) && !secret) {
      config.problems.push_back(fmt::format("{}: others may read this file, so {} in it is not used (chmod 600 {})",
                                            path.string(), name, path.string()));
      continue;
    }
    if (const auto taken = take(config, name, text_of(node)); !taken) {
      config.problems.push_back(fmt::format("{}:{}: {}", path.string(), node.source().begin.line, taken.error().message()));
    }
  }
  return config;
}

std::vector<std::pair<std::string, std::string>> config_values(const Config& c) {
  const auto text = [](const std::optional<std::string>& v) { return v.value_or(""); };
  std::vector<std::pair<std::string, std::string>> grid{
      {"grid-providers", fmt::format("{}", fmt::join(c.grid_providers, ","))}};
  for (const std::string& key : grid_access_keys()) {
    const auto it = c.grid_access.find(key);
    grid.emplace_back(key, it == c.grid_access.end() ? "" : is_secret(key) ? "(set)" : it->second);
  }
  std::vector<std::pair<std::string, std::string>> all{
      {"zone", text(c.zone)},
      {"place", text(c.place)},
      {"lat", text(c.lat)},
      {"lon", text(c.lon)},
      {"pue", c.pue ? fmt::format("{}", *c.pue) : ""},
      {"machine", text(c.machine)},
      {"idle-owner", c.idle_owner ? std::string(to_string(*c.idle_owner)) : ""},
      {"project", text(c.project)},
      {"stage", text(c.stage)},
      {"interval", c.interval ? fmt::format("{}ms", c.interval->count() / 1'000'000) : ""},
      {"ledger", text(c.ledger)},
      {"network", c.network ? "true" : "false"},
      {"redfish", text(c.redfish)},
      {"redfish-user", text(c.redfish_user)},
      {"redfish-password", c.redfish_password ? "(set)" : ""},
      {"redfish-fingerprint", text(c.redfish_fingerprint)},
      {"rapl-tree", text(c.rapl_tree)},
      {"electricity-price", text(c.electricity_price)}};
  all.insert(all.end(), grid.begin(), grid.end());
  return all;
}

const std::vector<std::string>& grid_access_keys() {
  static const std::vector<std::string> all{"watttime-user", "watttime-password", "electricitymaps-token",
                                            "entsoe-token",  "eia-key",           "carbonawaresdk-url"};
  return all;
}

Result<void> set_config(const std::filesystem::path& path, const std::string& key, const std::string& value) {
  Config scratch;
  if (value.empty()) {
    if (std::find(keys().begin(), keys().end(), key) == keys().end()) return tl::unexpected(unknown_key(key));
  } else if (const auto checked = take(scratch, key, value); !checked) {
    return checked;
  }
  if (key == "place" && !value.empty()) {
    if (const auto place = place::find_by_words(value, "place"); !place) return tl::unexpected(place.error());
  }
  std::string old;
  if (auto text = read_file(path)) old = std::move(*text);
  else if (text.error().kind != Error::Kind::missing) return tl::unexpected(text.error());

  const std::string line = value.empty() ? "" : fmt::format("{} = {}\n", key, literal(key, value));
  std::string text;
  bool done = false;
  bool top_level = true;
  std::string_view rest = old;
  while (const auto next = next_line(rest)) {
    if (top_level && trim(*next).starts_with('[')) {  // a table begins: what is set must stand before it
      if (!done) text += line;
      done = true;
      top_level = false;
    }
    std::string underscored = key;
    std::replace(underscored.begin(), underscored.end(), '-', '_');
    if (top_level && (sets(*next, key) || sets(*next, underscored))) {
      if (!done) text += line;
      done = true;
    } else {
      text += std::string(*next) + "\n";
    }
  }
  if (!done) text += line;
  return write_file_atomically(path, text, 0600);
}

Result<std::string> check_latitude(const std::string& text) {
  if (const auto point = place::parse_coordinates(text, "0"); !point) return tl::unexpected(point.error());
  return text;
}

Result<std::string> check_longitude(const std::string& text) {
  if (const auto point = place::parse_coordinates("0", text); !point) return tl::unexpected(point.error());
  return text;
}

Result<double> check_pue(const std::string& text) {
  const auto v = parse_number<double>(text);
  // The best published is 1.02; above 5 somebody mistyped.
  if (!v || *v < 1 || *v > 5)
    return fail(fmt::format("\"{}\" is no power usage effectiveness", text), "pue", "a number from 1.0 to 5",
                Error::Kind::usage);
  return *v;
}

Result<std::string> check_price(const std::string& text) {
  if (const auto price = parse_price(text); !price) return tl::unexpected(price.error());
  return text;
}

Result<std::string> check_redfish(const std::string& text) {
  if (const auto url = net::parse_url(text); !url) return tl::unexpected(url.error());
  return text;
}

Result<std::string> check_fingerprint(const std::string& text) {
  std::string normal = net::normal_fingerprint(text);
  if (!normal.empty()) return normal;
  return fail("not the SHA-256 of a certificate", "redfish-fingerprint", "64 hexadecimal digits", Error::Kind::usage);
}

Result<Nanoseconds> check_interval(const std::string& text) {
  auto d = parse_duration(text);
  if (!d) return d;
  if (*d < std::chrono::milliseconds(1) || *d > std::chrono::minutes(1)) {
    return fail(fmt::format("\"{}\" is out of range", text), "interval", "1ms to 1min", Error::Kind::usage);
  }
  return d;
}

Result<IdleOwner> check_idle_owner(const std::string& text) {
  if (const auto owner = parse_idle_owner(text)) return *owner;
  return fail(fmt::format("\"{}\" does not own idle power", text), "idle-owner", "job or host", Error::Kind::usage);
}

Result<std::string> check_machine(const std::string& text) {
  if (text == "shared" || text == "owned" || text == "rented") return text;
  return fail(fmt::format("\"{}\" is no kind of machine", text), "machine", "shared, owned or rented", Error::Kind::usage);
}

}  // namespace gramwatt::cli
