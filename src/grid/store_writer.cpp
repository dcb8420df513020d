// How points come in.
//
// Points are kept by series and month until some half a million wait; then each month is sorted, merged with its block and
// written back. A file in order of time touches every block once or twice, whatever its length; a file in any other order is
// slower and gives the same store.

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

#include "grid/point_block.hpp"
#include "grid/store_impl.hpp"
#include "grid/store_rows.hpp"

namespace gramwatt::grid {
namespace {

/// 20 MB.
constexpr std::size_t kMostWaiting = 500'000;
/// Different distances of neighbours that are counted; more of them say that there is no common one.
constexpr std::size_t kMostSteps = 4096;

bool by_start(const Point& a, const Point& b) { return a.start < b.start; }

/// Sorts, and keeps of each instant the best kind, of the same kind the later; how many went.
std::size_t tidy(std::vector<Point>& points) {
  if (!std::is_sorted(points.begin(), points.end(), by_start)) std::stable_sort(points.begin(), points.end(), by_start);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].start != points[kept].start) points[++kept] = points[i];
    else if (points[i].kind <= points[kept].kind) points[kept] = points[i];
  }
  const std::size_t gone = points.size() - (kept + 1);
  points.resize(kept + 1);
  return gone;
}

/// `held` with `fresh` merged in; both ascending.
std::vector<Point> merged(const std::vector<Point>& held, const std::vector<Point>& fresh, Store::Change& change) {
  std::vector<Point> out;
  out.reserve(held.size() + fresh.size());
  auto h = held.begin();
  for (const Point& raw : fresh) {
    while (h != held.end() && h->start < raw.start) out.push_back(*h++);
    const Point p = rounded(raw);
    if (h == held.end() || h->start != p.start) {
      ++change.added;
      out.push_back(p);
      continue;
    }
    const bool replaces = p.kind <= h->kind && p != *h;
    ++(replaces ? change.replaced : change.unchanged);
    out.push_back(replaces ? p : *h);
    ++h;
  }
  out.insert(out.end(), h, held.end());
  return out;
}

Nanoseconds utc_now() { return std::chrono::system_clock::now().time_since_epoch(); }

}  // namespace

class Store::Writer::Impl {
 public:
  explicit Impl(StoreFile& file) : file_(file) {}

  std::size_t series(const SeriesKey& key) {
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (tracks_[i].row.key == key) return i;
    }
    tracks_.emplace_back();
    tracks_.back().row.key = key;
    return tracks_.size() - 1;
  }

  Result<void> add(std::size_t series, std::span<const Point> points) {
    Track& t = tracks_[series];
    for (const Point& p : points) {
      if (t.month == nullptr || !t.of_month.contains(p.start)) turn_to(t, p.start);
      t.month->push_back(p);
    }
    waiting_ += points.size();
    return waiting_ < kMostWaiting ? Result<void>{} : flush();
  }

  Result<Seen> seen(std::size_t series) {
    if (auto r = flush(); !r) return tl::unexpected(std::move(r.error()));
    Track& t = tracks_[series];
    if (auto r = begin(t); !r) return tl::unexpected(std::move(r.error()));
    Seen s = t.seen;
    if (t.was_there) s.held_resolution = t.row.resolution;
    const auto most =
        std::max_element(t.steps.begin(), t.steps.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most != t.steps.end()) s.step = Nanoseconds(most->first);
    return s;
  }

  Result<void> describe(std::size_t series, const Series& header);
  Result<Gaps> gaps(std::size_t series, Nanoseconds resolution, std::size_t most_listed);
  Result<std::vector<Change>> commit();

 private:
  struct Track {
    SeriesRow row;  ///< id 0: not asked for, or not there yet
    bool asked = false, was_there = false, is_described = false, is_saved = false;
    std::map<std::int64_t, std::vector<Point>> months;  ///< what waits
    std::vector<Point>* month = nullptr;                ///< the one of them that the last point went to
    Window of_month;
    Seen seen;
    std::map<std::int64_t, std::size_t> steps;
    Change change;
    Nanoseconds resolution{};
    std::string about;
  };

  static void turn_to(Track& t, Nanoseconds start) {
    const std::int64_t month = month_of(start);
    t.month = &t.months[month];
    t.of_month = {start_of_month(month), start_of_month(month + 1)};
  }

  static void look_at(Track& t, const std::vector<Point>& points) {
    std::size_t* count = nullptr;
    Nanoseconds before{};
    for (std::size_t i = 1; i < points.size(); ++i) {
      const Nanoseconds step = points[i].start - points[i - 1].start;
      if (count == nullptr || step != before) {
        before = step;
        count = t.steps.size() < kMostSteps ? &t.steps[step.count()] : nullptr;
      }
      if (count != nullptr) ++*count;
    }
    Seen& s = t.seen;
    s.first = s.points == 0 ? points.front().start : std::min(s.first, points.front().start);
    s.last = s.points == 0 ? points.back().start : std::max(s.last, points.back().start);
    s.points += points.size();
  }

  /// The transaction, and what is held of the series.
  Result<void> begin(Track& t) {
    return guarded(file_.path(), [&]() -> Result<void> {
      if (!writing_) writing_ = file_.begin_write();
      if (t.asked) return {};
      if (auto row = find_series(file_, t.row.key)) {
        t.row = std::move(*row);
        t.was_there = true;
      }
      t.asked = true;
      return {};
    });
  }

  Result<void> flush() {
    for (Track& t : tracks_) {
      if (t.months.empty()) continue;
      if (auto r = begin(t); !r) return r;
      for (auto& [month, points] : t.months) {
        if (auto r = merge_month(t, month, points); !r) return r;
      }
      t.months.clear();
      t.month = nullptr;
    }
    waiting_ = 0;
    return {};
  }

  Result<void> merge_month(Track& t, std::int64_t month, std::vector<Point>& points) {
    return guarded(file_.path(), [&]() -> Result<void> {
      t.change.repeated += tidy(points);
      look_at(t, points);
      if (t.row.id == 0) t.row.id = save_series(file_, t.row);
      const auto old = read_block(file_, t.row.id, month);
      if (!old) {
        auto block = pack(points);
        if (!block) return tl::unexpected(std::move(block.error()));
        t.change.added += points.size();
        save_block(file_, t.row.id, month, points, *block);
        return {};
      }
      std::vector<Point> held;
      auto block = unpack(*old, held).and_then([&] { return pack(held = merged(held, points, t.change)); });
      if (!block) return damaged(std::move(block.error()));
      if (*block != *old) save_block(file_, t.row.id, month, held, *block);
      return {};
    });
  }

  [[nodiscard]] Result<void> damaged(Error e) const {
    if (e.kind == Error::Kind::failed) {
      e.where = file_.path().string();
      e.remedy = remedy_for_damage(file_.path());
    }
    return tl::unexpected(std::move(e));
  }

  /// Direct and life-cycle values of one zone differ by a factor of four in places; they never share a series.
  [[nodiscard]] Result<void> same_factor(const Track& t, const Signal& now) const {
    if (!t.was_there || t.row.about.empty()) return {};
    auto held = parse_about(t.row.about);
    if (!held) return damaged(std::move(held.error()));
    const std::string& before = held->signal.factor;
    if (before == now.factor || before.empty() || now.factor.empty()) return {};
    return fail("the values are " + now.factor + ", those of \"" + t.row.key.origin + "\" that are held are " + before,
                t.row.key.zone, "give it another origin: it is another series", Error::Kind::usage);
  }

  Result<void> save_about(Track& t) {
    return guarded(file_.path(), [&]() -> Result<void> {
      const bool changed = t.change.added + t.change.replaced > 0;
      if (t.was_there && !changed && t.about == t.row.about && t.resolution == t.row.resolution) return {};
      t.row.about = t.about;
      t.row.resolution = t.resolution;
      if (changed || !t.was_there) t.row.changed = utc_now();
      t.row.id = save_series(file_, t.row);
      t.is_saved = true;
      return {};
    });
  }

  StoreFile& file_;
  std::vector<Track> tracks_;
  std::size_t waiting_ = 0;
  std::unique_ptr<SQLite::Transaction> writing_;
};

Result<void> Store::Writer::Impl::describe(std::size_t series, const Series& header) {
  Track& t = tracks_[series];
  if (auto r = begin(t); !r) return r;
  if (t.was_there && t.row.resolution != header.resolution) {
    return fail("the points are " + std::to_string(seconds(header.resolution).value()) + " s apart, those of \"" +
                    t.row.key.origin + "\" that are held " + std::to_string(seconds(t.row.resolution).value()) + " s",
                t.row.key.zone, "give it another origin: it is another series", Error::Kind::usage);
  }
  if (auto r = same_factor(t, header.signal); !r) return r;
  t.resolution = header.resolution;
  t.about = about_json(header);
  t.is_described = true;
  return {};
}

Result<Store::Writer::Gaps> Store::Writer::Impl::gaps(std::size_t series, Nanoseconds resolution, std::size_t most_listed) {
  if (auto r = flush(); !r) return tl::unexpected(std::move(r.error()));
  const Track& t = tracks_[series];
  Gaps out;
  if (resolution <= Nanoseconds{0} || t.seen.points == 0) return out;
  return guarded(file_.path(), [&]() -> Result<Gaps> {
    const auto s = file_.statement("SELECT points FROM blocks WHERE series = ? AND month BETWEEN ? AND ? ORDER BY month");
    s->bind(1, t.row.id);
    s->bind(2, month_of(t.seen.first));
    s->bind(3, month_of(t.seen.last));
    std::optional<Nanoseconds> before;
    const auto look = [&](Nanoseconds from, Nanoseconds to, std::size_t times) {
      const Nanoseconds missing = to - from - resolution;
      if (missing <= Nanoseconds{0} || to <= t.seen.first || from >= t.seen.last) return;
      out.count += times;
      out.length += missing * static_cast<std::int64_t>(times);
      for (std::size_t i = 0; i < times && out.first.size() < most_listed; ++i) {
        const auto at = from + (to - from) * static_cast<std::int64_t>(i);
        out.first.push_back({at + resolution, at + (to - from)});
      }
    };
    while (s->executeStep()) {
      const auto runs = start_runs(s->getColumn(0).getString());
      if (!runs) {
        return fail(runs.error().what, file_.path().string(), remedy_for_damage(file_.path()));
      }
      for (const StartRun& run : *runs) {
        if (before) look(*before, run.first, 1);
        if (run.count > 1) look(run.first, run.first + run.step, run.count - 1);
        before = run.last();
      }
    }
    return out;
  });
}

Result<std::vector<Store::Change>> Store::Writer::Impl::commit() {
  if (auto r = flush(); !r) return tl::unexpected(std::move(r.error()));
  std::vector<Change> changes;
  for (Track& t : tracks_) {
    if (!t.is_described && t.seen.points == 0) {  // asked for, and then nothing came
      changes.emplace_back();
      continue;
    }
    if (!t.is_described) {
      return fail("points of \"" + t.row.key.zone + "\" without a description", {}, {}, Error::Kind::usage);
    }
    if (auto r = save_about(t); !r) return tl::unexpected(std::move(r.error()));
    changes.push_back(t.change);
  }
  return guarded(file_.path(), [&]() -> Result<std::vector<Change>> {
    const bool wrote = std::any_of(tracks_.begin(), tracks_.end(),
                                   [](const Track& t) { return t.is_saved || t.change.added + t.change.replaced > 0; });
    if (writing_ && wrote) writing_->commit();
    writing_.reset();
    return changes;
  });
}

Store::Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Writer::~Writer() = default;
Store::Writer::Writer(Writer&&) noexcept = default;
Store::Writer& Store::Writer::operator=(Writer&&) noexcept = default;

std::size_t Store::Writer::series(const SeriesKey& key) { return impl_->series(key); }
Result<void> Store::Writer::add(std::size_t series, std::span<const Point> points) { return impl_->add(series, points); }
Result<Store::Writer::Seen> Store::Writer::seen(std::size_t series) { return impl_->seen(series); }
Result<void> Store::Writer::describe(std::size_t series, const Series& header) { return impl_->describe(series, header); }
Result<Store::Writer::Gaps> Store::Writer::gaps(std::size_t series, Nanoseconds resolution, std::size_t most_listed) {
  return impl_->gaps(series, resolution, most_listed);
}
Result<std::vector<Store::Change>> Store::Writer::commit() { return impl_->commit(); }

Store::Writer Store::writer() { return Writer(std::make_unique<Writer::Impl>(*impl_->file)); }

}  // namespace gramwatt::grid
