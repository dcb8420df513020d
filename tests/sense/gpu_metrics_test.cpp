// The driver's binary table, in all its versions.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "sense/gpu_metrics.hpp"

namespace gramwatt::sense {
namespace {

class Table {
 public:
  Table(int format, int content, std::size_t size) : bytes_(size, '\xFF') {
    set<std::uint16_t>(0, static_cast<std::uint16_t>(size));
    set<std::uint8_t>(2, static_cast<std::uint8_t>(format));
    set<std::uint8_t>(3, static_cast<std::uint8_t>(content));
  }
  template <class T>
  Table& set(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] Result<GpuMetrics> parse() const { return parse_gpu_metrics(bytes_); }

 private:
  std::string bytes_;
};

struct Version {
  int content;
  std::size_t size, power, energy, activity;
};

TEST(GpuMetrics, EveryBoardLayoutGivesEnergyPowerAndActivity) {
  // Sizes and offsets as gcc lays out the structs of kgd_pp_interface.h (Linux 6.17).
  for (const Version& v : {Version{1, 96, 22, 24, 16}, Version{2, 104, 22, 24, 16}, Version{3, 120, 22, 24, 16},
                           Version{4, 288, 10, 24, 12}, Version{5, 328, 10, 56, 12}, Version{6, 1664, 10, 16, 12},
                           Version{7, 2208, 10, 24, 12}, Version{8, 3360, 10, 24, 12}}) {
    Table t(1, v.content, v.size);
    t.set<std::uint16_t>(v.power, 317).set<std::uint64_t>(v.energy, 0x1'2345'6789).set<std::uint16_t>(v.activity, 75);
    const auto m = t.parse();
    ASSERT_TRUE(m) << v.content << " " << m.error().message();
    EXPECT_EQ(m->energy, 0x1'2345'6789U) << v.content;
    EXPECT_EQ(m->power, Watts(317)) << v.content;
    EXPECT_EQ(m->activity, Ratio(0.75)) << v.content;
    EXPECT_FALSE(m->is_apu);
  }
}

TEST(GpuMetrics, TheFirstLayoutHasThirtyTwoBitsOfEnergy) {
  Table t(1, 0, 80);
  t.set<std::uint16_t>(34, 120).set<std::uint32_t>(36, 0xFFFF'FFFE);
  EXPECT_EQ(t.parse()->energy, 0xFFFF'FFFEU);
  EXPECT_EQ(t.parse()->power, Watts(120));
}

TEST(GpuMetrics, AllOnesMeansNotMeasuredAndNotAHugeNumber) {
  const auto m = Table(1, 3, 120).parse();
  ASSERT_TRUE(m);
  EXPECT_FALSE(m->energy);
  EXPECT_FALSE(m->power);
  EXPECT_FALSE(m->activity);
  Table rdna4(1, 3, 120);  // "EnergyAccumulator is unsupported": UINT_MAX in the 64-bit field
  rdna4.set<std::uint64_t>(24, 0xFFFF'FFFF);
  EXPECT_FALSE(rdna4.parse()->energy);
}

TEST(GpuMetrics, OneThatDescribesItselfIsRead) {
  const auto attribute = [](std::uint64_t id, std::uint64_t type, std::uint64_t count) {
    return type << 20U | id << 10U | count;
  };
  constexpr std::uint64_t u16 = 2, u64 = 6;
  Table t(1, 9, 8 + 3 * 8 + 2 + 8 + 4 * 2);
  std::size_t at = 8;
  t.set<std::int32_t>(4, 3);
  t.set<std::uint64_t>(at, attribute(3, u16, 1)).set<std::uint16_t>(at + 8, 700);
  at += 10;
  t.set<std::uint64_t>(at, attribute(40, u16, 4));  // something of four values that nobody asks for
  at += 16;
  t.set<std::uint64_t>(at, attribute(7, u64, 1)).set<std::uint64_t>(at + 8, 65536);
  const auto m = t.parse();
  ASSERT_TRUE(m) << m.error().message();
  EXPECT_EQ(m->power, Watts(700));
  EXPECT_EQ(m->energy, 65536U);
  EXPECT_FALSE(m->activity);
  t.set<std::int32_t>(4, 4);
  EXPECT_FALSE(t.parse()) << "one more than there are";
  t.set<std::int32_t>(4, 3).set<std::uint64_t>(at, attribute(7, 9, 1));
  EXPECT_FALSE(t.parse()) << "a type that does not exist";
}

TEST(GpuMetrics, AnApuTellsItsSocketAndNoEnergy) {
  Table t(2, 4, 168);
  t.set<std::uint16_t>(40, 28'500).set<std::uint16_t>(28, 5000);
  const auto m = t.parse();
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->is_apu);
  EXPECT_EQ(m->power, Watts(28.5));
  EXPECT_EQ(m->activity, Ratio(0.5));
  EXPECT_FALSE(m->energy);
  Table newer(3, 0, 264);
  newer.set<std::uint32_t>(112, 55'000);
  EXPECT_EQ(newer.parse()->power, Watts(55));
}

TEST(GpuMetrics, WhatIsCutShortOrUnknownIsRefused) {
  const Table t(1, 3, 120);
  for (std::size_t n = 0; n < t.bytes().size(); ++n) EXPECT_FALSE(parse_gpu_metrics(std::string_view(t.bytes()).substr(0, n)));
  EXPECT_FALSE(parse_gpu_metrics(t.bytes() + "x"));
  EXPECT_FALSE(Table(1, 3, 96).parse()) << "the size of another version";
  const auto unknown = Table(4, 0, 500).parse();
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message().find("version 4.0 is not known"), std::string::npos);
}

}  // namespace
}  // namespace gramwatt::sense
