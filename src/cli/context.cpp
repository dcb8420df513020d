#include "cli/context.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/grid_access.hpp"
#include "footprint/footprint.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::cli {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

bool at_home(const sense::CpuIdentity& cpu) {
  return cpu.machine_class == sense::MachineClass::desktop || cpu.machine_class == sense::MachineClass::laptop;
}

footprint::Machine parts_of(const job::Machine& machine, const place::Place& place, const std::vector<std::string>& gpus) {
  footprint::Machine m;
  m.guest = machine.cpu.is_guest();
  m.laptop_or_desktop = at_home(machine.cpu);
  m.threads = machine.cpu.threads;
  m.host_threads = machine.model.host_threads;
  m.packages = machine.cpu.packages;
  m.memory_gb = machine.cpu.memory_gb;
  if (place.cloud) {
    m.provider = place.cloud->provider;
    m.instance = place.cloud->instance;
  }
  m.gpus = gpus;
  return m;
}

ledger::Host host_of(const job::Machine& machine, const place::Place& place, const std::string& kind,
                     std::vector<std::string> gpus, bool elsewhere) {
  ledger::Host h;
  if (!elsewhere) h.hostname = host_name();
  h.cpu = machine.cpu.name;
  h.cpus = machine.cpu.threads;
  h.memory_gb = machine.cpu.memory_gb;
  h.is_virtual = machine.cpu.is_guest();
  if (place.cloud) {
    h.cloud_provider = place.cloud->provider;
    h.cloud_instance = place.cloud->instance;
    h.cloud_region = place.cloud->region;
  }
  h.gpus = std::move(gpus);
  h.machine = kind;
  return h;
}

}  // namespace

Settings settings_of(const Invocation& invocation) {
  Settings s;
  s.config = load_config(config_path());
  s.quiet = invocation.has("quiet");
  s.verbose = invocation.has("verbose");
  const auto forbidden = environment("GRAMWATT_NO_NETWORK");
  s.network = s.config.network && !invocation.has("no-network") && (!forbidden || *forbidden == "0");
  s.ledger = ledger::default_path();
  if (const auto path = invocation.get("ledger")) s.ledger = *path;
  else if (s.config.ledger && !environment("GRAMWATT_LEDGER")) s.ledger = *s.config.ledger;
  s.json = invocation.get("json");
  return s;
}

Result<Surroundings> surroundings_of(const Invocation& invocation, const Config& config) {
  Surroundings s;
  s.said = {invocation.get("zone"), invocation.get("lat"), invocation.get("lon"), invocation.get("place")};
  s.pue = config.pue;
  s.pue_origin = "configuration";
  s.machine = config.machine;
  s.idle_owner = config.idle_owner;
  const auto take_pue = [&](const std::string& text, const char* origin) -> Result<void> {
    const auto pue = check_pue(text);
    if (!pue) return tl::unexpected(pue.error());
    s.pue = *pue;
    s.pue_origin = origin;
    return {};
  };
  if (const auto v = environment("GRAMWATT_PUE")) {
    if (auto r = take_pue(*v, "GRAMWATT_PUE"); !r) return tl::unexpected(r.error());
  }
  if (const auto v = invocation.get("pue")) {
    if (auto r = take_pue(*v, "--pue"); !r) return tl::unexpected(r.error());
  }
  if (const auto v = invocation.get("machine")) {
    const auto machine = check_machine(*v);
    if (!machine) return tl::unexpected(machine.error());
    s.machine = *machine;
  }
  if (const auto v = invocation.get("idle-owner")) {
    const auto owner = check_idle_owner(*v);
    if (!owner) return tl::unexpected(owner.error());
    s.idle_owner = *owner;
  }
  return s;
}

place::Query place_query(const Surroundings& s, const Settings& settings) {
  place::Query q;
  q.option = s.said;
  q.environment = {environment("GRAMWATT_ZONE"), environment("GRAMWATT_LAT"), environment("GRAMWATT_LON"),
                   environment("GRAMWATT_PLACE")};
  q.config = {settings.config.zone, settings.config.lat, settings.config.lon, settings.config.place};
  q.network = settings.network;
  q.metadata_url = environment("GRAMWATT_METADATA_URL");
  q.cache_directory = xdg_cache_home() / "gramwatt";
  q.roots = Roots::from_environment();
  if (s.elsewhere) {  // where this machine is says nothing about that one
    q.network = false;
    q.metadata_url.reset();
    q.cache_directory.clear();
    q.roots = {"/nonexistent", "/nonexistent"};
  }
  return q;
}

std::string machine_kind(const Surroundings& s, const sense::CpuIdentity& cpu) {
  return s.machine.value_or(cpu.is_guest() ? "rented" : "owned");
}

IdleOwner idle_owner(const Surroundings& s, const sense::CpuIdentity& cpu) {
  return s.idle_owner.value_or(machine_kind(s, cpu) == "shared" ? IdleOwner::host : IdleOwner::job);
}

Estimate<Ratio> pue_of(const Surroundings& s, const place::Place& place, const sense::CpuIdentity& cpu) {
  if (s.pue) return {Ratio(*s.pue), Method::assumed, "PUE given by " + s.pue_origin, std::nullopt, {}};
  return place::pue(place.cloud, at_home(cpu) ? place::Building::home_or_office : place::Building::data_centre);
}

namespace {

/// Intensities of the place, now and when they are asked for later.
void weigh_with_grid(const Settings& settings, const place::Place& place, std::optional<Nanoseconds> since, job::Context& c) {
  const Nanoseconds start = SystemClock().now().utc;
  const grid::Grid grid(grid_settings(settings));
  c.look = [grid, zone = place.zone, reach = reach_of(place)](grid::Window window) {
    auto known = zone ? grid.look(*zone, window) : Result<grid::Intensities>(grid::Grid::unknown_place());
    if (known) grid::widen(*known, reach);
    return known ? std::move(*known) : grid::Grid::unknown_place();
  };
  grid::Intensities known = c.look({start, start + std::chrono::hours(1)});
  c.weights.average = std::move(known.average);
  c.weights.marginal = std::move(known.marginal);
  if (!c.weights.marginal && !known.marginal_note.empty())
    c.notes.push_back("marginal intensity unknown: " + known.marginal_note);
  if (!settings.network || !place.zone || grid_settings(settings).providers.empty()) return;
  // What a provider forecasts for a day reaches beyond the next time it is asked, whatever fails meanwhile.
  c.fetch = [grid, where = where_of(place), from = since.value_or(start)] {
    return grid.fetch(where, {from, SystemClock().now().utc + std::chrono::hours(24)});
  };
}

}  // namespace

job::Context make_context(const Surroundings& s, const Settings& settings, const job::Machine& machine,
                          std::optional<Nanoseconds> since) {
  job::Context c;
  place::Place place;
  if (auto located = place::locate(place_query(s, settings))) place = std::move(*located);
  else c.notes.push_back(located.error().message());
  c.notes.insert(c.notes.end(), place.notes.begin(), place.notes.end());
  if (s.cloud) place.cloud = s.cloud;
  c.weights.pue = pue_of(s, place, machine.cpu);
  weigh_with_grid(settings, place, since, c);

  std::vector<std::string> gpus = machine.gpus;
  gpus.insert(gpus.end(), s.gpus.begin(), s.gpus.end());
  c.weights.embodied_per_hour =
      footprint::embodied(footprint::bill_of_parts(parts_of(machine, place, gpus)), Seconds(3600), Ratio(1));
  c.host = host_of(machine, place, machine_kind(s, machine.cpu), std::move(gpus), s.elsewhere);
  c.place = {place.zone, std::string(to_string(place.how)), place.name};

  if (!place.zone)
    c.advice.emplace_back(
        "place: name it with --zone ZONE or --place \"CODE, COUNTRY\", or once and for all: gramwatt config set zone ZONE");
  if (!s.pue && c.weights.pue.method == Method::assumed && !at_home(machine.cpu)) {
    c.advice.emplace_back("PUE: ask the operator of the building, then --pue X");
  }
  return c;
}

Result<void> write_output(const std::string& target, const std::string& text) {
  if (target != "-") return write_file_atomically(target, text);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return tl::unexpected(errno_error(errno, "cannot write", "standard output"));
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace gramwatt::cli
