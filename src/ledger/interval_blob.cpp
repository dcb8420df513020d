// Intervals packed small.
//
// Problem: a month of one-second intervals is 2.6 million rows; with four flows and three CPU times each they are 300 MB as
// structs and take SQLite 180 ms to step through as rows. Nobody looks at the third second of last Tuesday.
//
// Idea: one blob holds about a minute of intervals, packed one after another as differences to the interval before: a machine
// that idles evenly differs by little, and a difference that is little takes one or two bytes (zigzag, then base-128 varint,
// low seven bits first, as protobuf has it). A start is stored relative to the end before it (normally the same Instant: three
// zero bytes); the lengths on the boot and UTC clocks relative to the length on the monotonic clock. All arithmetic is modulo
// 2^64, so packing loses nothing for any value whatsoever. What is old is merged into coarser intervals (tiers in
// run_writer.cpp).
//
//   blob     = version (1 byte) channels (varint) interval*
//   interval = start (3) length (3) job_cpu machine_cpu steal { machine machine_idle job_active job_idle } × channels
//
// Numbers (tests/ledger/size_test.cpp): about 20 bytes an interval and 16 a channel where every flow wobbles by 1 J; 13,000
// intervals are read in 2 to 4 ms with one channel, in 4 to 7 ms with eight.

#include "ledger/interval_blob.hpp"

#include <cassert>
#include <cstdint>

namespace gramwatt::ledger {
namespace {

constexpr char kVersion = 1;
/// More channels than any machine has; a bound for damaged blobs.
constexpr std::uint64_t kMostChannels = 4096;

std::uint64_t bits(Nanoseconds t) { return static_cast<std::uint64_t>(t.count()); }
std::uint64_t bits(Microjoules e) { return static_cast<std::uint64_t>(e.count()); }

void put_varint(std::string& out, std::uint64_t v) {
  while (v >= 0x80) {
    out.push_back(static_cast<char>(v | 0x80U));
    v >>= 7U;
  }
  out.push_back(static_cast<char>(v));
}

/// `now − before` modulo 2^64, folded so that small differences of either sign are small numbers.
void put_difference(std::string& out, std::uint64_t now, std::uint64_t before) {
  const std::uint64_t d = now - before;
  put_varint(out, (d << 1U) ^ (0 - (d >> 63U)));
}

/// Takes numbers off the front; after the first damaged one everything reads as zero and `ok` is false.
struct Cursor {
  const unsigned char* at;
  const unsigned char* end;
  bool ok = true;

  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && at != end; shift += 7) {
      const std::uint64_t byte = *at++;
      if (shift == 63 && byte > 1) break;
      v |= (byte & 0x7FU) << shift;
      if (byte < 0x80) return v;
    }
    ok = false;
    at = end;
    return 0;
  }

  std::uint64_t difference(std::uint64_t before) {
    const std::uint64_t z = varint();
    return before + ((z >> 1U) ^ (0 - (z & 1U)));
  }
  Nanoseconds time(std::uint64_t before) { return Nanoseconds(static_cast<std::int64_t>(difference(before))); }
  Microjoules energy(Microjoules before) { return Microjoules(static_cast<std::int64_t>(difference(bits(before)))); }
};

/// The three lengths of an interval; boot and UTC are stored relative to monotonic.
struct Lengths {
  std::uint64_t monotonic, boottime, utc;
};
Lengths lengths(const Interval& i) {
  return {bits(i.end.monotonic) - bits(i.start.monotonic), bits(i.end.boottime) - bits(i.start.boottime),
          bits(i.end.utc) - bits(i.start.utc)};
}

Nanoseconds plus(Nanoseconds t, std::uint64_t length) { return Nanoseconds(static_cast<std::int64_t>(bits(t) + length)); }

}  // namespace

BlobWriter::BlobWriter(std::size_t channels) {
  previous_.flows.resize(channels);
  bytes_.push_back(kVersion);
  put_varint(bytes_, channels);
}

void BlobWriter::push(const Interval& i) {
  assert(i.flows.size() == previous_.flows.size());
  const Interval& p = previous_;
  put_difference(bytes_, bits(i.start.monotonic), bits(p.end.monotonic));
  put_difference(bytes_, bits(i.start.boottime), bits(p.end.boottime));
  put_difference(bytes_, bits(i.start.utc), bits(p.end.utc));
  const Lengths now = lengths(i);
  put_difference(bytes_, now.monotonic, lengths(p).monotonic);
  put_difference(bytes_, now.boottime, now.monotonic);
  put_difference(bytes_, now.utc, now.monotonic);
  put_difference(bytes_, bits(i.job_cpu), bits(p.job_cpu));
  put_difference(bytes_, bits(i.machine_cpu), bits(p.machine_cpu));
  put_difference(bytes_, bits(i.steal), bits(p.steal));
  for (std::size_t c = 0; c < p.flows.size(); ++c) {
    put_difference(bytes_, bits(i.flows[c].machine), bits(p.flows[c].machine));
    put_difference(bytes_, bits(i.flows[c].machine_idle), bits(p.flows[c].machine_idle));
    put_difference(bytes_, bits(i.flows[c].job_active), bits(p.flows[c].job_active));
    put_difference(bytes_, bits(i.flows[c].job_idle), bits(p.flows[c].job_idle));
  }
  previous_ = i;
  ++count_;
}

Result<void> unpack(std::string_view bytes, std::vector<Interval>& out) {
  const std::size_t before = out.size();
  const auto damaged = [&](const char* what) {
    out.resize(before);
    return fail(std::string("damaged intervals: ") + what);
  };
  if (bytes.empty() || bytes.front() != kVersion) return damaged("unknown packing");
  const auto* first = reinterpret_cast<const unsigned char*>(bytes.data());
  Cursor in{first + 1, first + bytes.size()};
  const std::uint64_t channels = in.varint();
  if (!in.ok || channels > kMostChannels) return damaged("number of channels");

  Interval p;
  p.flows.resize(channels);
  while (in.at != in.end) {
    Interval i;
    i.start.monotonic = in.time(bits(p.end.monotonic));
    i.start.boottime = in.time(bits(p.end.boottime));
    i.start.utc = in.time(bits(p.end.utc));
    const std::uint64_t length = in.difference(lengths(p).monotonic);
    i.end.monotonic = plus(i.start.monotonic, length);
    i.end.boottime = plus(i.start.boottime, in.difference(length));
    i.end.utc = plus(i.start.utc, in.difference(length));
    i.job_cpu = in.time(bits(p.job_cpu));
    i.machine_cpu = in.time(bits(p.machine_cpu));
    i.steal = in.time(bits(p.steal));
    i.flows.resize(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      i.flows[c].machine = in.energy(p.flows[c].machine);
      i.flows[c].machine_idle = in.energy(p.flows[c].machine_idle);
      i.flows[c].job_active = in.energy(p.flows[c].job_active);
      i.flows[c].job_idle = in.energy(p.flows[c].job_idle);
    }
    if (!in.ok) return damaged("they end in the middle of one");
    p = i;
    out.push_back(std::move(i));
  }
  return {};
}

std::vector<Interval> merge(std::span<const Interval> intervals, Nanoseconds resolution) {
  const auto slot = [&](const Interval& i) {  // floor, also before 1970
    const auto r = resolution.count();
    const auto t = i.start.utc.count();
    return t / r - (t % r < 0 ? 1 : 0);
  };
  const auto joined = [](const Instant& a, const Instant& b) {
    return a.monotonic == b.monotonic && a.boottime == b.boottime && a.utc == b.utc;
  };
  std::vector<Interval> out;
  for (const Interval& i : intervals) {
    if (out.empty() || slot(out.back()) != slot(i) || !joined(out.back().end, i.start) ||
        out.back().flows.size() != i.flows.size()) {
      out.push_back(i);
      continue;
    }
    Interval& sum = out.back();
    sum.end = i.end;
    sum.job_cpu += i.job_cpu;
    sum.machine_cpu += i.machine_cpu;
    sum.steal += i.steal;
    for (std::size_t c = 0; c < i.flows.size(); ++c) sum.flows[c] += i.flows[c];
  }
  return out;
}

}  // namespace gramwatt::ledger
