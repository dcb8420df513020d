#pragma once
// The local store of series: what was imported and what providers have answered. One SQLite file; several processes may use it.
//
// Points are kept in blocks (a month of one series in a row), so that ten million rows come in at more than a million a second
// and a window is read without a scan. Putting the same points twice changes nothing; a better kind replaces a worse one
// (observed over estimated over forecast over profile), and of the same kind the one that comes later. Values are kept to 0.001
// g/kWh (point_block.hpp).
//
// Thread safety: one thread a Store; any number of Stores, threads and processes may use the same file.

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
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
  /// Makes the file and its folder where they are absent. A foreign, damaged or newer file is an Error with a remedy and is
  /// left as it is.
  [[nodiscard]] static Result<Store> open(const std::filesystem::path& path);
  /// For reading only; makes nothing. No file yet: nothing.
  [[nodiscard]] static Result<std::optional<Store>> open_read_only(const std::filesystem::path& path);
  /// $XDG_DATA_HOME/gramwatt/grid.sqlite
  [[nodiscard]] static std::filesystem::path default_path();
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  struct Change {
    std::size_t added = 0, replaced = 0, unchanged = 0;
    std::size_t repeated = 0;  ///< points for an instant that the same put had told before; not in the three above
    friend bool operator==(const Change&, const Change&) = default;
  };
  /// Merges the points, all or nothing. Signal, terms and resolution of the key become those of `series` (kind usage where the
  /// resolution differs from what is held, or one is direct and the other life-cycle: that is another series).
  [[nodiscard]] Result<Change> put(const SeriesKey& key, const Series& series);
  /// The points that hold in the window. Kind missing where the key is unknown; empty points where it has none there.
  [[nodiscard]] Result<Series> get(const SeriesKey& key, Window window) const;
  [[nodiscard]] Result<std::vector<Held>> list() const;
  /// Kind missing where the key is unknown.
  [[nodiscard]] Result<void> remove(const SeriesKey& key);

  class Writer;
  /// For more points than fit in memory. The Store must outlive it; one at a time, and no put meanwhile.
  [[nodiscard]] Writer writer();

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Takes points of any number of series, in any order, and merges all of them or none: what is not committed is gone. Holds
/// some 25 MB at most. From the first half million points on it holds the file, so that other writers wait; readers do not.
class Store::Writer {
 public:
  ~Writer();
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;

  /// A number for the series of `key`, new or old; asked twice, the same.
  [[nodiscard]] std::size_t series(const SeriesKey& key);
  [[nodiscard]] Result<void> add(std::size_t series, std::span<const Point> points);

  /// What has come in for a series by now.
  struct Seen {
    std::size_t points = 0;
    Nanoseconds first{}, last{};                 ///< starts; meaningful where there are points
    Nanoseconds step{};                          ///< the most common one between neighbours in time; 0: no two neighbours
    std::optional<Nanoseconds> held_resolution;  ///< of the series in the store, where it was there before
  };
  [[nodiscard]] Result<Seen> seen(std::size_t series);

  /// Signal, terms, method and resolution (the points are not looked at); every series with points needs it before the commit.
  /// Kind usage as for put.
  [[nodiscard]] Result<void> describe(std::size_t series, const Series& header);

  /// What the store would still not know between the first and the last point that came in.
  struct Gaps {
    std::size_t count = 0;
    Nanoseconds length{};       ///< of all together
    std::vector<Window> first;  ///< the first few
  };
  [[nodiscard]] Result<Gaps> gaps(std::size_t series, Nanoseconds resolution, std::size_t most_listed = 5);

  /// Ends the transaction; the changes stand in the order of the numbers of the series. Writes nothing where nothing changed.
  [[nodiscard]] Result<std::vector<Change>> commit();

 private:
  friend class Store;
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gramwatt::grid
