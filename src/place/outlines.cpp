#include "place/outlines.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "data/tables.hpp"
#include "place/packed.hpp"

namespace gramwatt::place {
namespace {

// Cells are one degree wide. Their lines are set off by an odd fraction of the grid on which all vertices lie, so that no line
// meets a vertex and no corner an edge, and no rule is needed for what happens there.
constexpr double kCell = 100;
constexpr double kShiftX = 0.3819660113;
constexpr double kShiftY = 0.7320508076;
constexpr int kColumns = 361;
constexpr int kRows = 181;
constexpr double kKmPerHundredth = 6371.0 * std::numbers::pi / 18000;

int column_of(double x) { return static_cast<int>((x + 18000 + kShiftX) / kCell); }
int row_of(double y) { return static_cast<int>((y + 9000 + kShiftY) / kCell); }
double corner_x(int column) { return column * kCell - 18000 - kShiftX; }
double corner_y(int row) { return row * kCell - 9000 - kShiftY; }
std::size_t cell_of(int column, int row) { return static_cast<std::size_t>(row) * kColumns + static_cast<std::size_t>(column); }

template <class E>
double x_at(const E& e, double y) {
  return e.x0 + (y - e.y0) * (e.x1 - e.x0) / (e.y1 - e.y0);
}
template <class E>
double y_at(const E& e, double x) {
  return e.y0 + (x - e.x0) * (e.y1 - e.y0) / (e.x1 - e.x0);
}

/// Calls f(cell) for each cell that an edge touches; one too many, by rounding, does no harm.
template <class E, class F>
void each_cell(const E& e, F f) {
  constexpr double kMargin = 1e-3;
  const int low = row_of(std::min(e.y0, e.y1) - kMargin);
  const int high = row_of(std::max(e.y0, e.y1) + kMargin);
  for (int row = low; row <= high; ++row) {
    double from = e.x0;
    double to = e.x1;
    if (low != high) {
      const auto at = [&](double y) { return x_at(e, std::clamp<double>(y, std::min(e.y0, e.y1), std::max(e.y0, e.y1))); };
      from = at(corner_y(row));
      to = at(corner_y(row + 1));
    }
    const int first = column_of(std::min(from, to) - kMargin);
    const int last = column_of(std::max(from, to) + kMargin);
    for (int column = first; column <= last; ++column) f(cell_of(column, row));
  }
}

/// False for NaN, too.
bool on_map(const Coordinates& p) { return std::abs(p.longitude) <= 180 && std::abs(p.latitude) <= 90; }

/// From the origin to a piece that is given relative to it.
double distance_to(double x0, double y0, double x1, double y1) {
  const double dx = x1 - x0;
  const double dy = y1 - y0;
  const double length = dx * dx + dy * dy;
  const double t = length > 0 ? std::clamp(-(x0 * dx + y0 * dy) / length, 0.0, 1.0) : 0;
  return std::hypot(x0 + t * dx, y0 + t * dy);
}

}  // namespace

Outlines::Outlines(std::string_view table) {
  const auto edges = read(table);
  sort_into_cells(edges);
  judge_corners(edges);
}

const Outlines& Outlines::built_in() {
  static const Outlines outlines(data::zone_outlines());
  return outlines;
}

std::vector<Outlines::RingEdge> Outlines::read(std::string_view table) {
  Packed in(table);
  const std::size_t zones = in.number();
  for (std::size_t i = 0; i < zones; ++i) {
    zones_.push_back(in.name());
    (void)in.difference();  // the point that point_in_zone reads
    (void)in.difference();
  }
  const std::size_t rings = in.number();
  std::vector<RingEdge> edges;
  edges.reserve(table.size() / 2);
  for (std::size_t ring = 0; ring < rings; ++ring) {
    zone_of_.push_back(static_cast<std::uint16_t>(in.number()));
    const std::size_t count = in.number();
    const std::size_t begin = edges.size();
    int x = 0;
    int y = 0;
    for (std::size_t i = 0; i < count; ++i) {
      x += in.difference();
      y += in.difference();
      const auto px = static_cast<std::int16_t>(x);
      const auto py = static_cast<std::int16_t>(y);
      if (i > 0) {
        edges.back().edge.x1 = px;
        edges.back().edge.y1 = py;
      }
      edges.push_back({{px, py, 0, 0}, static_cast<std::uint16_t>(ring)});
    }
    if (count == 0) continue;
    edges.back().edge.x1 = edges[begin].edge.x0;
    edges.back().edge.y1 = edges[begin].edge.y0;
  }
  return edges;
}

/// A counting sort by cell; it is stable, and edges come ring by ring, so that each cell's groups stand in the order of rings.
void Outlines::sort_into_cells(const std::vector<RingEdge>& edges) {
  cells_.resize(static_cast<std::size_t>(kColumns) * kRows);
  std::vector<std::uint32_t> end(cells_.size() + 1);
  struct Touch {
    std::uint32_t cell, edge;
  };
  std::vector<Touch> touches;
  touches.reserve(edges.size() * 2);
  for (std::uint32_t i = 0; i < edges.size(); ++i) {
    each_cell(edges[i].edge, [&](std::size_t cell) {
      ++end[cell + 1];
      touches.push_back({static_cast<std::uint32_t>(cell), i});
    });
  }
  for (std::size_t i = 1; i < end.size(); ++i) end[i] += end[i - 1];
  const std::vector<std::uint32_t> first(end.begin(), end.end() - 1);
  edges_.resize(end.back());
  std::vector<std::uint16_t> ring(end.back());
  std::vector<std::uint32_t> next = first;
  for (const auto& [cell, edge] : touches) {
    edges_[next[cell]] = edges[edge].edge;
    ring[next[cell]++] = edges[edge].ring;
  }
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    cells_[cell].first_group = static_cast<std::uint32_t>(groups_.size());
    for (std::uint32_t at = first[cell]; at < next[cell]; ++at) {
      if (at == first[cell] || ring[at] != groups_.back().ring) groups_.push_back({at, ring[at], 0, false});
      ++groups_.back().edges;
    }
    cells_[cell].groups = static_cast<std::uint16_t>(groups_.size() - cells_[cell].first_group);
  }
}

/// Which rings hold the corner of each cell: a sweep along each line of corners, on which every crossing turns one ring over.
void Outlines::judge_corners(const std::vector<RingEdge>& edges) {
  struct Crossing {
    double x;
    std::uint16_t ring;
  };
  std::vector<std::vector<Crossing>> lines(kRows);
  for (const RingEdge& e : edges) {
    const int low = row_of(std::min(e.edge.y0, e.edge.y1));
    const int high = row_of(std::max(e.edge.y0, e.edge.y1));
    for (int row = low + 1; row <= high; ++row) {
      lines[static_cast<std::size_t>(row)].push_back({x_at(e.edge, corner_y(row)), e.ring});
    }
  }
  std::vector<std::uint16_t> holding;  // sorted
  for (int row = 0; row < kRows; ++row) {
    auto& line = lines[static_cast<std::size_t>(row)];
    std::sort(line.begin(), line.end(), [](const Crossing& a, const Crossing& b) { return a.x < b.x; });
    holding.clear();
    auto crossing = line.begin();
    for (int column = 0; column < kColumns; ++column) {
      for (; crossing != line.end() && crossing->x < corner_x(column); ++crossing) {
        const auto at = std::lower_bound(holding.begin(), holding.end(), crossing->ring);
        if (at != holding.end() && *at == crossing->ring) holding.erase(at);
        else holding.insert(at, crossing->ring);
      }
      Cell& cell = cells_[cell_of(column, row)];
      const auto begin = groups_.begin() + cell.first_group;
      const auto end = begin + cell.groups;
      if (cell.groups == 0) {
        if (!holding.empty()) cell.whole = holding.front();
        continue;
      }
      for (const std::uint16_t ring : holding) {
        const auto group = std::lower_bound(begin, end, ring, [](const Group& g, std::uint16_t r) { return g.ring < r; });
        if (group != end && group->ring == ring) group->holds_corner = true;
        else if (cell.whole == kNone) cell.whole = ring;
      }
    }
  }
}

std::optional<std::string_view> Outlines::zone_at(const Coordinates& point) const {
  const double x = point.longitude * 100;
  const double y = point.latitude * 100;
  if (!on_map(point)) return std::nullopt;
  const int column = column_of(x);
  const int row = row_of(y);
  const double left = corner_x(column);
  const double bottom = corner_y(row);
  const Cell& cell = cells_[cell_of(column, row)];
  std::uint16_t found = cell.whole;
  for (std::uint32_t g = cell.first_group; g < cell.first_group + cell.groups && groups_[g].ring < found; ++g) {
    const Group& group = groups_[g];
    bool holds = group.holds_corner;
    for (std::uint32_t i = group.first_edge; i < group.first_edge + group.edges; ++i) {
      const Edge& e = edges_[i];
      if ((e.x0 > left) != (e.x1 > left)) {  // the way up, along the cell's left side
        const double at = y_at(e, left);
        holds ^= at > bottom && at <= y;
      }
      if ((e.y0 > y) != (e.y1 > y)) {  // the way across
        const double at = x_at(e, y);
        holds ^= at > left && at <= x;
      }
    }
    if (holds) found = group.ring;
  }
  if (found == kNone) return std::nullopt;
  return zones_[zone_of_[found]];
}

std::optional<Outlines::Near> Outlines::nearest(const Coordinates& point, double within_kilometres) const {
  const double x = point.longitude * 100;
  const double y = point.latitude * 100;
  if (!on_map(point)) return std::nullopt;
  // A plane that touches the globe at the point is right enough over such distances.
  const double narrow = std::max(1e-3, std::cos(point.latitude * std::numbers::pi / 180));
  const double reach = within_kilometres / kKmPerHundredth;
  const double across = std::min(18000.0, reach / narrow);
  const int low = row_of(std::max(-9000.0, y - reach));
  const int high = row_of(std::min(9000.0, y + reach));
  const int first = static_cast<int>(std::floor((x + 18000 - across) / kCell));
  const int last = static_cast<int>(std::floor((x + 18000 + across) / kCell)) + 1;
  double best = within_kilometres;
  std::optional<std::uint16_t> ring;
  for (int row = low; row <= high; ++row) {
    for (int c = first; c <= last; ++c) {
      const int column = c < 0 ? c + 360 : c > 360 ? c - 360 : c;  // around the antimeridian
      const Cell& cell = cells_[cell_of(column, row)];
      for (std::uint32_t g = cell.first_group; g < cell.first_group + cell.groups; ++g) {
        for (std::uint32_t i = groups_[g].first_edge; i < groups_[g].first_edge + groups_[g].edges; ++i) {
          const Edge& e = edges_[i];
          const double turn = 36000 * std::round((e.x0 - x) / 36000);
          const double km =
              kKmPerHundredth * distance_to((e.x0 - turn - x) * narrow, e.y0 - y, (e.x1 - turn - x) * narrow, e.y1 - y);
          if (km > best || (km == best && ring)) continue;
          best = km;
          ring = groups_[g].ring;
        }
      }
    }
  }
  if (!ring) return std::nullopt;
  return Near{zones_[zone_of_[*ring]], best};
}

Outlines::Near Outlines::nearest_anywhere(const Coordinates& point) const {
  Near best{{}, std::numeric_limits<double>::infinity()};
  for (const Group& group : groups_) {
    for (std::uint32_t i = group.first_edge; i < group.first_edge + group.edges; ++i) {
      const double km = kilometres_between(point, {edges_[i].y0 / 100.0, edges_[i].x0 / 100.0});
      if (km < best.kilometres) best = {zones_[zone_of_[group.ring]], km};
    }
  }
  return best;
}

std::optional<Coordinates> point_in_zone(std::string_view zone) {
  Packed in(data::zone_outlines());
  for (std::size_t left = in.number(); left > 0; --left) {
    const std::string_view name = in.name();
    const double x = in.difference();
    const double y = in.difference();
    if (name == zone) return Coordinates{y / 100, x / 100};
  }
  return std::nullopt;
}

}  // namespace gramwatt::place
