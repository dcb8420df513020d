#include "job/markers.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace gramwatt::job {
namespace {

/// Channels of chips and of the platform together are the node, as in the run's own account.
Estimate<Joules> energy_of(const std::vector<meter::Share>& sums, const std::vector<Channel>& channels, Joules blur) {
  Estimate<Joules> e;
  for (std::size_t i = 0; i < channels.size() && i < sums.size(); ++i) {
    const Channel& c = channels[i];
    e = e + Estimate<Joules>{sums[i].active.joules(), c.method, c.source, c.boundary, c.active_terms} +
        Estimate<Joules>{sums[i].idle.joules(), c.method, c.source, c.boundary, c.idle_terms};
  }
  e.boundary = Boundary::node;
  if (e.value.value() > 0 && blur.value() > 0) e.terms["region-edges"] = Shift::symmetric(blur / e.value);
  return e;
}

std::string too_short(Nanoseconds needed) {
  return fmt::format("shorter than {:.3g} s, twice what is between two readings or what a sensor resolves",
                     seconds(needed).value());
}

std::optional<ledger::NotAttributable> not_attributable(const meter::RegionSum& s) {
  if (s.too_short == 0 && s.unended == 0) return std::nullopt;
  std::string why;
  if (s.too_short > 0) why = too_short(s.needed);
  if (s.unended > 0) why += fmt::format("{}{} did not end", why.empty() ? "" : "; ", s.unended);
  return ledger::NotAttributable{s.too_short + s.unended, seconds(s.too_short_time), why};
}

ledger::RegionEnergy told(const meter::RegionSum& s, std::string name, const std::vector<Channel>& channels, Watts peak) {
  ledger::RegionEnergy r;
  r.name = std::move(name);
  r.count = s.count;
  r.time = seconds(s.time);
  if (s.count > 0) r.energy = energy_of(s.energy, channels, peak * Seconds(s.blur * 1e-9));
  if (s.ended > 0) {
    r.shortest = seconds(s.shortest);
    r.longest = seconds(s.longest);
    r.mean = (r.time + seconds(s.too_short_time)) / static_cast<double>(s.ended);
  }
  r.not_attributable = not_attributable(s);
  return r;
}

ledger::MarkEnergy told(const meter::MarkSum& s, std::string name, const std::vector<Channel>& channels, Watts peak) {
  ledger::MarkEnergy m;
  m.name = std::move(name);
  m.count = s.count;
  m.time = seconds(s.last - s.first);
  if (s.resolved) m.energy = energy_of(s.energy, channels, peak * Seconds(s.blur * 1e-9));
  else if (s.count < 2) m.why = "there is one only";
  else m.why = "not attributable: first and last are closer than " + fmt::format("{:.3g} s", seconds(s.needed).value());
  return m;
}

/// Energy moves only between regions and what is around them, so the sum of everything knows no such error: it is worth saying.
void explain(ledger::RunRecord& r, Watts peak) {
  r.derivations.push_back(
      {"regions", "energy of the program at the end of each region - at its begin, straight lines between readings",
       fmt::format(
           "region-edges: each edge may be wrong by {:.4g} W (the highest active power between two readings) times step "
           "{} phase {} (1 - phase), and each region by that power times what the sensors resolve",
           peak.value(), "×", "×"),
       "the program's markers (libgramwatt)"});
}

}  // namespace

Markers::Markers(const std::string& run_id, const Roots& roots, const Clock& clock) {
  auto made = MarkBuffers::make(run_id, mark_clock(roots), clock);
  if (made) {
    buffers_.emplace(std::move(*made));
  } else {
    problem_ = made.error().message();
  }
}

bool Markers::tick(const meter::Meter& meter, bool bell_rang) {
  if (!buffers_) return false;
  if (!used_ && (bell_rang || buffers_->bell_fd() < 0)) used_ = buffers_->attached();
  if (!used_) return false;
  if (!regions_) regions_.emplace(meter.started_at().monotonic, meter.channels().size());
  regions_->sample(meter.last_tick());
  events_.clear();
  buffers_->drain(events_);
  regions_->add(events_);
  return true;
}

void Markers::settle(const Interval& interval, const meter::Meter& meter) {
  if (!buffers_) return;
  if (!regions_) regions_.emplace(interval.start.monotonic, interval.flows.size());
  regions_->settle(interval, meter.resolution());
}

void Markers::finish(const std::vector<Channel>& channels, ledger::RunRecord& record) {
  if (!buffers_) {
    record.notes.push_back("markers: the program could not have used any: " + problem_);
    return;
  }
  used_ = used_ || buffers_->attached();
  events_.clear();
  buffers_->drain(events_);
  if (!regions_ || !used_) return;
  regions_->add(events_);
  regions_->finish();
  tell_regions(*regions_, channels, [this](std::uint32_t id) { return buffers_->name(id); }, record);
  const std::uint64_t lost = buffers_->damaged() + static_cast<std::uint64_t>(regions_->lost());
  if (const std::uint64_t dropped = buffers_->dropped(); dropped > 0) {
    record.gaps.push_back(
        {"regions", Seconds(0),
         fmt::format("{} regions or marks came faster than they were read ({} a second and thread, {} threads at "
                     "most) and are missing",
                     dropped, "80000", "1024")});
  }
  if (lost > 0) record.gaps.push_back({"regions", Seconds(0), fmt::format("{} markers made no sense and were left out", lost)});
}

void tell_regions(const meter::Regions& sums, const std::vector<Channel>& channels,
                  const std::function<std::string(std::uint32_t)>& names, ledger::RunRecord& r) {
  for (const auto& [id, sum] : sums.regions()) r.regions.push_back(told(sum, names(id), channels, sums.peak()));
  for (const auto& [id, sum] : sums.marks()) r.marks.push_back(told(sum, names(id), channels, sums.peak()));
  const auto rank = [](const ledger::RegionEnergy& e) {
    return std::tuple(e.energy ? -e.energy->value.value() : 1.0, e.not_attributable ? -e.not_attributable->time.value() : 0.0,
                      std::string_view(e.name));
  };
  std::sort(r.regions.begin(), r.regions.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  if (!r.regions.empty() || !r.marks.empty()) explain(r, sums.peak());
}

}  // namespace gramwatt::job
