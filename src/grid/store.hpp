#pragma once
// The local store of series: what was imported and what providers have answered. One SQLite file; several processes may use it.
//
// Points are kept in blocks (a month of one series in a row), so that ten million rows come in at more than a million a second
// and a window is read without a scan. Putting the same points twice changes nothing; a better kind replaces a worse one
// (observed over estimated over forecast), and of the same kind the one that comes later.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::grid {

/// Which series: sources of one zone and signal stand side by side.
struct SeriesKey {
  std::string zone;
  SignalKind kind = SignalKind::average;
  std::string origin;  ///< "watttime", "pack:electricitymaps-2022": who brought it, also what `config` may name

  friend bool operator==(const SeriesKey&, const SeriesKey&) = default;
};

/// A line of `grid import --list`.
struct Held {
  SeriesKey key;
  Signal signal;
  Nanoseconds resolution{};
  Window window;  ///< from the first to the end of the last point
  std::size_t points = 0;
  Nanoseconds changed{};  ///< UTC, when the last point came in
};

class Store {
 public:
  /// Makes the file and its folder where they are absent.
  [[nodiscard]] static Result<Store> open(const std::filesystem::path& path);
  /// $XDG_DATA_HOME/gramwatt/grid.sqlite
  [[nodiscard]] static std::filesystem::path default_path();
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  struct Change {
    std::size_t added = 0, replaced = 0, unchanged = 0;
  };
  /// Merges the points, all or nothing. Signal, terms and resolution of the key become those of `series` (kind usage where the
  /// resolution differs from what is held: that is another series).
  [[nodiscard]] Result<Change> put(const SeriesKey& key, const Series& series);
  /// The points that hold in the window. Kind missing where the key is unknown; empty points where it has none there.
  [[nodiscard]] Result<Series> get(const SeriesKey& key, Window window) const;
  [[nodiscard]] Result<std::vector<Held>> list() const;
  [[nodiscard]] Result<void> remove(const SeriesKey& key);

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gramwatt::grid
