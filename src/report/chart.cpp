// Pictures in characters. A braille cell has two columns and four rows of dots, bits as in Unicode 15, block U+2800:
// left column 0x01 0x02 0x04 0x40 from the top, right column 0x08 0x10 0x20 0x80.

#include "report/chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace gramwatt::report {
namespace {

struct Range {
  double low = 0, high = 1;
};

void widen(std::optional<Range>& range, const Trace& values) {
  for (const auto& v : values) {
    if (!v) continue;
    if (!range) range = Range{*v, *v};
    range->low = std::min(range->low, *v);
    range->high = std::max(range->high, *v);
  }
}

/// `values` as `n` columns: means of neighbours where there are more, held where there are fewer.
Trace fitted(const Trace& values, std::size_t n) {
  Trace out(n);
  for (std::size_t i = 0; i < n && !values.empty(); ++i) {
    const std::size_t from = i * values.size() / n;
    const std::size_t to = std::max(from + 1, (i + 1) * values.size() / n);
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t k = from; k < std::min(to, values.size()); ++k) {
      if (!values[k]) continue;
      sum += *values[k];
      ++count;
    }
    if (count > 0) out[i] = sum / static_cast<double>(count);
  }
  return out;
}

std::string utf8(unsigned code) {
  return {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

/// Cells of dots; without Unicode a cell with any dot is a star.
class Canvas {
 public:
  Canvas(std::size_t width, std::size_t height) : width_(width), height_(height), cells_(width * height) {}
  [[nodiscard]] std::size_t dots_across() const { return 2 * width_; }
  [[nodiscard]] std::size_t dots_down() const { return 4 * height_; }

  void dot(std::size_t x, std::size_t y) {
    constexpr std::array<std::array<unsigned char, 4>, 2> kBits{{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}};
    if (x < dots_across() && y < dots_down()) cells_[y / 4 * width_ + x / 2] |= kBits[x % 2][y % 4];
  }
  [[nodiscard]] std::string row(std::size_t r, const Style& style) const {
    std::string out;
    for (std::size_t c = 0; c < width_; ++c) {
      const unsigned bits = cells_[r * width_ + c];
      out += bits == 0 ? " " : style.unicode ? utf8(0x2800 + bits) : "*";
    }
    return out;
  }

 private:
  std::size_t width_, height_;
  std::vector<unsigned char> cells_;
};

void draw(Canvas& canvas, const Trace& values, const Range& range, std::size_t every) {
  const Trace fit = fitted(values, canvas.dots_across());
  const double scale = static_cast<double>(canvas.dots_down() - 1) / std::max(1e-12, range.high - range.low);
  std::optional<std::size_t> before;
  for (std::size_t x = 0; x < fit.size(); ++x) {
    if (!fit[x]) {
      before.reset();
      continue;
    }
    const auto y = static_cast<std::size_t>(std::lround(std::clamp((range.high - *fit[x]) * scale, 0.0, 1e6)));
    if (x % every == 0) canvas.dot(x, y);
    // Steps are joined, so that a steep line has no holes; dotted lines are not.
    if (before && every == 1) {
      for (std::size_t k = std::min(*before, y) + 1; k < std::max(*before, y); ++k) canvas.dot(x, k);
    }
    before = y;
  }
}

std::string axis_labels(const std::vector<std::string>& labels, std::size_t width) {
  std::string line;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::size_t at =
        labels.size() == 1 ? 0
                           : i * (width > columns(labels.back()) ? width - columns(labels.back()) : 0) / (labels.size() - 1);
    if (at < columns(line) + (i > 0 ? 1 : 0)) continue;  // no room between two labels
    line = pad(line, at) + labels[i];
  }
  return line;
}

}  // namespace

std::string sparkline(const Trace& values, std::size_t width, const Style& style) {
  std::optional<Range> range;
  widen(range, values);
  if (!range) return {};
  std::string out;
  for (const auto& v : fitted(values, std::min(width, values.size()))) {
    if (!v) {
      out += ' ';
      continue;
    }
    const double share = range->high > range->low ? (*v - range->low) / (range->high - range->low) : 0;
    out += style.unicode ? utf8(0x2581 + static_cast<unsigned>(std::lround(7 * share)))
                         : std::string(1, static_cast<char>('0' + std::lround(9 * share)));
  }
  return out;
}

std::vector<std::string> braille(const Plot& plot, std::size_t width, std::size_t height, const Style& style) {
  std::optional<Range> range;
  for (const Trace* t : {&plot.line, &plot.low, &plot.high}) widen(range, *t);
  if (!range || height == 0) return {};
  range->low = std::min(range->low, 0.85 * range->high);  // a flat line is flat, not noise blown up
  const std::string top = significant(range->high, 3), bottom = significant(range->low, 3);
  const std::size_t margin = std::max(columns(top), columns(bottom)) + 1;
  if (width < margin + 10) return {};
  Canvas canvas(width - margin, height);
  draw(canvas, plot.low, *range, 3);
  draw(canvas, plot.high, *range, 3);
  draw(canvas, plot.line, *range, 1);
  std::vector<std::string> out;
  for (std::size_t r = 0; r < height; ++r) {
    const std::string label = r == 0 ? top : r + 1 == height ? bottom : "";
    out.push_back(style.dim(pad_left(label, margin - 1) + " ") + canvas.row(r, style));
  }
  if (!plot.unit.empty()) out.front() += " " + style.dim(plot.unit);
  if (!plot.labels.empty()) out.push_back(style.dim(std::string(margin, ' ') + axis_labels(plot.labels, width - margin)));
  return out;
}

}  // namespace gramwatt::report
