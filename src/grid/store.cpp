#include "grid/store.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

#include "base/system.hpp"
#include "grid/point_block.hpp"
#include "grid/store_impl.hpp"
#include "grid/store_rows.hpp"

namespace gramwatt::grid {
namespace {

Error unknown(const SeriesKey& key) {
  return {"the grid store holds no " + std::string(to_string(key.kind)) + " series of zone \"" + key.zone + "\" from \"" +
              key.origin + "\"",
          {},
          "`gramwatt grid import --list` shows what it holds",
          Error::Kind::missing};
}

Result<void> append_block(const StoreFile& file, std::string_view block, std::vector<Point>& out) {
  auto done = unpack(block, out);
  if (!done) {
    done.error().where = file.path().string();
    done.error().remedy = remedy_for_damage(file.path());
  }
  return done;
}

/// The month of the last block that begins at or before `t`, else of the first one: where a window that begins at `t` must be
/// read from. Nothing: no blocks.
std::optional<std::int64_t> month_before(StoreFile& file, std::int64_t series, Nanoseconds t) {
  const auto s = file.statement(
      "SELECT coalesce((SELECT max(month) FROM blocks WHERE series = ?1 AND first <= ?2), (SELECT min(month) FROM blocks WHERE "
      "series = ?1))");
  s->bind(1, series);
  s->bind(2, static_cast<std::int64_t>(t.count()));
  if (!s->executeStep() || s->getColumn(0).isNull()) return std::nullopt;
  return s->getColumn(0).getInt64();
}

/// Leaves the points that hold in the window.
void cut(Series& s, Window window) {
  auto& p = s.points;
  const auto by_start = [](const Point& a, Nanoseconds t) { return a.start < t; };
  auto end = std::lower_bound(p.begin(), p.end(), window.end, by_start);
  auto begin = std::upper_bound(p.begin(), p.end(), window.start, [](Nanoseconds t, const Point& a) { return t < a.start; });
  if (begin != p.begin()) {
    --begin;
    if (s.end_of(static_cast<std::size_t>(begin - p.begin())) <= window.start) ++begin;
  }
  // The first of all holds before its start, too, where points hold until the next one.
  if (s.resolution <= Nanoseconds{0} && end == p.begin() && !p.empty()) ++end;
  if (end <= begin) {
    p.clear();
    return;
  }
  p.erase(end, p.end());
  p.erase(p.begin(), begin);
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

std::filesystem::path Store::default_path() { return xdg_data_home() / "gramwatt" / "grid.sqlite"; }

Result<Store> Store::open(const std::filesystem::path& path) {
  auto file = StoreFile::open(path);
  if (!file) return tl::unexpected(std::move(file.error()));
  return Store(std::make_unique<Impl>(std::move(*file)));
}

Result<std::optional<Store>> Store::open_read_only(const std::filesystem::path& path) {
  auto file = StoreFile::open_read_only(path);
  if (!file) return tl::unexpected(std::move(file.error()));
  if (!*file) return std::optional<Store>();
  return std::optional<Store>(Store(std::make_unique<Impl>(std::move(*file))));
}

Result<Store::Change> Store::put(const SeriesKey& key, const Series& series) {
  Writer w = writer();
  const std::size_t id = w.series(key);
  if (auto r = w.add(id, series.points); !r) return tl::unexpected(std::move(r.error()));
  if (auto r = w.describe(id, series); !r) return tl::unexpected(std::move(r.error()));
  auto changes = w.commit();
  if (!changes) return tl::unexpected(std::move(changes.error()));
  return (*changes)[id];
}

Result<Series> Store::get(const SeriesKey& key, Window window) const {
  StoreFile& file = *impl_->file;
  return guarded(file.path(), [&]() -> Result<Series> {
    const auto reading = file.begin_read();
    const auto row = find_series(file, key);
    if (!row) return tl::unexpected(unknown(key));
    auto series = parse_about(row->about);
    if (!series) {
      series.error().where = file.path().string();
      series.error().remedy = remedy_for_damage(file.path());
      return series;
    }
    series->resolution = row->resolution;
    if (window.end <= window.start) return series;
    const auto from = month_before(file, row->id, window.start);
    if (!from) return series;
    const auto s = file.statement("SELECT points FROM blocks WHERE series = ? AND month >= ? AND first < ? ORDER BY month");
    s->bind(1, row->id);
    s->bind(2, *from);
    // Where the points hold until the next one, the first of all is wanted for windows that end before it.
    const bool all_time = row->resolution <= Nanoseconds{0};
    s->bind(3, all_time ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(window.end.count()));
    while (s->executeStep()) {
      const auto blob = s->getColumn(0);
      const std::string_view block(static_cast<const char*>(blob.getBlob()), static_cast<std::size_t>(blob.getBytes()));
      const std::size_t before = series->points.size();
      if (auto r = append_block(file, block, series->points); !r) return tl::unexpected(std::move(r.error()));
      if (before > 0 && before < series->points.size() && series->points[before].start <= series->points[before - 1].start) {
        return fail("the grid store is damaged: months overlap", file.path().string(), remedy_for_damage(file.path()));
      }
      if (all_time && !series->points.empty() && series->points.back().start >= window.end) break;
    }
    cut(*series, window);
    return series;
  });
}

Result<std::vector<Held>> Store::list() const {
  StoreFile& file = *impl_->file;
  return guarded(file.path(), [&]() -> Result<std::vector<Held>> {
    std::vector<Held> out;
    const auto s = file.statement(
        "SELECT zone, kind, origin, resolution, changed, about, coalesce(sum(n), 0), coalesce(min(first), 0), "
        "coalesce(max(last), 0) FROM series LEFT JOIN blocks ON series = id GROUP BY id ORDER BY zone, kind, origin");
    while (s->executeStep()) {
      const auto number = [&](int column) { return s->getColumn(column).getInt64(); };
      auto about = parse_about(s->getColumn(5).getString());
      const auto kind = parse_signal_kind(s->getColumn(1).getString());
      if (!about || !kind) {
        return fail("the grid store is damaged: a series cannot be read", file.path().string(), remedy_for_damage(file.path()));
      }
      Held h;
      h.key = {s->getColumn(0).getString(), *kind, s->getColumn(2).getString()};
      h.signal = std::move(about->signal);
      h.resolution = Nanoseconds(number(3));
      h.changed = Nanoseconds(number(4));
      h.points = static_cast<std::size_t>(number(6));
      if (h.points > 0) h.window = {Nanoseconds(number(7)), Nanoseconds(number(8)) + h.resolution};
      out.push_back(std::move(h));
    }
    return out;
  });
}

Result<void> Store::remove(const SeriesKey& key) {
  StoreFile& file = *impl_->file;
  return guarded(file.path(), [&]() -> Result<void> {
    const auto writing = file.begin_write();
    const auto row = find_series(file, key);
    if (!row) return tl::unexpected(unknown(key));
    for (const char* sql : {"DELETE FROM blocks WHERE series = ?", "DELETE FROM series WHERE id = ?"}) {
      const auto s = file.statement(sql);
      s->bind(1, row->id);
      (void)s->exec();
    }
    writing->commit();
    return {};
  });
}

}  // namespace gramwatt::grid
