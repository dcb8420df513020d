#pragma once
// In which grid zone does a point lie?
//
// The outlines (data/zone_outlines.bin) are 1,113 rings of 31,000 points. Asking each ring takes 100 microseconds; so the world
// is cut into cells of one degree, and each cell keeps the pieces of outlines that cross it and, for its lower left corner,
// which rings hold it. A point is then judged by the pieces in its own cell alone: walk from the corner up to the point's
// height and then across to it, and each piece that is crossed turns its ring's answer over. Most cells are crossed by none and
// answer at once.
//
// Outlines have no holes, so that a zone within another lies in both rings: the smaller ring, which stands first, is meant.
// They are simplified to 0.06 degrees (some 6 km): nearer to a border than that the answer may be the neighbour's.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "place/coordinates.hpp"

namespace gramwatt::place {

/// Immutable after construction; any number of threads may ask.
class Outlines {
 public:
  /// `table` has the form of data/zone_outlines.bin and outlives this.
  explicit Outlines(std::string_view table);
  /// The built-in outlines, made at the first call (about a millisecond).
  static const Outlines& built_in();

  /// The zone that holds the point, or nothing at sea and in Antarctica.
  [[nodiscard]] std::optional<std::string_view> zone_at(const Coordinates& point) const;

  struct Near {
    std::string_view zone;
    double kilometres = 0;
  };
  /// The zone whose border is nearest, within some hundred kilometres at most: what lies on a coast may lie outside a
  /// simplified outline.
  [[nodiscard]] std::optional<Near> nearest(const Coordinates& point, double within_kilometres) const;
  /// The nearest zone however far; slow (it looks at every vertex), for messages.
  [[nodiscard]] Near nearest_anywhere(const Coordinates& point) const;

  [[nodiscard]] const std::vector<std::string_view>& zones() const { return zones_; }  ///< sorted

 private:
  struct Edge {
    std::int16_t x0, y0, x1, y1;  ///< hundredths of a degree
  };
  /// The pieces of one ring that cross a cell.
  struct Group {
    std::uint32_t first_edge;
    std::uint16_t ring, edges;
    bool holds_corner;
  };
  struct Cell {
    std::uint32_t first_group = 0;
    std::uint16_t groups = 0;
    std::uint16_t whole = kNone;  ///< the smallest ring that holds all of it
  };
  static constexpr std::uint16_t kNone = 0xFFFF;

  struct RingEdge {
    Edge edge;
    std::uint16_t ring;
  };
  std::vector<RingEdge> read(std::string_view table);
  void sort_into_cells(const std::vector<RingEdge>& edges);
  void judge_corners(const std::vector<RingEdge>& edges);

  std::vector<std::string_view> zones_;
  std::vector<std::uint16_t> zone_of_;  ///< by ring
  std::vector<Cell> cells_;
  std::vector<Group> groups_;
  std::vector<Edge> edges_;
};

/// A point well inside the zone's largest ring, for those who ask by point; nothing for a zone without an outline. It reads the
/// head of the table only, some microseconds.
[[nodiscard]] std::optional<Coordinates> point_in_zone(std::string_view zone);

}  // namespace gramwatt::place
