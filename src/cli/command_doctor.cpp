#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/grid_access.hpp"
#include "cli/redfish.hpp"
#include "grid/intensity.hpp"
#include "report/doctor.hpp"
#include "sense/hwmon_power.hpp"

namespace gramwatt::cli {

report::Style style_for(int fd) {
  report::Style style;
  const bool terminal = ::isatty(fd) == 1;
  const char* term = std::getenv("TERM");
  style.colour = terminal && !environment("NO_COLOR") && term != nullptr && std::string_view(term) != "dumb";
  const char* locale = nullptr;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (locale == nullptr || *locale == '\0') locale = std::getenv(name);
  }
  // Files are UTF-8; a terminal says what it wants.
  const std::string_view wanted = locale != nullptr ? locale : "";
  style.unicode = !terminal || wanted.find("UTF-8") != std::string_view::npos || wanted.find("utf8") != std::string_view::npos;
  return style;
}

namespace {

void describe_machine(const job::Machine& m, report::DoctorReport& r) {
  r.cpu = m.cpu.name;
  r.machine_class = to_string(m.cpu.machine_class);
  r.threads = m.cpu.threads;
  r.cores = m.cpu.cores;
  r.packages = m.cpu.packages;
  r.memory_gb = m.cpu.memory_gb;
  bool has_cpu = false;
  for (const auto& s : m.findings.sensors) {
    const auto& d = s->describe();
    has_cpu = has_cpu || d.component == Component::cpu;
    r.sensors.push_back({std::string(to_string(d.component)), d.device, std::string(to_string(d.boundary)), d.source,
                         total_shift(d.terms).plus, d.usable_by_job, d.note});
  }
  for (const auto& b : m.findings.blocked) r.blocked.push_back({b.family, b.why, b.remedy});
  r.model = m.model.description;
  r.model_source = m.model.source;
  r.model_in_use = !has_cpu;
  r.calibration = m.calibration_note;
  if (m.calibration) {
    const Seconds age = seconds(SystemClock().now().utc - m.calibration->utc);
    r.calibration = fmt::format("{}, {} levels; {} old", sense::calibrated_on(*m.calibration), m.calibration->levels.size(),
                                human_duration(age));
  }
  r.model_idle = m.model.fixed;
  r.model_full = m.model.at_load(1);
}

void describe_place(const Surroundings& s, const Settings& settings, const sense::CpuIdentity& cpu, report::DoctorReport& r) {
  const auto place = place::locate(place_query(s, settings));
  auto intensities = grid::annual(place ? place->zone : std::nullopt);
  if (place && intensities) grid::widen(*intensities, reach_of(*place));
  r.place = place ? place->name : place.error().message();
  if (place) r.place_chain = place->chain;
  if (intensities) {
    const auto& a = intensities->average.last();
    r.intensity = {a.points.front().value, a.method, a.signal.source, std::nullopt, a.terms};
    r.marginal = intensities->marginal
                     ? fmt::format("{:.0f} g CO2/kWh, {}", intensities->marginal->last().points.front().value.value(),
                                   intensities->marginal->last().signal.source)
                     : "unknown: " + intensities->marginal_note;
  }
  r.pue = pue_of(s, place.value_or(place::Place{}), cpu);
  if (place && !place->zone)
    r.remedies.emplace_back("gramwatt config set zone ZONE (grid zones: country codes, or such as US-CAL-CISO)");
}

void describe_files(const Settings& settings, report::DoctorReport& r) {
  r.ledger = settings.ledger.string();
  std::error_code ec;
  if (!std::filesystem::exists(settings.ledger, ec)) {
    r.ledger_state = "not there yet; the first run makes it";
  } else {
    const auto ledger = ledger::Ledger::open_read_only(settings.ledger);
    const auto runs = ledger ? ledger->list() : tl::unexpected(ledger.error());
    r.ledger_state = runs ? fmt::format("{} runs", runs->size()) : runs.error().message();
  }
  r.config = config_path().string();
  r.config_state = !settings.config.problems.empty()            ? fmt::format("{} problems", settings.config.problems.size())
                   : std::filesystem::exists(config_path(), ec) ? "fine"
                                                                : "not there; defaults apply";
}

}  // namespace

int command_doctor(const Invocation& invocation, const Settings& settings) {
  const auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return complain(surroundings.error());
  const SystemClock clock;
  const job::Machine machine = job::probe_machine(Roots::from_environment(), clock, machine_options(settings));
  report::DoctorReport r;
  describe_machine(machine, r);
  const auto tree = meter::make_tree_cpu(new_run_id());
  r.tree = tree->mechanism();
  r.tree_shortfall = tree->shortfall();
  describe_place(*surroundings, settings, machine.cpu, r);
  describe_files(settings, r);
  for (const auto& b : r.blocked) {
    if (!b.remedy.empty()) r.remedies.push_back(b.remedy);
  }
  // A server's own controller sees what is modelled otherwise.
  if (machine.cpu.machine_class == sense::MachineClass::server && !sense::Covered::by(machine.findings).node)
    r.remedies.emplace_back(
        "gramwatt config set redfish https://BMC (the power of the whole node, by its management controller)");
  if (settings.json) {
    const auto written = write_output(*settings.json, report::doctor_json(r) + "\n");
    return written ? 0 : complain(written.error());
  }
  return print(report::doctor_text(r, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

}  // namespace gramwatt::cli
