// Moving a job to other GPUs: what is claimed of the intervals holds on published measurements, and the laws hold anywhere.

#include "plan/what_if.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <tuple>

#include "base/text.hpp"
#include "sense/gpu_throughput.hpp"

namespace gramwatt::plan {
namespace {

Board board(const std::string& name) {
  const auto model = sense::gpu_model(name);
  EXPECT_TRUE(model) << name;
  const auto rates = sense::gpu_throughput(*model);
  EXPECT_TRUE(rates) << name;
  return {model->name, rates->matrix_tflops, rates->fp32_tflops, rates->bandwidth_gbs, model->tdp, model->memory_gb};
}

/// Rows of a table of tests/plan, without its comments; the heading first.
std::vector<std::vector<std::string>> table(const char* path) {
  std::ifstream in(path);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with('#')) rows.push_back(csv_fields(line));
  }
  EXPECT_GT(rows.size(), 10U) << path;
  return rows;
}

constexpr std::size_t kFirstProgram = 4;  // suite, precision, boards, gpu, programs…

/// Calls visit(row, row, program) with all measured pairs of one suite and precision.
template <class Visit>
void for_measured(Visit visit) {
  const auto rows = table(GRAMWATT_GPU_TRAINING);
  for (std::size_t a = 1; a < rows.size(); ++a) {
    for (std::size_t b = 1; b < rows.size(); ++b) {
      if (a == b || rows[a][0] != rows[b][0] || rows[a][1] != rows[b][1]) continue;
      for (std::size_t p = kFirstProgram; p < rows[a].size(); ++p) {
        if (!rows[a][p].empty() && !rows[b][p].empty()) visit(rows[a], rows[b], p);
      }
    }
  }
}

double number(const std::string& text) { return parse_number<double>(text).value(); }

TEST(WhatIf, HoldsNineTenthsOfMeasuredSpeeds) {
  std::map<std::string, Board> boards;
  std::map<std::string, std::pair<int, int>> held;  // by suite and precision: of how many
  for_measured([&](const auto& from, const auto& to, std::size_t p) {
    if (from[2] != "1" || to[2] != "1" || from[3] == to[3]) return;
    for (const std::string& name : {from[3], to[3]}) {
      if (!boards.contains(name)) boards[name] = board(name);
    }
    const auto s = speed(boards[to[3]], boards[from[3]]);
    const double measured = number(to[p]) / number(from[p]);
    auto& [inside, all] = held[from[0] + from[1]];
    // Log-symmetric: low() and high() are the ends themselves, as there is one term.
    inside += measured >= s.low().value() && measured <= s.high().value() ? 1 : 0;
    ++all;
  });
  int inside = 0, all = 0;
  for (const auto& [suite, count] : held) {
    EXPECT_GE(count.first, 0.88 * count.second) << suite;
    inside += count.first;
    all += count.second;
  }
  EXPECT_EQ(held.size(), 4U);
  EXPECT_EQ(all, 4164);
  EXPECT_GE(inside, 0.90 * all);
  EXPECT_LE(inside, 0.97 * all) << "wider than it need be";
}

TEST(WhatIf, HoldsNineTenthsOfMeasuredScalingOverBoards) {
  int inside = 0, all = 0;
  for_measured([&](const auto& one, const auto& more, std::size_t p) {
    if (one[2] != "1" || more[2] == "1" || one[3] != more[3]) return;
    const Board b = board(one[3]);
    auto time = move_to({b, 1}, {b, *parse_number<int>(more[2])}, {}).time;
    time.terms.erase("gpu-bound");  // these programs wait for their GPUs only
    const double measured = number(one[p]) / number(more[p]);
    inside += measured >= time.low().value() && measured <= time.high().value() ? 1 : 0;
    ++all;
  });
  EXPECT_EQ(all, 135);
  EXPECT_GE(inside, 0.88 * all);
}

TEST(WhatIf, HoldsNineTenthsOfMeasuredShiftsOfThePowerThatIsDrawn) {
  const auto rows = table(GRAMWATT_GPU_POWER_SHARE);
  int inside = 0, all = 0;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    for (std::size_t a = 1; a < rows[0].size(); ++a) {
      for (std::size_t b = 1; b < rows[0].size(); ++b) {
        if (a == b) continue;
        const Board from = board(rows[0][a]), to = board(rows[0][b]);
        const double load = number(rows[r][a]) / from.power.value();
        const GpuUse all_of_it{Ratio(1), Ratio(1), Ratio(1), Ratio(load)};
        auto e = move_to({from, 1}, {to, 1}, all_of_it).energy;
        std::erase_if(e.terms, [](const auto& t) { return t.first != "gpu-load"; });
        const auto time = move_to({from, 1}, {to, 1}, all_of_it).time;
        const double power = number(rows[r][b]) / number(rows[r][a]);  // energy at the time that was predicted
        const double ratio = power * time.value.value();
        inside += ratio >= e.low().value() && ratio <= e.high().value() ? 1 : 0;
        ++all;
      }
    }
  }
  EXPECT_EQ(all, 126);
  EXPECT_GE(inside, 0.88 * all);
}

// Published beside the benchmarks that the rates were weighted by: MosaicML, "Training LLMs with AMD MI250 GPUs" (June 2023);
// NVIDIA, MLPerf Training 4.0 (2024, the best of its gains); AIMultiple, multi-GPU benchmark (October 2025).
TEST(WhatIf, HoldsWhatIsPublishedOfBoardsThatTheFitHasNotSeen) {
  const std::vector<std::tuple<const char*, const char*, double>> published{{"mi250", "a100 sxm 40gb", 0.80},
                                                                            {"mi250", "a100 sxm 80gb", 0.73},
                                                                            {"mi300x", "h200", 0.74},
                                                                            {"h200", "h100", 1.47},
                                                                            {"h200", "h100", 1.10}};
  for (const auto& [other, present, measured] : published) {
    const auto s = speed(board(other), board(present));
    EXPECT_GE(measured, s.low().value()) << other << " beside " << present;
    EXPECT_LE(measured, s.high().value()) << other << " beside " << present;
  }
}

TEST(WhatIf, AnotherMakersSoftwareIsAnErrorOfItsOwn) {
  const Gpus h100{board("h100"), 1}, mi300x{board("mi300x"), 1};
  EXPECT_TRUE(move_to(h100, mi300x, {}).time.terms.contains("gpu-software"));
  EXPECT_TRUE(move_to(mi300x, h100, {}).energy.terms.contains("gpu-software"));
  EXPECT_FALSE(move_to(mi300x, {board("mi210"), 1}, {}).time.terms.contains("gpu-software"));
}

TEST(WhatIf, TheSameBoardsChangeNothing) {
  const Board a100 = board("a100");
  const Move m = move_to({a100, 4}, {a100, 4}, {Ratio(0.7), Ratio(0.3), Ratio(1), Ratio(0.6)});
  EXPECT_EQ(m.time.value.value(), 1);
  EXPECT_EQ(m.energy.value.value(), 1);
  EXPECT_TRUE(m.time.terms.empty());
  EXPECT_TRUE(m.energy.terms.empty());
  EXPECT_EQ(m.energy.method, Method::assumed);
}

TEST(WhatIf, OnlyTheGpusPartFollowsThePowerLimit) {
  const Gpus a100{board("a100 sxm4 40gb"), 1}, h100{board("h100"), 1};
  const auto with = [&](double part) { return move_to(a100, h100, {Ratio(part), Ratio(part), Ratio(part), Ratio(0.7)}); };
  const double time = with(0).time.value.value();
  EXPECT_LT(time, 1);
  EXPECT_NEAR(with(0).energy.value.value(), time, 1e-12) << "a machine around idle GPUs draws for as long as it takes";
  EXPECT_NEAR(with(1).energy.value.value(), time * 700 / 400, 1e-12);
  EXPECT_NEAR(with(0.5).energy.value.value(), time * (0.5 + 0.5 * 700 / 400), 1e-12);
}

TEST(WhatIf, ABoardThatIsAtItsLimitCannotDrawMoreThanTheOtherLimit) {
  const Gpus a100{board("a100"), 1}, h100{board("h100"), 1};
  auto e = move_to(a100, h100, {Ratio(1), Ratio(1), Ratio(1), Ratio(1)}).energy;
  EXPECT_EQ(e.terms.at("gpu-load").plus, 0);
  e = move_to(a100, h100, {Ratio(1), Ratio(1), Ratio(1), Ratio(0.8)}).energy;
  EXPECT_NEAR(e.terms.at("gpu-load").plus, 0.25, 1e-12);
}

TEST(WhatIf, WorkThatDoesNotWaitForTheGpuKeepsATimeFromShrinkingAndFromGrowing) {
  const Gpus slow{board("t4"), 1}, fast{board("h100"), 1};
  EXPECT_GT(move_to(slow, fast, {}).time.terms.at("gpu-bound").plus, 0);
  EXPECT_LT(move_to(fast, slow, {}).time.terms.at("gpu-bound").minus, 0);
  EXPECT_LE(move_to(fast, slow, {}).time.terms.at("gpu-bound").plus, 0);
}

TEST(WhatIf, WhatIsMeasuredOfTheGpusIsTaken) {
  const Gpus two{board("a100 sxm4 40gb"), 2};
  const GpuUse use = measured_use(kwh(0.585), kwh(0.5), kwh(1), Seconds(3600), two);
  EXPECT_NEAR(use.part.value(), 0.585, 1e-12);
  EXPECT_NEAR(use.load.value(), 500.0 / 800, 1e-12);
  EXPECT_EQ(use.part_low, use.part_high);
}

TEST(WhatIf, AnAssumedPartIsNeverMoreThanTheJob) {
  const Gpus eight{board("h100"), 8};
  const GpuUse use = assumed_use(kwh(1), Seconds(3600), eight, 0.17);  // a job that cannot have kept eight boards busy
  EXPECT_EQ(use.part.value(), 1);
  EXPECT_EQ(use.part_high.value(), 1);
  const GpuUse usual = assumed_use(kwh(6), Seconds(3600), eight, 0.17);
  EXPECT_NEAR(usual.part.value(), 0.7 * 5.6 * 1.17 / 6, 1e-12);
  EXPECT_LT(usual.part_low.value(), usual.part.value());
}

RC_GTEST_PROP(WhatIfLaws, GoingThereAndBackIsStaying, ()) {
  const auto names = std::vector<std::string>{"t4", "v100", "a100", "h100", "l4", "rtx 3090", "mi250x", "p100"};
  const auto any = [&] { return Gpus{board(*rc::gen::elementOf(names)), *rc::gen::inRange(1, 9)}; };
  const Gpus a = any(), b = any();
  const auto there = move_to(a, b, {}).time, back = move_to(b, a, {}).time;
  RC_ASSERT(std::abs(there.value.value() * back.value.value() - 1) < 1e-9);
  RC_ASSERT(there.low().value() > 0);
  RC_ASSERT(there.low() <= there.value && there.value <= there.high());
}

RC_GTEST_PROP(WhatIfLaws, StretchingKeepsTheEnergy, ()) {
  const auto joules = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000)));
  const auto count = *rc::gen::inRange<std::size_t>(1, 300);
  std::vector<Joules> steps;
  for (const int e : joules) steps.emplace_back(e);
  const auto out = stretched(steps, count, Ratio(0.5));
  RC_ASSERT(out.size() == count);
  const auto sum = [](const std::vector<Joules>& v) {
    return std::accumulate(v.begin(), v.end(), Joules(0), [](Joules a, Joules b) { return a + b; }).value();
  };
  RC_ASSERT(std::abs(sum(out) - 0.5 * sum(steps)) <= 1e-9 * (1 + sum(steps)));
}

TEST(WhatIf, PowerOverTimeKeepsItsShape) {
  const std::vector<Joules> steps{Joules(10), Joules(30)};
  const auto longer = stretched(steps, 4, Ratio(1));
  EXPECT_EQ(longer, (std::vector<Joules>{Joules(5), Joules(5), Joules(15), Joules(15)}));
  const auto odd = stretched(steps, 3, Ratio(2));
  ASSERT_EQ(odd.size(), 3U);
  EXPECT_NEAR(odd[1].value(), 2 * (10.0 / 3 + 10), 1e-9);
}

}  // namespace
}  // namespace gramwatt::plan
