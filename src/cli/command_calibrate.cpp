// calibrate: what this machine draws, learned once from a reference.

#include <unistd.h>

#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/hardware.hpp"
#include "cli/redfish.hpp"
#include "job/calibrate.hpp"

namespace gramwatt::cli {
namespace {

constexpr double kMostWatts = 100'000;

constexpr const char* kProtocol =
    "Calibration by a plug meter. Before the first level:\n"
    "  1. Plug this machine, and nothing else, into the meter; monitors and chargers elsewhere.\n"
    "  2. A laptop: battery full, and left plugged in; lid and brightness as you use it.\n"
    "  3. End what else is running; leave graphics cards idle.\n"
    "  4. Take the meter's average if it has one, else wait until the display is steady.\n"
    "At each level type the watts that the meter shows and press return; \"skip\" leaves a level out. The order is random.\n\n";

void say(const std::string& text) {
  std::cerr << text;
  std::cerr.flush();
}

/// The reading that a person types. Anything that is no power is asked again.
Result<std::optional<Watts>> ask_meter() {
  std::string line;
  while (std::getline(std::cin, line)) {
    if (lower(trim(line)) == "skip") return std::optional<Watts>{};
    std::string_view text = trim(line);
    if (text.ends_with('W') || text.ends_with('w')) text.remove_suffix(1);
    const auto watts = parse_number<double>(text);
    if (watts && *watts > 0 && *watts < kMostWatts) return std::optional(Watts(*watts));
    say(fmt::format("\"{}\" is no power in watts, such as 63.5; type it again, or skip:\n", trim(line)));
  }
  return fail("the readings ended before the levels did", "calibrate", "nothing was kept; begin again");
}

/// "2%" or "0.02".
Result<double> accuracy_of(const Invocation& invocation, double otherwise) {
  const auto text = invocation.get("meter-accuracy");
  if (!text) return otherwise;
  const bool percent = text->ends_with('%');
  const auto value =
      parse_number<double>(percent ? std::string_view(*text).substr(0, text->size() - 1) : std::string_view(*text));
  const double accuracy = value.value_or(-1) / (percent ? 100 : 1);
  if (accuracy >= 0 && accuracy <= 0.5) return accuracy;
  return fail(fmt::format("\"{}\" is no accuracy from 0 to 50 %, such as 2%", *text), "--meter-accuracy", {},
              Error::Kind::usage);
}

std::string summary_of(const job::StoredCalibration& s) {
  const auto model = sense::calibrated_model(s.trace, s.calibration);
  const auto figure = [](const Estimate<Watts>& e) {
    return fmt::format("{:.1f} W ({:.1f} to {:.1f})", e.value.value(), e.low().value(), e.high().value());
  };
  std::string out = fmt::format("{}, {} levels, boundary {}\n  idle          {}\n  half load     {}\n  all threads   {}\n",
                                sense::calibrated_on(s.trace), s.trace.levels.size(), to_string(s.trace.boundary),
                                figure(model.fixed), figure(model.at_load(0.5)), figure(model.at_load(1)));
  for (const auto& [id, curve] : s.calibration.chips) {
    out += fmt::format("  {}: idle {:.1f} W, all threads {:.1f} W\n", id, curve.idle.value(),
                       (curve.idle + curve.active.back()).value());
  }
  if (const auto& p = s.calibration.platform) {
    out += fmt::format("  from the chips to the plug: {:.2f} W a chip watt, and {:.1f} W at rest\n", p->loss, p->base.value());
  }
  return out;
}

int show(const job::StoredCalibration& s, const Settings& settings) {
  if (settings.json) {
    const auto written = write_output(*settings.json, job::to_json(s));
    if (!written) return complain(written.error());
    if (*settings.json == "-") return 0;
  }
  return settings.quiet ? 0 : print(summary_of(s));
}

int replay(const std::string& file, const Settings& settings) {
  const auto stored = job::load_calibration(file);
  if (!stored) return complain(stored.error());
  const auto refitted = job::refit(*stored);
  if (!refitted) return complain(refitted.error());
  if (!settings.quiet) {
    say(refitted->same ? "the trace gives the same figures again\n" : "the trace gives other figures than those stored\n");
  }
  return show(refitted->refitted, settings);
}

int forget() {
  std::error_code ec;
  if (std::filesystem::remove(job::calibration_path(), ec)) return 0;
  return complain({ec ? ec.message() : "there is no calibration", job::calibration_path().string(), {}, Error::Kind::missing});
}

int calibrate(const Invocation& invocation, const Settings& settings) {
  job::CalibrateOptions options;
  options.reference = invocation.get("reference").value_or("");
  if (options.reference != "meter" && options.reference != "node" && options.reference != "rapl") {
    return complain({options.reference.empty() ? "against what?" : fmt::format("\"{}\" is no reference", options.reference),
                     "--reference", "meter (readings that you type), node (a sensor of the whole machine) or rapl",
                     Error::Kind::usage});
  }
  const auto accuracy = accuracy_of(invocation, options.meter_accuracy);
  if (!accuracy) return complain(accuracy.error());
  const auto length = number_option<double>(invocation, "seconds", 0.1, 3600.0);
  if (!length) return complain(length.error());
  options.meter_accuracy = *accuracy;
  options.roots = Roots::from_environment();
  if (*length) {
    options.length = Seconds(**length);
    options.settle = Seconds(**length * 0.3);
  }
  const SystemClock clock;
  job::Machine machine = job::probe_machine(options.roots, clock, machine_options(settings));
  if (machine.cpu.is_guest()) {
    warn("this is a virtual machine: a reference outside sees its host, and what else runs there");
  }
  const bool typed = options.reference == "meter";
  if (typed && !settings.quiet) say(kProtocol);
  options.ask = ask_meter;
  options.on_level = [&](std::size_t i, std::size_t n, const job::LoadLevel& level) {
    say(fmt::format("level {} of {}: {}; now running{}\n", i + 1, n, job::describe(level, machine.cpu.threads),
                    typed ? "; type the meter's watts:" : ""));
  };
  const auto made = job::calibrate(machine, options, clock);
  if (!made) return complain(made.error());
  const auto kept = job::save_calibration(*made, job::calibration_path());
  if (!kept) return complain(kept.error());
  if (!settings.quiet) say(fmt::format("kept in {}; later runs use it\n", job::calibration_path().string()));
  return show(*made, settings);
}

}  // namespace

int command_calibrate(const Invocation& invocation, const Settings& settings) {
  if (const auto file = invocation.get("replay")) return replay(*file, settings);
  if (invocation.has("forget")) return forget();
  if (!invocation.has("show")) return calibrate(invocation, settings);
  const auto stored = job::load_calibration(job::calibration_path());
  return stored ? show(*stored, settings) : complain(stored.error());
}

}  // namespace gramwatt::cli
