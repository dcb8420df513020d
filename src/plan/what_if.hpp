#pragma once
// A job on other GPUs than it has: how long it would take there, and how much energy. Assumed, never measured; what_if.cpp
// has the essay and the evidence.
//
// Pure functions.

#include <span>
#include <string>
#include <vector>

#include "base/estimate.hpp"

namespace gramwatt::plan {

/// What a board can do, as its maker publishes it.
struct Board {
  std::string name;
  double matrix_tflops =
      0;                   ///< dense 16-bit products with 32-bit sums on tensor or matrix cores; without such: its fastest rate
  double fp32_tflops = 0;  ///< outside of them
  double bandwidth_gbs = 0;  ///< of its memory, GB/s
  Watts power;               ///< default power limit
  double memory_gb = 0;      ///< 0: not known
};

struct Gpus {
  Board board;
  int count = 1;
};

/// What the present GPUs draw of the job.
struct GpuUse {
  Ratio part;  ///< of the job's energy at the plug
  Ratio part_low, part_high;
  Ratio load;  ///< mean power as a share of the power limit
};

/// From a measured run: `gpus` at the plug, `at_boards` without what is lost on the way there, of `job`.
[[nodiscard]] GpuUse measured_use(Joules gpus, Joules at_boards, Joules job, Seconds length, const Gpus& present);
/// Where only the job's energy is known: boards draw as sense/gpu_model.cpp assumes for busy ones, and `loss` (per watt at the
/// board) on the way there, but never more than the job.
[[nodiscard]] GpuUse assumed_use(Joules job, Seconds length, const Gpus& present, double loss);

/// What moving multiplies time and energy (at the plug) with. Terms: `gpu-throughput` (how far published rates tell a program's
/// speed), `gpu-software` (from one maker to another), `gpu-bound` (work that does not wait for the GPU), `gpu-scaling` (more
/// or fewer GPUs), `gpu-load` (how much of its limit the other board draws) and `gpu-part` (what of the energy is the GPUs').
struct Move {
  Estimate<Ratio> time, energy;
};
[[nodiscard]] Move move_to(const Gpus& present, const Gpus& other, const GpuUse& use);

/// How much faster the published rates alone make a training program on `other` than on `present`, one board each. Terms
/// `gpu-throughput`, `gpu-software`.
[[nodiscard]] Estimate<Ratio> speed(const Board& other, const Board& present);

/// The same energies over `count` slots, and all of them times `energy`: power over time keeps its shape.
[[nodiscard]] std::vector<Joules> stretched(std::span<const Joules> steps, std::size_t count, Ratio energy);

}  // namespace gramwatt::plan
