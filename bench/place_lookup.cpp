// What it costs to find a grid zone: the start of each table, and a lookup, by point and by ZIP code.
// usage: build/release/bench/place_lookup

#include <cstdio>
#include <ctime>
#include <random>
#include <vector>

#include "data/tables.hpp"
#include "place/find.hpp"
#include "place/outlines.hpp"
#include "place/zip.hpp"

namespace {

using gramwatt::place::Coordinates;
using gramwatt::place::Outlines;

/// Not time on the wall: others may use this machine.
double processor_nanoseconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

template <class F>
double nanoseconds_each(std::size_t n, F f) {
  const double start = processor_nanoseconds();
  for (std::size_t i = 0; i < n; ++i) f(i);
  return (processor_nanoseconds() - start) / static_cast<double>(n);
}

/// Points all over the map, and points that lie in zones: both cells that are whole and cells on borders.
std::vector<Coordinates> random_points(bool in_zones) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> longitude(-180, 180);
  std::uniform_real_distribution<double> latitude(-56, 84);
  std::vector<Coordinates> points;
  while (points.size() < 100000) {
    const Coordinates p{latitude(random), longitude(random)};
    if (!in_zones || Outlines::built_in().zone_at(p)) points.push_back(p);
  }
  return points;
}

/// Within a tenth of a degree of a border's vertex: the worst that people ask.
std::vector<Coordinates> points_near_borders() {
  std::vector<Coordinates> points;
  for (const Coordinates& p : random_points(false)) {
    if (const auto near = Outlines::built_in().nearest(p, 5); near && points.size() < 10000) points.push_back(p);
  }
  return points;
}

}  // namespace

int main() {
  using namespace gramwatt;
  std::size_t found = 0;
  const double start = nanoseconds_each(20, [&](std::size_t) { found += Outlines(data::zone_outlines()).zones().size(); });
  std::printf("outlines, start                        %8.0f us\n", start / 1e3);
  const auto report = [&](const char* what, const std::vector<Coordinates>& points) {
    const double each = nanoseconds_each(
        20 * points.size(), [&](std::size_t i) { found += Outlines::built_in().zone_at(points[i % points.size()]) ? 1 : 0; });
    std::printf("%-38s %8.0f ns\n", what, each);
  };
  report("zone at a point anywhere", random_points(false));
  report("zone at a point in some zone", random_points(true));
  report("zone at a point within 5 km of a border", points_near_borders());
  const auto anywhere = random_points(false);
  std::printf("%-38s %8.0f ns\n", "nearest zone within 50 km", nanoseconds_each(anywhere.size(), [&](std::size_t i) {
                found += Outlines::built_in().nearest(anywhere[i], 50) ? 1 : 0;
              }));
  std::printf("%-38s %8.0f us\n", "ZIP codes, first",
              nanoseconds_each(1, [&](std::size_t) { found += place::find_zip(94103) ? 1 : 0; }) / 1e3);
  std::mt19937 random(2);
  std::printf("%-38s %8.0f ns\n", "ZIP code to zone",
              nanoseconds_each(1000000, [&](std::size_t) { found += place::find_zip(random() % 100000) ? 1 : 0; }));
  for (const char* words : {"94103, US", "Germany", "SW1A 1AA, GB", "Texas"}) {
    std::printf("words \"%s\"%*s %8.1f us\n", words, static_cast<int>(30 - std::char_traits<char>::length(words)), "",
                nanoseconds_each(200, [&](std::size_t) { found += place::find_by_words(words, "") ? 1 : 0; }) / 1e3);
  }
  return found == 0 ? 1 : 0;
}
