#pragma once
// Reads the numbers of data/*.bin: varints, signed ones zigzag (tools/build_place_lookup.py says what stands where).

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gramwatt::place {

/// Past the end every number is 0: the tables are our own and a test reads them whole, so that a reader need not check each
/// byte.
class Packed {
 public:
  explicit Packed(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t number() {
    std::uint32_t value = 0;
    for (int shift = 0; shift < 35 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint32_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }
  std::int32_t difference() {
    const std::uint32_t n = number();
    return static_cast<std::int32_t>(n >> 1) ^ -static_cast<std::int32_t>(n & 1U);
  }
  std::string_view name() {
    const std::size_t size = number();
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(text.size());
    return text;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace gramwatt::place
