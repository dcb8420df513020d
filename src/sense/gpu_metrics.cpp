#include "sense/gpu_metrics.hpp"

#include <array>
#include <cstring>

#include <fmt/format.h>

namespace gramwatt::sense {
namespace {

constexpr std::size_t kHeader = 4;

/// A number at an offset; nothing where it is all ones, which stands for "not measured". AMD runs on little-endian hosts only.
template <class T>
std::optional<T> field(std::string_view bytes, std::size_t offset) {
  T value;
  if (offset + sizeof value > bytes.size()) return std::nullopt;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  if (value == static_cast<T>(~T{0})) return std::nullopt;
  return value;
}

/// Where the fields of one layout are; 0: it has none. Offsets follow from the header's structs by the rules of C on x86-64.
struct Layout {
  std::uint8_t format, content;
  std::uint16_t size;  ///< of the whole table; v1.6 grew while it was in use, so that its oldest form counts
  std::uint16_t power, power_width;
  double watts_per_count;
  std::uint16_t energy, energy_width;
  std::uint16_t activity;
  double activity_per_percent;
};

constexpr double kMilli = 1e-3;
constexpr std::array<Layout, 15> kLayouts{{
    // v1.0 has its clock first and a 32-bit energy; v1.1 put the fields on natural borders
    {1, 0, 80, 34, 2, 1, 36, 4, 28, 1},
    {1, 1, 96, 22, 2, 1, 24, 8, 16, 1},
    {1, 2, 104, 22, 2, 1, 24, 8, 16, 1},
    {1, 3, 120, 22, 2, 1, 24, 8, 16, 1},
    {1, 4, 288, 10, 2, 1, 24, 8, 12, 1},
    {1, 5, 328, 10, 2, 1, 56, 8, 12, 1},
    {1, 6, 264, 10, 2, 1, 16, 8, 12, 1},
    {1, 7, 2208, 10, 2, 1, 24, 8, 12, 1},
    {1, 8, 3360, 10, 2, 1, 24, 8, 12, 1},
    // units of v2.0 to v2.3 are not stated and differ by chip (mW or W), so that their power is not taken
    {2, 0, 120, 0, 0, 0, 0, 0, 40, 1},
    {2, 1, 120, 0, 0, 0, 0, 0, 28, 1},
    {2, 2, 128, 0, 0, 0, 0, 0, 28, 1},
    {2, 3, 152, 0, 0, 0, 0, 0, 28, 1},
    {2, 4, 168, 40, 2, kMilli, 0, 0, 28, 100},
    {3, 0, 264, 112, 4, kMilli, 0, 0, 42, 1},
}};

/// No board draws more than this; what is above is a table that was read while it was written.
constexpr double kMostWatts = 10000;

std::optional<std::uint64_t> energy_of(std::optional<std::uint64_t> raw, std::uint16_t width) {
  if (width == 8 && raw == 0xFFFF'FFFFU) return std::nullopt;
  return raw;
}

GpuMetrics read_fixed(std::string_view bytes, const Layout& l) {
  GpuMetrics m;
  m.format = l.format;
  m.content = l.content;
  m.is_apu = l.format >= 2;
  if (l.power != 0) {
    std::optional<double> raw;
    if (l.power_width == 4) raw = field<std::uint32_t>(bytes, l.power);
    else raw = field<std::uint16_t>(bytes, l.power);
    if (raw && *raw * l.watts_per_count <= kMostWatts) m.power = Watts(*raw * l.watts_per_count);
  }
  if (l.energy_width == 4) m.energy = field<std::uint32_t>(bytes, l.energy);
  if (l.energy_width == 8) m.energy = energy_of(field<std::uint64_t>(bytes, l.energy), 8);
  if (const auto percent = field<std::uint16_t>(bytes, l.activity); percent && *percent <= 100 * l.activity_per_percent)
    m.activity = Ratio(*percent / l.activity_per_percent / 100);
  return m;
}

/// v1.9: header, count, then `count` times an encoding of 64 bits and its values, without gaps.
/// Bits of an encoding: 0..9 how many values, 10..19 what, 20..23 their type, 24..31 unit.
namespace v1_9 {
constexpr std::size_t kFirst = 8;
enum Attribute { curr_socket_power = 3, average_gfx_activity = 4, energy_accumulator = 7 };
/// u8, s8, u16, s16, u32, s32, u64, s64
constexpr std::array<std::size_t, 8> kWidths{1, 1, 2, 2, 4, 4, 8, 8};

std::optional<std::uint64_t> number(std::string_view bytes, std::size_t offset, std::size_t width) {
  switch (width) {
    case 1: return field<std::uint8_t>(bytes, offset);
    case 2: return field<std::uint16_t>(bytes, offset);
    case 4: return field<std::uint32_t>(bytes, offset);
    default: return field<std::uint64_t>(bytes, offset);
  }
}

Result<GpuMetrics> read(std::string_view bytes) {
  GpuMetrics m;
  m.format = 1;
  m.content = 9;
  std::int32_t count = 0;
  if (bytes.size() < kFirst) return fail("cut short");
  std::memcpy(&count, bytes.data() + kHeader, sizeof count);
  std::size_t at = kFirst;
  for (std::int32_t i = 0; i < count; ++i) {
    std::uint64_t encoding = 0;
    if (at + sizeof encoding > bytes.size()) return fail("cut short");
    std::memcpy(&encoding, bytes.data() + at, sizeof encoding);
    at += sizeof encoding;
    const std::size_t type = encoding >> 20U & 0xFU;
    const std::size_t instances = encoding & 0x3FFU;
    if (type >= kWidths.size()) return fail("a type that is not known");
    const std::size_t width = kWidths[type];
    if (at + width * instances > bytes.size()) return fail("cut short");
    if (instances > 0) {
      const auto value = number(bytes, at, width);
      switch (encoding >> 10U & 0x3FFU) {
        case curr_socket_power:
          if (value && static_cast<double>(*value) <= kMostWatts) m.power = Watts(static_cast<double>(*value));
          break;
        case average_gfx_activity:
          if (value && *value <= 100) m.activity = Ratio(static_cast<double>(*value) / 100);
          break;
        case energy_accumulator: m.energy = energy_of(value, static_cast<std::uint16_t>(width)); break;
        default: break;
      }
    }
    at += width * instances;
  }
  return m;
}
}  // namespace v1_9

}  // namespace

Result<GpuMetrics> parse_gpu_metrics(std::string_view bytes) {
  if (bytes.size() < kHeader) return fail("shorter than its header");
  std::uint16_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  const auto format = static_cast<std::uint8_t>(bytes[2]);
  const auto content = static_cast<std::uint8_t>(bytes[3]);
  if (size != bytes.size()) return fail(fmt::format("{} bytes where its header says {}", bytes.size(), size));
  if (format == 1 && content == 9) return v1_9::read(bytes);
  for (const Layout& l : kLayouts) {
    if (l.format != format || l.content != content) continue;
    if (size < l.size) return fail(fmt::format("version {}.{} with {} bytes instead of {}", format, content, size, l.size));
    return read_fixed(bytes, l);
  }
  return fail(fmt::format("version {}.{} is not known", format, content), {}, "a newer gramwatt may know it");
}

}  // namespace gramwatt::sense
