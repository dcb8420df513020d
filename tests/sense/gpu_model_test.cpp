#include "sense/gpu_model.hpp"

#include <tuple>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "data/tables.hpp"
#include "sense/cloud_instance.hpp"
#include "sense/gpu_throughput.hpp"
#include "sense/microarchitecture.hpp"
#include "sense/table.hpp"

namespace gramwatt::sense {
namespace {

TEST(GpuModel, KnowsBoardsByTheDriversNameAndByHand) {
  const std::vector<std::tuple<const char*, const char*, double>> boards{
      {"NVIDIA A100-SXM4-80GB", "NVIDIA A100 SXM 80GB", 400},
      {"NVIDIA A100-SXM4-40GB", "NVIDIA A100 SXM 40GB", 400},
      {"NVIDIA A100 80GB PCIe", "NVIDIA A100 PCIe 80GB", 300},
      {"NVIDIA A100-PCIE-40GB", "NVIDIA A100 PCIe 40GB", 250},
      {"NVIDIA H100 80GB HBM3", "NVIDIA H100 SXM", 700},
      {"NVIDIA H100 PCIe", "NVIDIA H100 PCIe", 350},
      {"h100", "NVIDIA H100 SXM", 700},
      {"NVIDIA H100 NVL", "NVIDIA H100 NVL", 400},
      {"Tesla T4", "NVIDIA T4", 70},
      {"Tesla V100-SXM2-16GB", "NVIDIA V100 SXM2", 300},
      {"NVIDIA GeForce RTX 3080 Ti", "NVIDIA GeForce RTX 3080 Ti", 350},
      {"rtx 3080ti", "NVIDIA GeForce RTX 3080 Ti", 350},
      {"NVIDIA L40S", "NVIDIA L40S", 350},
      {"NVIDIA RTX 6000 Ada Generation", "NVIDIA RTX 6000 Ada", 300},
      {"AMD Instinct MI250X / MI250", "AMD Instinct MI250X", 560},
      {"Quadro RTX 8000", "NVIDIA Quadro RTX 8000", 260},
      {"Intel(R) Data Center GPU Max 1550", "Intel Data Center GPU Max 1550", 600}};
  for (const auto& [asked, name, tdp] : boards) {
    const auto m = gpu_model(asked);
    ASSERT_TRUE(m) << asked;
    EXPECT_EQ(m->name, name) << asked;
    EXPECT_EQ(m->tdp.value(), tdp) << asked;
  }
}

TEST(GpuModel, EveryNameOfTheTableFindsItself) {
  ASSERT_GT(known_gpus().size(), 90U);
  for (const std::string& name : known_gpus()) {
    const auto m = gpu_model(name);
    ASSERT_TRUE(m) << name;
    EXPECT_EQ(m->name, name);
  }
}

TEST(GpuThroughput, EveryRowIsABoardWithRatesOfItsKind) {
  int rows = 0;
  find_row<5>(data::gpu_throughput(), [&](const auto& row) {
    ++rows;
    const auto model = gpu_model(row[0]);
    EXPECT_TRUE(model && model->name == row[0]) << row[0];
    const auto rates = model ? gpu_throughput(*model) : Result<GpuThroughput>(GpuThroughput{});
    EXPECT_TRUE(rates) << row[0];
    // Makers' units differ by thousands; and marketing doubles dense rates.
    EXPECT_GE(rates->matrix_tflops, rates->fp32_tflops) << row[0];
    EXPECT_LT(rates->matrix_tflops, 20 * rates->fp32_tflops) << row[0];
    EXPECT_GT(rates->bandwidth_gbs, 200) << row[0];
    EXPECT_LT(rates->bandwidth_gbs, 10'000) << row[0];
    EXPECT_FALSE(rates->source.empty()) << row[0];
    return false;
  });
  EXPECT_GT(rows, 30);
}

TEST(GpuThroughput, TellsWhichAreKnownWhereABoardIsNot) {
  const auto rates = gpu_throughput(*gpu_model("k80"));
  ASSERT_FALSE(rates);
  EXPECT_EQ(rates.error().kind, Error::Kind::missing);
  EXPECT_NE(rates.error().remedy.find("NVIDIA H100 SXM"), std::string::npos) << rates.error().remedy;
}

TEST(GpuModel, UnknownNamesGetTheNearestAndALaptopIsNoDesktop) {
  const auto unknown = gpu_model("h1000");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, Error::Kind::missing);
  EXPECT_NE(unknown.error().remedy.find("H100"), std::string::npos) << unknown.error().remedy;
  EXPECT_FALSE(gpu_model("NVIDIA GeForce RTX 4090 Laptop GPU"));
  EXPECT_FALSE(gpu_model("NVIDIA GeForce RTX 2080 with Max-Q Design"));
  EXPECT_FALSE(gpu_model(""));
}

TEST(GpuModel, MemoryBoundDecodingAndFullTrainingLieInTheInterval) {
  // Measured on an H200 at full utilisation, decoding: 137..300 W (arXiv 2605.11999); its limit is 700 W.
  const auto full = gpu_model("NVIDIA H200")->at(Ratio(1));
  EXPECT_LT(full.low().value(), 300);
  EXPECT_GT(full.high().value(), 650);
  EXPECT_LE(full.high().value(), 750);
  // At rest 74 W were read.
  const auto rest = gpu_model("NVIDIA H200")->idle();
  EXPECT_LT(rest.low().value(), 74);
  EXPECT_GT(rest.high().value(), 74);
  EXPECT_EQ(full.boundary, Boundary::chip);
}

TEST(GpuModel, AnUnknownBoardIsWiderAndTakesTheDriversLimit) {
  const auto width = [](const Estimate<Watts>& e) { return e.high() / e.low(); };
  const GpuModel any = gpu_model_or_any("Foo 9000");
  const GpuModel limited = gpu_model_or_any("Foo 9000", Watts(165));
  EXPECT_FALSE(any.known);
  EXPECT_GT(width(any.at(Ratio(1))), width(limited.at(Ratio(1))));
  EXPECT_EQ(limited.tdp.value(), 165);
  EXPECT_TRUE(gpu_model_or_any("Tesla T4", Watts(165)).known);
}

TEST(CloudInstance, EveryTypeNamesAProcessorAndGpusThatAreKnown) {
  int types = 0;
  (void)find_row<6>(data::cloud_instances(), [&](const auto& row) {
    const auto i = cloud_instance(row[0]);
    EXPECT_TRUE(i) << row[0];
    if (!i) return false;
    EXPECT_TRUE(find_microarchitecture(i->cpu)) << row[0] << ": " << i->cpu.name;
    EXPECT_TRUE(i->gpus == 0 || gpu_model(i->gpu)) << row[0];
    EXPECT_TRUE(i->cpu.is_guest() && i->cpu.threads > 0 && i->cpu.memory_gb > 0) << row[0];
    ++types;
    return false;
  });
  EXPECT_GT(types, 800);
}

RC_GTEST_PROP(GpuModelLaws, PowerGrowsWithUtilisationFromIdleToTheLimit, ()) {
  const auto names = known_gpus();
  const auto m = gpu_model(names[*rc::gen::inRange<std::size_t>(0, names.size())]);
  const double a = *rc::gen::inRange(0, 1001) / 1000.0, b = *rc::gen::inRange(0, 1001) / 1000.0;
  const auto low = m->at(Ratio(std::min(a, b))), high = m->at(Ratio(std::max(a, b)));
  RC_ASSERT(low.value <= high.value);
  RC_ASSERT(m->idle().value <= low.value);
  RC_ASSERT(high.value <= m->tdp);
  RC_ASSERT(low.low() <= low.value && low.value <= low.high());
}

}  // namespace
}  // namespace gramwatt::sense
