#include "grid/grid.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "grid/builtin.hpp"

namespace gramwatt::grid {
namespace {

/// A forecast older than this is made anew where a provider can be asked.
constexpr Nanoseconds kForecastAge = std::chrono::hours(1);
/// Providers publish late: what is this new may still be missing, and asking again at once would not help.
constexpr Nanoseconds kUsuallyLate = std::chrono::minutes(10);

std::optional<Held> find(const std::vector<Held>& held, const SeriesKey& key) {
  const auto it = std::find_if(held.begin(), held.end(), [&](const Held& h) { return h.key == key; });
  return it == held.end() ? std::nullopt : std::optional(*it);
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ec;
  return !path.empty() && std::filesystem::exists(path, ec);
}

}  // namespace

std::string forecasts_of(const std::string& origin) { return origin + ":forecast"; }

Nanoseconds Grid::now() const { return settings_.now ? settings_.now() : SystemClock().now().utc; }

std::vector<SeriesKey> Grid::keys(const std::vector<Held>& held, const std::string& zone, SignalKind kind) const {
  std::vector<Held> here;
  for (const Held& h : held) {
    if (h.key.zone == zone && h.key.kind == kind) here.push_back(h);
  }
  const auto rank = [this](const Held& h) {
    for (std::size_t i = 0; i < settings_.order.size(); ++i) {
      if (h.key.origin == settings_.order[i]) return 2 * i;
      if (h.key.origin == forecasts_of(settings_.order[i])) return 2 * i + 1;
    }
    return 2 * settings_.order.size();
  };
  std::stable_sort(here.begin(), here.end(), [&](const Held& a, const Held& b) {
    return std::pair(rank(a), -a.changed.count()) < std::pair(rank(b), -b.changed.count());
  });
  std::vector<SeriesKey> out;
  for (Held& h : here) out.push_back(std::move(h.key));
  return out;
}

Result<Intensities> Grid::look(const std::string& zone, Window window) const {
  auto out = builtin(zone, window);
  if (!out || !is_there(settings_.store)) return out;
  const auto store = Store::open(settings_.store);
  const auto held = store ? store->list() : tl::unexpected(store.error());
  if (!held) {
    out->average.notes.push_back("the store of series cannot be read: " + held.error().message());
    return out;
  }
  for (const SignalKind kind : {SignalKind::average, SignalKind::marginal}) {
    std::vector<Series> rungs;
    for (const SeriesKey& key : keys(*held, zone, kind)) {
      auto series = store->get(key, window);
      if (series && !series->points.empty()) rungs.push_back(std::move(*series));
    }
    if (rungs.empty()) continue;
    if (kind == SignalKind::marginal && !out->marginal) out->marginal.emplace();
    auto& ladder = kind == SignalKind::average ? out->average : *out->marginal;
    ladder.rungs.insert(ladder.rungs.begin(), std::make_move_iterator(rungs.begin()), std::make_move_iterator(rungs.end()));
  }
  return out;
}

Intensities Grid::unknown_place() {
  auto world = annual(std::nullopt);
  return world ? std::move(*world) : Intensities{one_value(GramsPerKwh(0)), {}, {}};
}

Result<void> Grid::ask(Provider& provider, const Where& where, Window window, Store& store) const {
  const Nanoseconds now = this->now();
  const std::string origin(provider.name());
  const auto held = store.list();
  if (!held) return tl::unexpected(held.error());
  const SeriesKey key{where.zone, provider.signal(), origin};
  const auto known = find(*held, key);
  const Window past{window.start, std::min(window.end, now)};
  // A point may hold from before the window on: a step more is asked for.
  const Window asked{past.start - std::max(known ? known->resolution : Nanoseconds{0}, Nanoseconds(std::chrono::hours(1))),
                     past.end};
  const auto there = known ? store.get(key, past) : fail("");
  const bool fresh = known && now - known->changed < kUsuallyLate && known->window.end > past.start;
  if (past.length() > Nanoseconds{0} && !(there && there->covers(past)) && !fresh) {
    const auto series = provider.history(where, asked);
    if (!series && series.error().kind != Error::Kind::missing) return tl::unexpected(series.error());
    if (series && !series->points.empty()) {
      if (const auto kept = store.put(key, *series); !kept) return tl::unexpected(kept.error());
    }
  }
  if (window.end <= now) return {};
  const SeriesKey ahead{where.zone, provider.signal(), forecasts_of(origin)};
  const auto last = find(*held, ahead);
  if (last && now - last->changed < kForecastAge && last->window.end >= window.end) return {};
  const auto length = std::chrono::ceil<std::chrono::hours>(window.end - now);
  const auto series = provider.forecast(where, length);
  if (!series) {
    if (series.error().kind == Error::Kind::missing) return {};
    return tl::unexpected(series.error());
  }
  if (!series->points.empty()) {
    // A forecast is worth something only as a whole: what an older one said of the same hours is gone.
    (void)store.remove(ahead);
    if (const auto kept = store.put(ahead, *series); !kept) return tl::unexpected(kept.error());
  }
  return {};
}

std::vector<std::string> Grid::fetch(const Where& where, Window window) const {
  std::vector<std::string> notes;
  if (!settings_.network || settings_.store.empty() || where.zone.empty()) return notes;
  std::optional<Store> store;
  for (const std::string& name : settings_.order) {
    const auto configured = settings_.providers.find(name);
    if (configured == settings_.providers.end()) continue;
    if (!store) {
      auto opened = Store::open(settings_.store);
      if (!opened) return {"the store of series cannot be opened: " + opened.error().message()};
      store = std::move(*opened);
    }
    auto provider = make_provider(name, configured->second);
    const auto done = provider ? ask(**provider, where, window, *store) : tl::unexpected(provider.error());
    if (!done) notes.push_back(name + " was not used: " + done.error().message());
    if (provider) {
      for (const std::string& note : (*provider)->notes()) notes.push_back(std::string(name).append(": ").append(note));
    }
  }
  return notes;
}

std::vector<Step> steps(const Ladder& ladder, Window window, Nanoseconds step) {
  std::vector<Step> out;
  for (Nanoseconds t = window.start; t < window.end; t += step) {
    for (std::size_t r = 0; r < ladder.rungs.size(); ++r) {
      const Series& series = ladder.rungs[r];
      const auto point = series.at(t + step / 2);
      if (!point) continue;
      const GramsPerKwh value = series.mean(t, t + step).value;
      Terms terms = series.terms;
      if (point->band != Shift{}) terms["forecast"] = point->band;
      const Shift shift = total_shift(terms);
      // An annual mean has one point of kind observed; as a statement about an hour it is a profile.
      const PointKind kind = series.resolution <= Nanoseconds{0} ? PointKind::profile : point->kind;
      out.push_back({t, value, value * (1 + shift.minus), value * (1 + shift.plus), kind, r});
      break;
    }
  }
  return out;
}

}  // namespace gramwatt::grid
