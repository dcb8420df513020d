#pragma once
// A store in a temporary folder that text is imported into.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "fakes/temp_tree.hpp"
#include "grid/import.hpp"

namespace gramwatt::grid {

using namespace std::chrono_literals;

inline constexpr Window kAllTime{-1'000'000h, 1'000'000h};

inline Nanoseconds utc(int y, unsigned m, unsigned d, int h = 0, int minute = 0) {
  using namespace std::chrono;
  return sys_days(year(y) / month(m) / day(d)).time_since_epoch() + hours(h) + minutes(minute);
}

class Import : public ::testing::Test {
 protected:
  Import() : store_(std::move(*Store::open(tree_ / "grid.sqlite"))) {}

  Result<ImportResult> import(std::string_view text, const ImportOptions& options = {}, const std::string& name = "file.csv") {
    return import_text(store_, text, name, options);
  }
  /// The points of the only series that was imported.
  std::vector<Point> points(const ImportResult& r, std::size_t i = 0) {
    return store_.get(r.series.at(i).key, kAllTime).value().points;
  }
  std::vector<double> values(const ImportResult& r, std::size_t i = 0) {
    std::vector<double> out;
    const auto all = points(r, i);
    for (const Point& p : all) out.push_back(p.value.value());
    return out;
  }
  /// Refused, with this in the message, and nothing in the store.
  void refuses(std::string_view text, const std::string& part, const ImportOptions& options = {}) {
    const auto r = import(text, options);
    ASSERT_FALSE(r);
    EXPECT_NE(r.error().message().find(part), std::string::npos) << r.error().message();
    EXPECT_TRUE(store_.list().value().empty());
  }

  testing::TempTree tree_;
  Store store_;
};

inline ImportOptions of_zone(std::string zone) {
  ImportOptions o;
  o.zone = std::move(zone);
  return o;
}

inline bool has_note(const ImportResult& r, std::string_view part) {
  return std::any_of(r.notes.begin(), r.notes.end(), [&](const std::string& n) { return contains(n, part); });
}

}  // namespace gramwatt::grid
