// Points packed small.
//
// Problem: ten million points are 400 MB as structs, and as rows of a table they take SQLite a minute to insert.
//
// Idea: a block holds a month of one series. Nearly all starts of a month are equally spaced and nearly all points are of one
// kind, so starts and kinds are runs. Neighbouring values differ by little, so values are differences to the one before
// (zigzag, then base-128 varint, as in ledger/interval_blob.cpp), in the coarsest of 1, 0.1, 0.01 and 0.001 g/kWh that loses
// nothing of what is kept. Bands, which only forecasts have, are left out where all are zero.
//
//   block  = version (1 byte) shape (1 byte: bit 0 bands, bits 1..2 decimals of the values) n (varint)
//            starts kinds values [bands]
//   starts = first (zigzag) { step count }*      until n starts are told
//   kinds  = { kind (1 byte) count }*            until n kinds are told
//   values = difference × n          bands = { minus plus } × n (zigzag)
//
// Numbers (docs/validation.md): 1.1 to 2.0 bytes a point for whole and two-decimal values.

#include "grid/point_block.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace gramwatt::grid {
namespace {

constexpr unsigned char kVersion = 1;
/// 10^12 g/kWh in thousandths: exact in a double, and no sum of differences overflows.
constexpr std::int64_t kMostThousandths = 1'000'000'000'000'000;
/// A relative shift of a million.
constexpr std::int64_t kMostMillionths = 1'000'000'000'000;
constexpr unsigned kDecimals = 3;
constexpr std::array<std::int64_t, kDecimals + 1> kUnit{1000, 100, 10, 1};  ///< thousandths in a unit with 0, 1, … decimals
constexpr std::size_t kLongestVarint = 10;
constexpr auto kLastKind = static_cast<unsigned char>(PointKind::profile);

std::int64_t thousandths(GramsPerKwh v) { return std::llround(v.value() * kThousandths); }
std::int64_t millionths(double shift) { return std::llround(shift * kMillionths); }
std::uint64_t bits(Nanoseconds t) { return static_cast<std::uint64_t>(t.count()); }
constexpr std::uint64_t zigzag(std::uint64_t d) { return (d << 1U) ^ (0 - (d >> 63U)); }
constexpr std::uint64_t unzigzag(std::uint64_t z) { return (z >> 1U) ^ (0 - (z & 1U)); }

/// Writes into bytes that are known to be enough.
struct Pen {
  unsigned char* at;

  void byte(unsigned char b) { *at++ = b; }
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      *at++ = static_cast<unsigned char>(v | 0x80U);
      v >>= 7U;
    }
    *at++ = static_cast<unsigned char>(v);
  }
};

/// Takes numbers off the front; after the first damaged one everything reads as zero and `ok` is false.
struct Cursor {
  const unsigned char* at;
  const unsigned char* end;
  bool ok = true;

  explicit Cursor(std::string_view bytes) : at(reinterpret_cast<const unsigned char*>(bytes.data())), end(at + bytes.size()) {}
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end - at); }
  unsigned char byte() {
    if (at != end) return *at++;
    ok = false;
    return 0;
  }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && at != end; shift += 7) {
      const std::uint64_t b = *at++;
      if (shift == 63 && b > 1) break;
      v |= (b & 0x7FU) << shift;
      if (b < 0x80) return v;
    }
    ok = false;
    at = end;
    return 0;
  }
};

/// Everything but the values, and where those begin.
struct Opening {
  Cursor in;
  std::uint64_t n;
  unsigned char shape;
  std::vector<StartRun> starts;
};

tl::unexpected<Error> damaged(const char* what) { return fail(std::string("damaged points: ") + what); }

Result<Opening> open(std::string_view block) {
  Opening o{Cursor(block), 0, 0, {}};
  Cursor& in = o.in;
  if (in.byte() != kVersion) return damaged("unknown packing");
  o.shape = in.byte();
  o.n = in.varint();
  // Every value takes a byte at least, so a number that was damaged asks for no memory.
  if (!in.ok || o.shape > 7U || o.n > in.left()) return damaged("number of points");
  if (o.n == 0) return o;
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  StartRun run{Nanoseconds(static_cast<std::int64_t>(unzigzag(in.varint()))), Nanoseconds(1), 1};
  o.starts.push_back(run);
  for (std::uint64_t told = 1; told < o.n;) {
    const std::uint64_t step = in.varint();
    const std::uint64_t count = in.varint();
    const std::int64_t last = o.starts.back().last().count();
    // The room to the end of time, without overflow where `last` is negative.
    const std::uint64_t room = static_cast<std::uint64_t>(kEnd) - static_cast<std::uint64_t>(last);
    if (!in.ok || step == 0 || count == 0 || count > o.n - told || step > room / count) return damaged("starts");
    const Nanoseconds by(static_cast<std::int64_t>(step));
    if (told == 1) o.starts.back() = {o.starts.back().first, by, count + 1};
    else o.starts.push_back({Nanoseconds(last) + by, by, count});
    told += count;
  }
  return o;
}

void put_starts(Pen& pen, std::span<const Point> points) {
  pen.varint(zigzag(bits(points.front().start)));
  for (std::size_t i = 1; i < points.size();) {
    const Nanoseconds step = points[i].start - points[i - 1].start;
    std::size_t next = i + 1;
    while (next < points.size() && points[next].start - points[next - 1].start == step) ++next;
    pen.varint(bits(step));
    pen.varint(next - i);
    i = next;
  }
}

void put_kinds(Pen& pen, std::span<const Point> points) {
  for (std::size_t i = 0; i < points.size();) {
    std::size_t next = i + 1;
    while (next < points.size() && points[next].kind == points[i].kind) ++next;
    pen.byte(static_cast<unsigned char>(points[i].kind));
    pen.varint(next - i);
    i = next;
  }
}

bool can_be_kept(const Point& p) {
  const auto fits = [](double x, double unit, std::int64_t most) { return std::abs(x) * unit <= static_cast<double>(most); };
  return fits(p.value.value(), kThousandths, kMostThousandths) && fits(p.band.minus, kMillionths, kMostMillionths) &&
         fits(p.band.plus, kMillionths, kMostMillionths);  // false for what is no number
}

}  // namespace

Point rounded(Point p) {
  p.value = GramsPerKwh(static_cast<double>(thousandths(p.value)) / kThousandths);
  if (p.band.minus != 0) p.band.minus = static_cast<double>(millionths(p.band.minus)) / kMillionths;
  if (p.band.plus != 0) p.band.plus = static_cast<double>(millionths(p.band.plus)) / kMillionths;
  return p;
}

Result<std::string> pack(std::span<const Point> points) {
  bool bands = false;
  unsigned decimals = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& p = points[i];
    if (i > 0 && p.start <= points[i - 1].start) return fail("points are out of order", {}, {}, Error::Kind::usage);
    if (!can_be_kept(p)) return fail("a value at " + iso8601(p.start) + " is no intensity", {}, {}, Error::Kind::usage);
    bands = bands || p.band != Shift{};
    const std::int64_t v = thousandths(p.value);
    while (decimals < kDecimals && v % kUnit[decimals] != 0) ++decimals;
  }
  // A point at most: step, count; kind, count; value; two ends of a band.
  std::string out((2 + points.size() * (bands ? 7 : 5)) * kLongestVarint, '\0');
  auto* const begin = reinterpret_cast<unsigned char*>(out.data());
  Pen pen{begin};
  pen.byte(kVersion);
  pen.byte(static_cast<unsigned char>((bands ? 1U : 0U) | decimals << 1U));
  pen.varint(points.size());
  if (!points.empty()) {
    put_starts(pen, points);
    put_kinds(pen, points);
  }
  std::int64_t before = 0;
  for (const Point& p : points) {
    const std::int64_t now = thousandths(p.value) / kUnit[decimals];
    pen.varint(zigzag(static_cast<std::uint64_t>(now - before)));
    before = now;
  }
  if (bands) {
    for (const Point& p : points) {
      pen.varint(zigzag(static_cast<std::uint64_t>(millionths(p.band.minus))));
      pen.varint(zigzag(static_cast<std::uint64_t>(millionths(p.band.plus))));
    }
  }
  out.resize(static_cast<std::size_t>(pen.at - begin));
  return out;
}

Result<void> unpack(std::string_view block, std::vector<Point>& out) {
  auto o = open(block);
  if (!o) return tl::unexpected(std::move(o.error()));
  Cursor& in = o->in;
  std::vector<Point> points;
  points.reserve(o->n);
  for (const StartRun& run : o->starts) {
    for (std::size_t i = 0; i < run.count; ++i)
      points.push_back({run.first + run.step * static_cast<std::int64_t>(i), {}, {}, {}});
  }
  for (std::size_t at = 0; at < points.size();) {
    const unsigned char kind = in.byte();
    const std::uint64_t count = in.varint();
    if (!in.ok || kind > kLastKind || count == 0 || count > points.size() - at) return damaged("kinds");
    for (const std::size_t end = at + count; at < end; ++at) points[at].kind = static_cast<PointKind>(kind);
  }
  const std::int64_t unit = kUnit[o->shape >> 1U];
  const std::int64_t most = kMostThousandths / unit;
  std::int64_t value = 0;
  for (Point& p : points) {
    value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) + unzigzag(in.varint()));
    if (!in.ok || value > most || value < -most) return damaged("values");
    p.value = GramsPerKwh(static_cast<double>(value * unit) / kThousandths);
  }
  const auto shift = [&] {
    const auto v = static_cast<std::int64_t>(unzigzag(in.varint()));
    in.ok = in.ok && v <= kMostMillionths && v >= -kMostMillionths;
    return static_cast<double>(v) / kMillionths;
  };
  for (std::size_t i = 0; (o->shape & 1U) != 0 && i < points.size(); ++i) {
    points[i].band.minus = shift();
    points[i].band.plus = shift();
  }
  if (!in.ok || in.left() != 0) return damaged("their end");
  if (out.empty()) out = std::move(points);
  else out.insert(out.end(), points.begin(), points.end());
  return {};
}

Result<std::vector<StartRun>> start_runs(std::string_view block) {
  auto o = open(block);
  if (!o) return tl::unexpected(std::move(o.error()));
  return std::move(o->starts);
}

}  // namespace gramwatt::grid
