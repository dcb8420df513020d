// The error terms that only the sums of a run can tell: how idle and active trade places, what the edges of the run cost, what
// filled gaps may be wrong by, how sure it is whose work it was.

#include <algorithm>
#include <cmath>

#include "meter/meter.hpp"

namespace gramwatt::meter {
namespace {

// Sharing a machine's active energy by CPU time ignores frequency, SMT and instructions; the error counts where others work at
// the same time. METRION (arXiv 2512.06806) reaches 4 % per thread with all of them modelled; plain CPU time is several times
// worse.
constexpr double kCpuTimeShareError = 0.25;

// Cycles by core and socket leave what METRION leaves (4 %), and what instructions a cycle were worth: a judgement.
constexpr double kCpuWorkShareError = 0.10;

// The same for a GPU: "active" says that a kernel was resident, not what it drew; equal shares of time differ in power by up to
// a factor of two (memory-bound kernels draw 30 to 50 % of a board's limit).
constexpr double kActivityShareError = 0.5;

// What fills a gap is this run's own mean; a program may do something else just then.
constexpr double kFillError = 0.5;

}  // namespace

/// Where idle power is wrong, energy moves between idle and active; their sum does not care. Hence opposite signs, one id.
/// `scale`: the idle power that the terms are relative to, per idle power in `sum`.
void Meter::settle_idle_terms(Channel& c, const Flow& sum, const Terms& terms, double scale) {
  const double idle = sum.machine_idle.joules().value();
  const double active = (sum.machine - sum.machine_idle).joules().value();
  for (const auto& [id, shift] : terms) {
    const double down = std::max(-1.0, shift.minus * scale);
    // Idle cannot exceed what was measured.
    const double up = idle > 0 ? std::min(shift.plus * scale, active / idle) : shift.plus * scale;
    c.idle_terms[id] = {down, up};
    if (active > 0) c.active_terms[id] = {-down * idle / active, -up * idle / active};
  }
}

/// Idle power of the whole node per idle power of what the chips' sensors leave of it.
double Meter::node_idle_over_rest() const {
  Flow all;
  for (const Flow& f : totals_) all += f;
  const auto rest = static_cast<double>(totals_[sources_[*node_source_].channel].machine_idle.count());
  return rest > 0 ? static_cast<double>(all.machine_idle.count()) / rest : 1;
}

/// The rest of a node is a difference, and so is its error: the node's gain counts for the whole node, and what a chip's sensor
/// says too much is missing here. Same ids, opposite signs: in the total only the node's gain remains.
void Meter::settle_node_terms() {
  const std::size_t rest = sources_[*node_source_].channel;
  Flow all;
  for (const Flow& f : totals_) all += f;
  const auto of_rest = static_cast<double>(totals_[rest].machine.count());
  if (of_rest <= 0) return;
  Channel& c = channels_[rest];
  const auto add = [&](const Terms& terms, Microjoules energy, double sign) {
    const double part = sign * static_cast<double>(energy.count()) / of_rest;
    for (const auto& [id, shift] : terms) {
      for (Terms* into : {&c.active_terms, &c.idle_terms}) {
        Shift& s = (*into)[id];
        s = {s.minus + shift.minus * part, s.plus + shift.plus * part};
      }
    }
  };
  for (const Source& s : sources_) {
    Terms terms = s.sensor->describe().terms;
    terms.insert(s.settled.terms.begin(), s.settled.terms.end());
    if (s.channel == rest) add(terms, all.machine - totals_[rest].machine, 1);  // its own part is there already
    else add(terms, totals_[s.channel].machine, -1);
  }
}

/// How sure it is that what was active here was the job: nothing is in doubt where nobody else was.
void Meter::settle_share_terms(Channel& c, const Source& s, const Flow& sum, double others) {
  const bool gpu = s.sensor->describe().component == Component::gpu;
  if (s.shared_away > 0 && sum.job_active.count() > 0) {
    const double away = s.shared_away / static_cast<double>(sum.job_active.count() + static_cast<std::int64_t>(s.shared_away));
    c.active_terms[gpu ? "gpu-activity-share" : "cpu-work-share"] =
        Shift::symmetric((gpu ? kActivityShareError : kCpuWorkShareError) * away);
  } else if (!gpu && others > 0 && s.shared_away <= 0 && !s.was_told) {
    c.active_terms["cpu-time-share"] = Shift::symmetric(kCpuTimeShareError * others);
  }
}

/// Error terms that only the sums can tell.
void Meter::settle_terms() {
  for (Source& s : sources_) s.settled = s.sensor->settled();
  if (node_source_) settle_node_terms();
  const Seconds length = seconds(elapsed(started_at_, open_.start));
  const double others = total_machine_cpu_ > Nanoseconds{0}
                            ? 1 - static_cast<double>(total_job_cpu_.count()) / static_cast<double>(total_machine_cpu_.count())
                            : 0;
  Flow chips;
  for (const Source& s : sources_) {
    const sense::Description& d = s.sensor->describe();
    const bool is_node = node_source_ && &s == &sources_[*node_source_];
    Channel& c = channels_[s.channel];
    const Flow& sum = totals_[s.channel];
    if (!is_node) chips += sum;
    for (const auto& [id, shift] : s.settled.terms) c.active_terms[id] = c.idle_terms[id] = shift;
    for (const std::string& note : s.settled.notes) sensor_notes_.push_back(d.device + ": " + note);
    for (const std::string& advice : s.settled.advice) sensor_advice_.push_back(d.device + ": " + advice);
    settle_idle_terms(c, sum, is_node ? setup_.model.fixed.terms : d.idle_terms, is_node ? node_idle_over_rest() : 1);
    settle_share_terms(c, s, sum, others);
    if (length.value() > 0) {
      const double edge = std::min(1.0, seconds(d.resolution) / length);
      if (edge > 1e-4) c.active_terms["resolution:" + d.id] = c.idle_terms["resolution:" + d.id] = Shift::symmetric(edge);
    }
    if (s.filled.count() > 0 && sum.machine.count() > 0) {
      const double part = std::min(1.0, s.filled.joules() / sum.machine.joules());
      c.active_terms["gap-fill:" + d.id] = c.idle_terms["gap-fill:" + d.id] = Shift::symmetric(kFillError * part);
      c.method = Method::mixed;
      c.source = join_sources(c.source, "gaps filled from the rest of the run");
    }
  }
  if (platform_channel_) {
    const Flow& sum = totals_[*platform_channel_];
    const double base = (lift_.base * length).value();
    const double idle = sum.machine_idle.joules().value();
    const double part = idle > 0 ? base / idle : 0;
    Channel& c = channels_[*platform_channel_];
    c.idle_terms["platform-loss"] = {lift_.loss_shift.minus * (1 - part), lift_.loss_shift.plus * (1 - part)};
    if (base > 0) c.idle_terms["platform-base"] = {lift_.base_shift.minus * part, lift_.base_shift.plus * part};
  }
  // Processes that no mechanism counts can have used no more than what nobody else explains.
  if (children_unseen_ && total_job_cpu_ > Nanoseconds{0} && others > 0) {
    const double most = others / (1 - others);
    for (Channel& c : channels_) {
      if (c.component != Component::gpu) c.active_terms["unseen-children"] = {0, most};
    }
  }
}

}  // namespace gramwatt::meter
