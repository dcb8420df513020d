// What it costs to move a job in time, for every five-minute start of a year: flexible start and pause and resume, the
// published ways beside them (each start summed or sorted anew), and the whole study. Prints the table of docs/validation.md.
//
// usage: plan_sliding [FILE]   (one g/kWh in the last column of each line, as moer_5min_2020_pge.csv; made up otherwise)

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "plan/facct22.hpp"
#include "plan/sliding.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::plan;

constexpr std::size_t kYear = 105'408;  // 2020 in five minutes

/// Day, season and a walk of its own: as rough as a marginal series.
std::vector<MilligramsPerKwh> made_up(std::uint32_t seed) {
  std::vector<MilligramsPerKwh> out;
  std::uint32_t state = seed;
  double walk = 0;
  for (std::size_t i = 0; i < kYear; ++i) {
    state = state * 1664525 + 1013904223;
    walk = 0.98 * walk + (static_cast<double>(state >> 8) / (1 << 24) - 0.5) * 60;
    const double day = static_cast<double>(i % 288) / 288, year = static_cast<double>(i) / kYear;
    out.push_back(
        quantise(GramsPerKwh(std::max(0.0, 300 + 120 * std::cos(6.2832 * day) + 50 * std::cos(6.2832 * year) + walk))));
  }
  return out;
}

std::vector<MilligramsPerKwh> read(const char* path) {
  std::ifstream in(path);
  std::vector<MilligramsPerKwh> out;
  for (std::string line; std::getline(in, line);) {
    const auto comma = line.rfind(',');
    if (comma == std::string::npos || line.empty() || std::isdigit(static_cast<unsigned char>(line[0])) == 0) continue;
    out.push_back(quantise(GramsPerKwh(std::atof(line.c_str() + comma + 1))));
  }
  return out;
}

template <class F>
double nanoseconds_each(std::size_t count, int rounds, F work) {
  double best = 1e18;
  for (int r = 0; r < rounds; ++r) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  return best / static_cast<double>(count);
}

Sum sink = 0;  // what was computed is used

void naive_flexible(const std::vector<MilligramsPerKwh>& c, std::size_t start, std::size_t k, std::size_t window) {
  Sum best = INT64_MAX;
  for (std::size_t i = start; i + k <= start + window; ++i) {
    Sum sum = 0;
    for (std::size_t j = i; j < i + k; ++j) sum += c[j];
    best = std::min(best, sum);
  }
  sink += best;
}

void naive_pauses(const std::vector<MilligramsPerKwh>& c, std::size_t start, std::size_t k, std::size_t window,
                  std::vector<MilligramsPerKwh>& scratch) {
  const auto from = c.begin() + static_cast<std::ptrdiff_t>(start);
  scratch.assign(from, from + static_cast<std::ptrdiff_t>(window));
  std::nth_element(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(k) - 1, scratch.end());
  for (std::size_t i = 0; i < k; ++i) sink += scratch[i];
}

/// The textbook's sliding minimum over prefix sums.
void deque_flexible(const std::vector<Sum>& prefix, std::size_t k, std::size_t window, std::vector<Sum>& out) {
  const std::size_t width = window - k + 1;
  std::vector<std::pair<Sum, std::size_t>> ring(prefix.size());
  std::size_t head = 0, tail = 0;
  for (std::size_t i = 0; i + k < prefix.size(); ++i) {
    const Sum run = prefix[i + k] - prefix[i];
    while (tail > head && ring[tail - 1].first > run) --tail;
    ring[tail++] = {run, i};
    if (ring[head].second + width <= i) ++head;
    if (i + 1 >= width) out[i + 1 - width] = ring[head].first;
  }
}

/// The study of 16 regions, every start of the year; the paper's windows and jobs.
void whole_study(const std::vector<MilligramsPerKwh>& c, bool made) {
  namespace facct22 = plan::facct22;
  constexpr int kRegions = 16;
  const facct22::Asked asked{
      {Nanoseconds{0}, kYear * Nanoseconds(std::chrono::minutes(5))}, std::chrono::minutes(5), facct22::Starts::all};
  std::size_t starts = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint32_t r = 0; r < kRegions; ++r) {
    const std::vector<facct22::Stretch> known{{{Nanoseconds{0}, asked.slot, made ? made_up(r + 1) : c}, {}}};
    for (const auto& row : facct22::study(known, asked)) {
      for (const facct22::Cell& cell : row) starts += cell.starts;
    }
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf(
      "\nthe whole study: 11 jobs, 8 windows, every five-minute start of 2020, %d series, both ways with their costs: %.0f "
      "million "
      "starts in %.2f s, one core (bar 10 s): %s\n",
      kRegions, static_cast<double>(starts) / 1e6, took, took <= 10 ? "met" : "MISSED");
}

struct Piece {
  const char* name;
  int length, window;
};

void compare(const std::vector<MilligramsPerKwh>& c, const Piece& s) {
  Sliding sliding(c);
  const std::size_t count = sliding.starts(s.window);
  const auto k = static_cast<std::size_t>(s.length), window = static_cast<std::size_t>(s.window);
  std::vector<Sum> prefix(c.size() + 1), out(c.size());
  for (std::size_t i = 0; i < c.size(); ++i) prefix[i + 1] = prefix[i] + c[i];
  std::vector<MilligramsPerKwh> scratch;
  const double fs = nanoseconds_each(count, 5, [&] { sink += sliding.flexible_start(s.length, s.window).sum.back(); });
  const double deque = nanoseconds_each(count, 5, [&] { deque_flexible(prefix, k, window, out); });
  const double pr = nanoseconds_each(count, 5, [&] { sink += sliding.pause_resume(s.length, s.window).sum.back(); });
  const double charged = nanoseconds_each(count, 3, [&] { sink += sliding.pause_resume(s.length, s.window, true).sum.back(); });
  constexpr std::size_t kFew = 200;
  const auto few = [&](auto one) {
    return nanoseconds_each(kFew, 1, [&] {
      for (std::size_t i = 0; i < kFew; ++i) one(i * count / kFew);
    });
  };
  const double fs_naive = few([&](std::size_t i) { naive_flexible(c, i, k, window); });
  const double pr_naive = few([&](std::size_t i) { naive_pauses(c, i, k, window, scratch); });
  std::printf("| %s (%d of %d slots) | %.1f | %.1f | %.0f | %.1f | %.1f | %.0f |\n", s.name, s.length, s.window, fs, deque,
              fs_naive, pr, charged, pr_naive);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<MilligramsPerKwh> c = argc > 1 ? read(argv[1]) : made_up(1);
  std::printf("ns a start; %zu slots, %s\n\n", c.size(), argc > 1 ? argv[1] : "made up");
  std::printf("| job | flexible start | with a deque | summed anew | pause and resume | with costs | nth_element anew |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  for (const Piece& s : std::array<Piece, 7>{{{"20 min, +25 %", 4, 5},
                                              {"20 min, +24 h", 4, 292},
                                              {"6 h, +24 h", 72, 360},
                                              {"19 h, +24 h", 228, 516},
                                              {"36 h, +24 h", 432, 720},
                                              {"192 h, +24 h", 2304, 2592},
                                              {"192 h, +100 %", 2304, 4608}}})
    compare(c, s);
  whole_study(c, argc <= 1);
  return sink == 42 ? 1 : 0;
}
