// How fast a large file comes into the store of intensities: ten million rows of a five-minute series (95 years of one zone),
// or as many as are named. Prints rows a second of the first import, of the second (which changes nothing), the size of the
// store, and of a gzip file and a wide one where they are named. usage: grid_import [ROWS [FILE...]]

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "fakes/temp_tree.hpp"
#include "grid/import.hpp"

namespace {

using namespace gramwatt;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Like a day of California: hundreds of grams with a dip at noon, two decimals.
void write_rows(const std::filesystem::path& path, long rows) {
  std::FILE* out = std::fopen(path.c_str(), "w");
  if (out == nullptr) std::exit(1);
  std::fputs("utc_start,g_per_kwh\n", out);
  const Nanoseconds first = std::chrono::sys_days(std::chrono::year(1930) / 1 / 1).time_since_epoch();
  std::uint32_t noise = 1;
  for (long i = 0; i < rows; ++i) {
    noise = noise * 1664525U + 1013904223U;
    const double value = 300 - 150 * std::cos(static_cast<double>(i % 288) / 288 * 6.2832) + (noise >> 24U) * 0.13;
    const std::string label = iso8601(first + i * std::chrono::minutes(5));
    std::fprintf(out, "%.16sZ,%.2f\n", label.c_str(), value);
  }
  (void)std::fclose(out);
}

void import_once(grid::Store& store, const std::filesystem::path& path, const char* what, grid::ImportOptions options) {
  std::size_t calls = 0;
  options.progress = [&](const grid::ImportProgress&) { return ++calls > 0; };
  const auto start = Clock::now();
  const auto result = grid::import_file(store, path, options);
  const double took = since(start);
  if (!result) {
    std::printf("%s: %s\n", what, result.error().message().c_str());
    std::exit(1);
  }
  std::size_t added = 0;
  for (const auto& s : result->series) added += s.change.added;
  std::printf("%-40s %9zu rows in %6.2f s = %5.2f million rows/s, %zu added, %.1f MB read\n", what, result->rows, took,
              static_cast<double>(result->rows) / took * 1e-6, added,
              static_cast<double>(std::filesystem::file_size(path)) * 1e-6);
}

}  // namespace

int main(int argc, char** argv) {
  const long rows = argc > 1 ? std::atol(argv[1]) : 10'000'000;
  const gramwatt::testing::TempTree tree;
  write_rows(tree / "rows.csv", rows);
  grid::ImportOptions options;
  options.zone = "US-CAL-CISO";
  const auto size = [&] { return static_cast<double>(std::filesystem::file_size(tree / "grid.sqlite")); };
  const auto times = [&](const char* what) {
    auto store = grid::Store::open(tree / "grid.sqlite");
    if (!store) std::exit(1);
    import_once(*store, tree / "rows.csv", what, options);
  };
  times("first import");
  const double before = size();
  times("second import");
  std::printf("store: %.1f MB, %.2f bytes a row; after the second import %+.0f bytes\n", before * 1e-6,
              before / static_cast<double>(rows), size() - before);
  for (int i = 2; i < argc; ++i) {
    auto store = grid::Store::open(tree / "grid.sqlite");
    if (!store) return 1;
    grid::ImportOptions wide;
    if (std::string(argv[i]).find("zones") == std::string::npos) wide.zone = "US-CAL-CISO";
    import_once(*store, argv[i], std::filesystem::path(argv[i]).filename().c_str(), wide);
  }
  rusage use{};
  (void)getrusage(RUSAGE_SELF, &use);
  std::printf("memory at most: %.0f MB\n", static_cast<double>(use.ru_maxrss) * 1e-3);
  return 0;
}
