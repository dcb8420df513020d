// replay: the raw readings of a run through the whole pipeline again.

#include <unistd.h>

#include <cmath>
#include <fstream>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "job/replay.hpp"
#include "report/summary.hpp"

namespace gramwatt::cli {
namespace {

/// What the replay says of itself, beside the summary.
std::string compared(const job::Replay& replay) {
  std::string out = fmt::format("replayed   {} ticks, recorded by gramwatt {}", replay.ticks, replay.recorded_by);
  if (!replay.recorded) return out + "; the recording was cut off, so the end of the run is missing\n";
  const double then = replay.recorded->energy.total.value.value();
  const double now = replay.record.energy.total.value.value();
  if (std::abs(now - then) < 5e-6) return out + "; the same energy as then\n";
  return out + fmt::format("; {:.6g} J then, {:.6g} J now ({:+.2g} %)\n", then, now, then > 0 ? 100 * (now / then - 1) : 0.0);
}

}  // namespace

int command_replay(const Invocation& invocation, const Settings& settings) {
  const std::string& path = invocation.arguments.front();
  auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return complain(surroundings.error());
  surroundings->elsewhere = true;  // where this machine is says nothing about where the recording was made
  std::ifstream file(path, std::ios::binary);
  if (!file) return complain(errno_error(errno, "cannot read", path));

  job::ReplayOptions options;
  options.weigh_anew = invocation.has("zone") || invocation.has("pue");
  options.model_anew = invocation.has("remodel");
  options.context = [&](const sense::CpuIdentity& cpu, const sense::PowerModel& model) {
    return make_context(*surroundings, settings, job::Machine{cpu, model, {}});
  };
  const auto replay = job::replay(file, options);
  if (!replay) {
    Error e = replay.error();
    e.where = e.where.empty() ? path : path + ", " + e.where;
    return complain(e);
  }
  if (settings.json) {
    const auto written = write_output(*settings.json, ledger::to_json(replay->record) + "\n");
    if (!written) return complain(written.error());
    if (*settings.json == "-") return 0;
  }
  if (settings.quiet) return 0;
  return print(report::summary(replay->record, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO), false) + compared(*replay));
}

}  // namespace gramwatt::cli
