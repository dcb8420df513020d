// What is checked of a file, and why.
//
// Unit: the usual mistake is a file in kg/kWh, or lb/MWh, read as g/kWh. No grid's median is above 3000 g/kWh (old coal units
// reach 1100), and below 1 only where all power is hydro and only its smoke is counted; so a median beyond is an error, or a
// note where the unit was stated and the values are small. lb/MWh is not told by size: that is why a bare "moer" needs its unit
// said.
//
// Negative values: an average below zero is wrong; a marginal one happens (storage, curtailment, the ends of AVERT's curves)
// and counts as zero, with a count.
//
// Clocks: an offset that is written in a label wins. Otherwise a doubled hour is read in the file's order, so that the day has
// 25 rows with 25 instants; a label that no clock of the zone ever showed is an error, because then the zone is wrong.
//
// End labels need the length of the interval before its start is known: the first rows wait until a step can be seen.

#include "grid/import_sink.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"
#include "grid/import_layout.hpp"

namespace gramwatt::grid {
namespace {

/// g/kWh; see above.
constexpr double kHighestMedian = 3000;
constexpr double kLowestMedian = 1;
/// Rows that are looked at for the step of end labels.
constexpr std::size_t kRowsToSeeAStep = 10'000;
/// Different steps that are counted; a file with more of them has no common one.
constexpr std::size_t kMostSteps = 1024;
/// A piece with so few rows may be all gaps: the step is then the held one.
constexpr std::size_t kFewRows = 48;
/// Exact by definition (pound avoirdupois, 1959) over 1 MWh.
constexpr double kGramsPerPound = 453.59237;
/// Judgement, not measured: how far honest figures for one hour and zone lie apart.
constexpr Shift kAverageError = Shift::symmetric(0.10);
constexpr Shift kMarginalError = Shift::symmetric(0.30);

double grams_per_kwh(IntensityUnit unit) {
  switch (unit) {
    case IntensityUnit::lb_per_mwh: return kGramsPerPound / 1000;
    case IntensityUnit::kg_per_kwh: return 1000;
    case IntensityUnit::g_per_mwh: return 1e-3;
    case IntensityUnit::g_per_kwh:
    case IntensityUnit::kg_per_mwh: break;
  }
  return 1;
}

std::string stem(const std::string& name) {
  std::filesystem::path p = std::filesystem::path(name).filename();
  if (p.extension() == ".gz") p = p.stem();
  return p.stem().string();
}

std::string default_origin(const FileFacts& f) {
  switch (f.format) {
    case FileFormat::electricitymaps_csv: return "electricitymaps";
    case FileFormat::watttime_csv: return "watttime";
    default: return "file:" + stem(f.name);
  }
}

int year_of(Nanoseconds t) {
  using namespace std::chrono;
  return static_cast<int>(year_month_day(sys_days(floor<days>(t))).year());
}

template <class Map>
Nanoseconds most_common(const Map& counts) {
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? Nanoseconds{0} : Nanoseconds(most->first);
}

}  // namespace

void Sizes::add(double value) {
  // The top bits of a double are its exponent and the first bits of its fraction: eight bins an octave without a logarithm.
  constexpr int kFractionBits = 52;
  constexpr int kBias = 1023;
  const auto bits = std::bit_cast<std::uint64_t>(std::abs(value)) >> static_cast<unsigned>(kFractionBits - 3);
  const auto bin = static_cast<std::int64_t>(bits) - static_cast<std::int64_t>(kBias + kLowest) * kParts;
  ++count_[static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, static_cast<std::int64_t>(count_.size()) - 1))];
}

double Sizes::median() const {
  std::size_t all = 0;
  for (const std::size_t n : count_) all += n;
  std::size_t below = 0;
  std::size_t bin = 0;
  while (bin + 1 < count_.size() && 2 * (below += count_[bin]) < all) ++bin;
  const double part = static_cast<double>(bin % kParts) + 0.5;
  return bin == 0 ? 0 : std::ldexp(1 + part / kParts, static_cast<int>(bin / kParts) + kLowest);
}

ImportSink::ImportSink(Store& store, const ImportOptions& options, FileFacts facts, TimeZone zone)
    : options_(&options), facts_(std::move(facts)), zone_(std::move(zone)), writer_(store.writer()) {
  result_.format = facts_.format;
  result_.value_column = facts_.value_column;
  result_.notes = facts_.notes;
  result_.unit_was_assumed = !options.unit && !facts_.unit;
  result_.unit = options.unit.value_or(facts_.unit.value_or(IntensityUnit::g_per_kwh));
  scale_ = grams_per_kwh(result_.unit);
  result_.label = options.label.value_or(facts_.label.value_or(LabelEnd::start));
  result_.time_zone = zone_.name();
  kind_ = options.kind.value_or(facts_.kind.value_or(SignalKind::average));
  back_ = result_.label == LabelEnd::end ? options.resolution : Nanoseconds{0};
  end_is_settled_ = result_.label == LabelEnd::start || options.resolution > Nanoseconds{0};
}

Result<ImportSink> ImportSink::make(Store& store, const ImportOptions& options, FileFacts facts) {
  if (!options.factor.empty() && options.factor != "direct" && options.factor != "lifecycle") {
    return fail("no factor \"" + options.factor + "\"", {}, "direct or lifecycle", Error::Kind::usage);
  }
  auto zone = options.time_zone.empty() ? Result<TimeZone>(TimeZone()) : TimeZone::parse(options.time_zone);
  if (!zone) return tl::unexpected(zone.error());
  return ImportSink(store, options, std::move(facts), std::move(*zone));
}

void ImportSink::set_kind(SignalKind kind) {
  facts_.kind = kind;
  kind_ = options_->kind.value_or(kind);
}

Result<std::size_t> ImportSink::series(std::string_view zone) {
  std::string name(zone);
  if (!options_->zone.empty()) {
    if (all_.empty()) only_zone_text_ = name;
    if (name != only_zone_text_) {
      return fail("the file has several zones (" + only_zone_text_ + ", " + name + "), and one was named", {},
                  "leave --zone out to import each under its own name", Error::Kind::usage);
    }
    name = options_->zone;
  }
  if (name.empty()) return fail("the file does not say which zone it is of", {}, "say it: --zone DE", Error::Kind::usage);
  if (const auto it = by_zone_.find(name); it != by_zone_.end()) return it->second;
  if (!looks_like_zone(name)) note("\"" + name + "\" is no zone of the grid: --zone files it under one");
  One one;
  one.key = {name, kind_, options_->origin.empty() ? default_origin(facts_) : options_->origin};
  one.writer_id = writer_.series(one.key);
  all_.push_back(std::move(one));
  by_zone_[name] = all_.size() - 1;
  return all_.size() - 1;
}

void ImportSink::count_step(One& one, Nanoseconds step) {
  if (one.count_of_step == nullptr || step.count() != one.step) {
    one.step = step.count();
    const bool counts = one.step != 0 && one.steps.size() < kMostSteps;
    one.count_of_step = counts ? &one.steps[one.step] : nullptr;
  }
  if (one.count_of_step != nullptr) ++*one.count_of_step;
}

void ImportSink::stand_at(One& one, Nanoseconds at) {
  if (one.any) {
    count_step(one, std::chrono::abs(at - one.last));
    one.descending = at < one.last;
    if (one.descending) ++result_.unsorted;
  }
  one.any = true;
  one.last = at;
}

Result<Nanoseconds> ImportSink::instant(One& one, const WrittenTime& time) {
  if (time.ahead) {
    some_offset_ = true;
    return time.local - *time.ahead;
  }
  some_bare_ = true;
  const auto m = zone_.of(time.local);
  if (m.kind == TimeZone::Meaning::Kind::one) return m.early;
  if (m.kind == TimeZone::Meaning::Kind::none) {
    return fail("the clocks of " + zone_.name() + " skip " + iso8601(time.local).substr(0, 16), {},
                "are the labels in another zone, such as UTC? --time-zone says which", Error::Kind::usage);
  }
  ++result_.doubled_hours;
  if (!one.any) return m.early;
  if (one.descending) return m.late < one.last ? m.late : m.early;
  return m.early > one.last ? m.early : m.late;
}

void ImportSink::blank(std::size_t series, const WrittenTime& time) {
  One& one = all_[series];
  ++one.blanks;
  ++result_.blanks;
  if (const auto at = instant(one, time)) stand_at(one, *at);  // the skipped hour of a table of 24 columns is blank
}

Result<void> ImportSink::value(std::size_t series, const WrittenTime& time, double raw, PointKind kind) {
  One& one = all_[series];
  const auto at = instant(one, time);
  if (!at) return tl::unexpected(at.error());
  stand_at(one, *at);
  double v = raw * scale_;
  if (!std::isfinite(v)) return fail("the value is no number");
  if (v < 0) {
    if (kind_ == SignalKind::average) {
      return fail(fmt::format("{} {} is below zero, which no average is", raw, to_string(result_.unit)), {},
                  "is it another column, or a marginal signal (--signal marginal)?", Error::Kind::usage);
    }
    ++result_.negative;
    v = 0;
  }
  sizes_.add(v);
  if (v > kHighestMedian) ++beyond_;
  ++one.rows;
  ++result_.rows;
  return put(series, {*at - back_, GramsPerKwh(v), kind, {}});
}

Result<void> ImportSink::put(std::size_t series, Point p) {
  if (end_is_settled_) return writer_.add(all_[series].writer_id, {&p, 1});
  waiting_.emplace_back(series, p);
  return waiting_.size() < kRowsToSeeAStep ? Result<void>{} : settle_end_labels();
}

Result<void> ImportSink::settle_end_labels() {
  if (end_is_settled_) return {};
  end_is_settled_ = true;
  std::map<std::int64_t, std::size_t> steps;
  for (const One& one : all_) {
    for (const auto& [step, count] : one.steps) steps[step] += count;
  }
  back_ = most_common(told_.empty() ? steps : told_);
  if (back_ == Nanoseconds{0} && !waiting_.empty()) {
    return fail("labels at the end of an interval whose length cannot be seen", {}, "say it: --step 1h", Error::Kind::usage);
  }
  for (auto& [series, point] : waiting_) {
    point.start -= back_;
    if (auto r = put(series, point); !r) return r;
  }
  waiting_.clear();
  return {};
}

Result<void> ImportSink::check_sizes() {
  const double median = sizes_.median();
  if (result_.rows == 0 || (median <= kHighestMedian && median >= kLowestMedian)) return {};
  if (median < kLowestMedian && !result_.unit_was_assumed) {
    note("half of the values are below 1 g/kWh");
    return {};
  }
  const std::string what = fmt::format("half of the values are {} {:.3g} g/kWh (read as {}): no grid is like that",
                                       median > kHighestMedian ? "above" : "below", median, to_string(result_.unit));
  std::string remedy = "say the unit with --unit";
  for (const IntensityUnit unit : {IntensityUnit::kg_per_kwh, IntensityUnit::g_per_kwh, IntensityUnit::g_per_mwh}) {
    const double likely = median / scale_ * grams_per_kwh(unit);
    if (likely < 5 || likely > 1500) continue;  // grids' means reach from 15 (Quebec) to 1000
    remedy = fmt::format("the unit is probably {}: --unit {}", to_string(unit), to_string(unit));
    break;
  }
  return fail(what, {}, remedy, Error::Kind::usage);
}

Result<Nanoseconds> ImportSink::resolution_of(const One& one, const Store::Writer::Seen& seen) const {
  Nanoseconds step = options_->resolution;
  if (step == Nanoseconds{0}) step = most_common(told_);
  // Rows in order tell it by their labels, blank or not; rows in no order only when they have been sorted.
  if (step == Nanoseconds{0}) {
    step = most_common(one.steps);
    if (step == Nanoseconds{0}) step = seen.step;
    else if (seen.step > Nanoseconds{0}) step = std::min(step, seen.step);
  }
  const auto held = seen.held_resolution;
  const bool may_be_held = held && *held > Nanoseconds{0} && seen.points < kFewRows && options_->resolution == Nanoseconds{0} &&
                           step % *held == Nanoseconds{0};
  if (may_be_held) step = *held;
  if (step == Nanoseconds{0}) {
    return fail("one row of " + one.key.zone + " does not tell how long it holds", {}, "say it: --step 1h", Error::Kind::usage);
  }
  if (result_.label == LabelEnd::end && step != back_) {
    return fail(fmt::format("the labels stand at the end of intervals of {} and of {}", human_duration(seconds(back_)),
                            human_duration(seconds(step))),
                {}, "say their length: --step 1h", Error::Kind::usage);
  }
  return step;
}

Series ImportSink::header(const One& one, Nanoseconds resolution, Nanoseconds last) const {
  Series s;
  s.resolution = resolution;
  s.method = Method::modelled;
  const bool marginal = kind_ == SignalKind::marginal;
  s.terms[(marginal ? "marginal-model:" : "intensity-source:") + one.key.origin] = marginal ? kMarginalError : kAverageError;
  Signal& g = s.signal;
  g.kind = kind_;
  g.year = year_of(last);
  g.data_kind = "observed";
  g.fit_for = {"accounting", "scheduling"};
  g.factor = !options_->factor.empty() ? options_->factor
             : !facts_.factor.empty()  ? facts_.factor
             : marginal                ? "direct"
                                       : "lifecycle";
  g.source = "file " + std::filesystem::path(facts_.name).filename().string();
  if (facts_.format == FileFormat::electricitymaps_csv) {
    g.basis = "consumption";
    g.source = "Electricity Maps, data portal";
    g.licence = "ODbL 1.0";
  } else if (facts_.format == FileFormat::watttime_csv) {
    g.basis = "production";
    g.gas = "CO2";
    g.source = "WattTime";
    g.licence = "WattTime's terms: own use, not to be passed on";
  }
  if (!options_->source.empty()) g.source = options_->source;
  if (!options_->licence.empty()) g.licence = options_->licence;
  return s;
}

Result<void> ImportSink::close(One& one) {
  const auto seen = writer_.seen(one.writer_id);
  if (!seen) return tl::unexpected(seen.error());
  ImportedSeries out;
  out.key = one.key;
  out.rows = one.rows;
  out.blanks = one.blanks;
  const auto resolution = resolution_of(one, *seen);
  if (!resolution) return tl::unexpected(resolution.error());
  out.resolution = *resolution;
  const Series s = header(one, *resolution, seen->last);
  out.signal = s.signal;
  out.window = {seen->first, seen->last + *resolution};
  if (auto r = writer_.describe(one.writer_id, s); !r) return r;
  auto gaps = writer_.gaps(one.writer_id, *resolution);
  if (!gaps) return tl::unexpected(gaps.error());
  out.gaps = std::move(*gaps);
  result_.series.push_back(std::move(out));
  return {};
}

void ImportSink::add_notes() {
  const auto& o = *options_;
  if (result_.unit_was_assumed) note("the file does not say its unit: taken as g/kWh (--unit)");
  if (some_bare_ && o.time_zone.empty() && !facts_.time_is_utc)
    note("the times do not say their zone: taken as UTC (--time-zone)");
  if (some_offset_ && !o.time_zone.empty()) note("times that carry an offset were read by it, not by " + zone_.name());
  std::size_t repeated = 0;
  for (const ImportedSeries& one : result_.series) repeated += one.change.repeated;
  if (repeated > 0) note(fmt::format("{} rows tell again what the file told before: the last one counts", repeated));
  if (!o.kind && !facts_.kind) note("the file does not say which signal it is: taken as average (--signal)");
  if (o.factor.empty() && facts_.factor.empty() && kind_ == SignalKind::average) {
    note("the file does not say which emissions count: taken as life-cycle (--factor)");
  }
  if (result_.negative > 0) note(fmt::format("{} values below zero were taken as zero", result_.negative));
  if (beyond_ > 0) note(fmt::format("{} values above {} g/kWh", beyond_, kHighestMedian));
  if (result_.unsorted > 0) note(fmt::format("{} rows are older than the row before", result_.unsorted));
  if (result_.doubled_hours > 0) {
    note(fmt::format("{} labels lie in an hour that the clocks of {} show twice: read in the file's order",
                     result_.doubled_hours, zone_.name()));
  }
  const auto licence = result_.series.empty() ? std::string() : result_.series.front().signal.licence;
  if (licence.empty()) note("the licence is not known (--licence)");
}

Result<ImportResult> ImportSink::finish(std::size_t lines) {
  result_.lines = lines;
  if (auto r = settle_end_labels(); !r) return tl::unexpected(r.error());
  if (result_.rows == 0) return fail("no value in it", {}, {}, Error::Kind::usage);
  if (auto r = check_sizes(); !r) return tl::unexpected(r.error());
  // Zones that are blank throughout are left out.
  std::vector<std::size_t> ids;
  for (One& one : all_) {
    if (one.rows == 0) {
      note(one.key.zone + " has no values");
      continue;
    }
    if (auto r = close(one); !r) return tl::unexpected(r.error());
    ids.push_back(one.writer_id);
  }
  const auto changes = writer_.commit();
  if (!changes) return tl::unexpected(changes.error());
  for (std::size_t i = 0; i < ids.size(); ++i) result_.series[i].change = (*changes)[ids[i]];
  add_notes();
  return std::move(result_);
}

}  // namespace gramwatt::grid
