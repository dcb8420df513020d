#include "grid/store_rows.hpp"

#include <chrono>

#include <SQLiteCpp/SQLiteCpp.h>
#include <nlohmann/json.hpp>

namespace gramwatt::grid {
namespace {

constexpr int kMonths = 12;
constexpr int kEpoch = 1970;

nlohmann::json to_json(const Signal& s) {
  return {{"kind", to_string(s.kind)},
          {"factor", s.factor},
          {"basis", s.basis},
          {"grid_loss", s.grid_loss},
          {"year", s.year},
          {"data_kind", s.data_kind},
          {"gas", s.gas},
          {"source", s.source},
          {"licence", s.licence},
          {"fit_for", s.fit_for}};
}

Signal signal_from(const nlohmann::json& j) {
  Signal s;
  s.kind = parse_signal_kind(j.at("kind").get<std::string>()).value_or(SignalKind::average);
  s.factor = j.at("factor");
  s.basis = j.at("basis");
  s.grid_loss = j.at("grid_loss");
  s.year = j.at("year");
  s.data_kind = j.at("data_kind");
  s.gas = j.at("gas");
  s.source = j.at("source");
  s.licence = j.at("licence");
  s.fit_for = j.at("fit_for").get<std::vector<std::string>>();
  return s;
}

}  // namespace

std::int64_t month_of(Nanoseconds t) {
  using namespace std::chrono;
  const year_month_day date{sys_days{floor<days>(t)}};
  return (static_cast<int>(date.year()) - kEpoch) * kMonths + static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

Nanoseconds start_of_month(std::int64_t month) {
  using namespace std::chrono;
  const auto date = year(kEpoch) / January / 1 + months(month);
  return sys_days(date).time_since_epoch();
}

std::optional<SeriesRow> find_series(StoreFile& file, const SeriesKey& key) {
  const auto s = file.statement("SELECT id, resolution, changed, about FROM series WHERE zone = ? AND kind = ? AND origin = ?");
  s->bind(1, key.zone);
  s->bind(2, std::string(to_string(key.kind)));
  s->bind(3, key.origin);
  if (!s->executeStep()) return std::nullopt;
  return SeriesRow{s->getColumn(0).getInt64(), key, Nanoseconds(s->getColumn(1).getInt64()),
                   Nanoseconds(s->getColumn(2).getInt64()), s->getColumn(3).getString()};
}

std::int64_t save_series(StoreFile& file, const SeriesRow& row) {
  const auto s = file.statement(
      "INSERT INTO series(id, zone, kind, origin, resolution, changed, about) VALUES(?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(id) DO UPDATE SET resolution = excluded.resolution, changed = excluded.changed, about = excluded.about "
      "RETURNING id");
  if (row.id != 0) s->bind(1, row.id);
  s->bind(2, row.key.zone);
  s->bind(3, std::string(to_string(row.key.kind)));
  s->bind(4, row.key.origin);
  s->bind(5, static_cast<std::int64_t>(row.resolution.count()));
  s->bind(6, static_cast<std::int64_t>(row.changed.count()));
  s->bind(7, row.about);
  (void)s->executeStep();
  const std::int64_t id = s->getColumn(0).getInt64();
  while (s->executeStep()) {}
  return id;
}

std::string about_json(const Series& series) {
  nlohmann::json terms = nlohmann::json::object();
  for (const auto& [id, shift] : series.terms) terms[id] = {shift.minus, shift.plus};
  return nlohmann::json{{"signal", to_json(series.signal)}, {"terms", terms}, {"method", to_string(series.method)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Series> parse_about(const std::string& text) {
  try {
    const auto j = nlohmann::json::parse(text);
    Series s;
    s.signal = signal_from(j.at("signal"));
    for (const auto& [id, shift] : j.at("terms").items()) s.terms[id] = {shift.at(0).get<double>(), shift.at(1).get<double>()};
    s.method = parse_method(j.at("method").get<std::string>()).value_or(Method::modelled);
    return s;
  } catch (const nlohmann::json::exception& e) {
    return fail(std::string("the grid store is damaged: ") + e.what());
  }
}

std::optional<std::string> read_block(StoreFile& file, std::int64_t series, std::int64_t month) {
  const auto s = file.statement("SELECT points FROM blocks WHERE series = ? AND month = ?");
  s->bind(1, series);
  s->bind(2, month);
  if (!s->executeStep()) return std::nullopt;
  return s->getColumn(0).getString();
}

void save_block(StoreFile& file, std::int64_t series, std::int64_t month, const std::vector<Point>& points,
                const std::string& block) {
  const auto s = file.statement(
      "INSERT INTO blocks(series, month, n, first, last, points) VALUES(?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(series, month) DO UPDATE SET n = excluded.n, first = excluded.first, last = excluded.last, "
      "points = excluded.points");
  s->bind(1, series);
  s->bind(2, month);
  s->bind(3, static_cast<std::int64_t>(points.size()));
  s->bind(4, static_cast<std::int64_t>(points.front().start.count()));
  s->bind(5, static_cast<std::int64_t>(points.back().start.count()));
  s->bindNoCopy(6, block.data(), static_cast<int>(block.size()));
  (void)s->exec();
}

}  // namespace gramwatt::grid
