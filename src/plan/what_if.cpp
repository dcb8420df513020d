// How fast a job would be on another GPU, and what it would draw.
//
// Problem. "On H100s it would be greener": but nobody has run this job there. What is published is what boards can do at most.
// By the roofline model (Williams, Waterman, Patterson, CACM 52(4), 2009) a kernel is bound by memory bandwidth or by
// arithmetic, so its speed-up should lie between the ratio of the bandwidths and the ratio of the arithmetic rates. A program
// is a mixture of kernels, and much else.
//
// Evidence. Lambda Labs published training rates of eleven programs on 17 boards (tests/plan/gpu_training.csv), which make
// 4,164 ratios of one board to another. Between bandwidth and tensor rate lie only 49 % of them, with FP32 rate as a third
// bound 78 %: batches, software and what is not the GPU's count too. So the bounds are not the interval.
//
// Idea. speed = bandwidth^0.64 × matrix rate^0.23 × FP32 rate^0.13, all as ratios: least squares of the logarithms, exponents
// that sum to one, because a board with twice of everything is twice as fast. Half of the ratios lie within a factor of 1.19.
// What nine tenths lie within depends on how different the boards are: for boards of one balance (bandwidth, matrix, FP32 by
// the same ratio) 1.22, and a factor of 2.0 from where the three ratios differ by e^0.5 on. `tools/fit_gpu_speed.py` fits it,
// says what becomes of each board when the fit has not seen it (worst: 82 %, best: 99 %), and the test
// WhatIf.HoldsNineTenthsOf… asserts what is claimed here.
//
// All of these boards are NVIDIA's. Published figures of AMD's boards beside NVIDIA's reach 0.43 to 0.58 of what the rates say
// (MI250 and A100, MosaicML 2023: 0.80 and 0.73 of an A100; MI300X and H200, AIMultiple 2025: 0.74): software counts. Between
// the two makers 0.6 is taken, 0.4 .. 1.0 (term gpu-software); four figures, so this is an assumption.
//
//   time   r = 1 / speed × (n / n')^0.97        exponent: median of 135 runs on 2, 4 and 8 boards of Lambda's; 0.61 .. 1.07
//   energy r × ((1 − g) + g × n'W' / nW)        g: the GPUs' part, W: power limits
//
// Lambda's programs feed the GPU from memory. Others read files, run Python, wait for a network: 0 .. 30 % of the time now is
// assumed not to get faster (term gpu-bound). The same program draws another share of the limit on another board: language
// models on a V100, an A40 and an A100 (ML.ENERGY, tests/plan/gpu_power_share.csv) 0.51 to 1.94 times as much of it; more than
// the limit it cannot. The rest of the machine draws what it draws now, for as long as the job takes.

#include "plan/what_if.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gramwatt::plan {
namespace {

constexpr double kBandwidth = 0.64, kMatrix = 0.23, kFp32 = 0.13;
/// Logarithms of the factors above, and the difference of logarithms from which on boards are strangers.
constexpr double kAlike = 0.2, kStrange = 0.7, kStrangeFrom = 0.5;
/// Of what its rates say, an AMD board's speed beside NVIDIA's.
constexpr double kAmd = 0.6, kAmdLow = 0.4, kAmdHigh = 1.0;
constexpr double kScaling = 0.97, kScalingLow = 0.61, kScalingHigh = 1.07;
constexpr double kNotBound = 0.3;
constexpr double kLoadLow = 0.51, kLoadHigh = 1.94;
/// Of sense/gpu_model.cpp: what a board draws while kernels run, as a share of its limit.
constexpr double kBusy = 0.70, kBusyLow = 0.30, kBusyHigh = 1.0;

/// Relative shifts of what became of `value` in two cases, sorted.
Shift between(double value, double a, double b) { return Shift::range(value, std::min(a, b), std::max(a, b)); }

bool is_amd(const Board& board) { return board.name.starts_with("AMD"); }

/// The shift of 1 / x that comes from one of x.
Shift inverse(const Shift& s) { return {1 / (1 + s.plus) - 1, 1 / (1 + s.minus) - 1}; }

double power_ratio(const Gpus& present, const Gpus& other) {
  return other.board.power * other.count / (present.board.power * present.count);
}

Estimate<Ratio> time_of(const Gpus& present, const Gpus& other) {
  Estimate<Ratio> time = speed(other.board, present.board);
  const double more = static_cast<double>(present.count) / other.count;
  const double r = 1 / time.value.value() * std::pow(more, kScaling);
  time.value = Ratio(r);
  for (auto& [id, shift] : time.terms) shift = inverse(shift);
  if (present.count != other.count)
    time.terms["gpu-scaling"] = between(1, std::pow(more, kScalingLow - kScaling), std::pow(more, kScalingHigh - kScaling));
  if (r != 1) time.terms["gpu-bound"] = between(r, r, kNotBound + (1 - kNotBound) * r);
  return time;
}

}  // namespace

GpuUse measured_use(Joules gpus, Joules at_boards, Joules job, Seconds length, const Gpus& present) {
  const double part = std::clamp(gpus / job, 0.0, 1.0);
  const double load = at_boards / (present.board.power * present.count * length);
  return {Ratio(part), Ratio(part), Ratio(part), Ratio(std::clamp(load, 0.0, 1.0))};
}

GpuUse assumed_use(Joules job, Seconds length, const Gpus& present, double loss) {
  const double at_limit = present.board.power * present.count * length * (1 + loss) / job;
  const auto part = [&](double load) { return Ratio(std::min(1.0, load * at_limit)); };
  return {part(kBusy), part(kBusyLow), part(kBusyHigh), Ratio(kBusy)};
}

Estimate<Ratio> speed(const Board& other, const Board& present) {
  const double bandwidth = std::log(other.bandwidth_gbs / present.bandwidth_gbs);
  const double matrix = std::log(other.matrix_tflops / present.matrix_tflops);
  const double fp32 = std::log(other.fp32_tflops / present.fp32_tflops);
  Estimate<Ratio> e;
  e.value = Ratio(std::exp(kBandwidth * bandwidth + kMatrix * matrix + kFp32 * fp32));
  e.method = Method::assumed;
  if (other.name == present.name) {
    e.source = "the same board";
    return e;
  }
  const auto [least, most] = std::minmax({bandwidth, matrix, fp32});
  const double width = kAlike + (kStrange - kAlike) * std::min(1.0, (most - least) / kStrangeFrom);
  e.terms["gpu-throughput"] = {std::exp(-width) - 1, std::exp(width) - 1};
  if (is_amd(other) != is_amd(present)) {
    const Shift shift = Shift::range(kAmd, kAmdLow, kAmdHigh);
    e.value = e.value * (is_amd(other) ? kAmd : 1 / kAmd);
    e.terms["gpu-software"] = is_amd(other) ? shift : inverse(shift);
  }
  e.source = fmt::format("published rates of {} and {}, weighted by Lambda's training benchmarks of 2020 to 2023", present.name,
                         other.name);
  return e;
}

Move move_to(const Gpus& present, const Gpus& other, const GpuUse& use) {
  Move m;
  m.time = time_of(present, other);
  const double p = power_ratio(present, other), r = m.time.value.value();
  const auto energy = [&](double part, double load) { return r * (1 - part + part * p * load); };
  const double part = use.part.value(), e = energy(part, 1);
  m.energy = m.time;
  m.energy.value = Ratio(e);
  if (other.board.name != present.board.name) {
    const double most = use.load.value() > 0 ? std::clamp(1 / use.load.value(), 1.0, kLoadHigh) : kLoadHigh;
    m.energy.terms["gpu-load"] = between(e, energy(part, kLoadLow), energy(part, most));
  }
  if (use.part_low != use.part_high && p != 1)
    m.energy.terms["gpu-part"] = between(e, energy(use.part_low.value(), 1), energy(use.part_high.value(), 1));
  return m;
}

std::vector<Joules> stretched(std::span<const Joules> steps, std::size_t count, Ratio energy) {
  std::vector<Joules> out(count);
  if (steps.empty()) return out;
  const double width = static_cast<double>(steps.size()) / static_cast<double>(count);  // of a new slot, in old ones
  for (std::size_t k = 0; k < count; ++k) {
    const double from = static_cast<double>(k) * width, to = from + width;
    for (auto i = static_cast<std::size_t>(from); i < steps.size() && static_cast<double>(i) < to; ++i) {
      const double part = std::min(to, static_cast<double>(i + 1)) - std::max(from, static_cast<double>(i));
      if (part > 0) out[k] += steps[i] * part * energy.value();
    }
  }
  return out;
}

}  // namespace gramwatt::plan
