#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "report/grid.hpp"

namespace gramwatt::report {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string grid_json(const GridView& v) {
  const auto steps = grid::steps(v.ladder, v.window, v.step);
  std::vector<std::size_t> counts(v.ladder.rungs.size());
  for (const grid::Step& s : steps) ++counts[s.rung];
  const auto main = static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  const grid::Signal& signal = v.ladder.rungs[main].signal;
  Json out{{"schema", "gramwatt.grid/1"},
           {"zone", v.zone},
           {"signal", grid::to_string(signal.kind)},
           {"unit", unit_of(signal)},
           {"source", signal.source},
           {"licence", signal.licence},
           {"factor", signal.factor},
           {"basis", signal.basis},
           {"grid_loss", signal.grid_loss},
           {"year", signal.year},
           {"fit_for", signal.fit_for},
           {"step_s", seconds(v.step).value()}};
  Json points = Json::array();
  for (const grid::Step& s : steps) {
    Json p{{"time", time_text(s.start)},
           {"value", s.value.value()},
           {"low", s.low.value()},
           {"high", s.high.value()},
           {"kind", grid::to_string(s.kind)}};
    // What came from elsewhere than the bulk says so itself.
    if (s.rung != main) p["source"] = v.ladder.rungs[s.rung].signal.source;
    points.push_back(std::move(p));
  }
  out["points"] = std::move(points);
  if (!v.ladder.notes.empty()) out["notes"] = v.ladder.notes;
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string backtest_json(const std::vector<grid::Backtest>& tests, const std::string& zone) {
  Json models = Json::array();
  for (const grid::Backtest& t : tests) {
    Json days = Json::array();
    for (const grid::BacktestDay& d : t.days)
      days.push_back(
          {{"mape", d.mape.value()}, {"rank_correlation", d.rank_correlation.value()}, {"covered", d.covered.value()}});
    models.push_back({{"model", grid::to_string(t.model)}, {"origins", t.origins}, {"days", std::move(days)}});
  }
  return Json{{"schema", "gramwatt.backtest/1"}, {"zone", zone}, {"models", std::move(models)}}.dump(2);
}

}  // namespace gramwatt::report
