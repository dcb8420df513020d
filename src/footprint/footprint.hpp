#pragma once
// What does that energy weigh in CO2e, all parts counted?

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/estimate.hpp"
#include "grid/intensity.hpp"

namespace gramwatt::footprint {

/// One line of the bill of parts. Parts never overlap: a host's total already contains its CPUs.
struct Part {
  std::string name;      ///< "server, 1 CPU, 16 GB", "memory beyond 16 GB", "NVIDIA H100 SXM"
  Estimate<Grams> mass;  ///< cradle to gate, of the part as counted here (share of a host already applied)
};

/// The machine as a thing that was made.
struct Bill {
  std::vector<Part> parts;
  Estimate<Seconds> life;       ///< years in service
  Estimate<Ratio> utilisation;  ///< share of its life in which somebody reserves it
};

/// Facts that the bill needs; from sense and place, as plain data.
struct Machine {
  bool guest = false;
  bool laptop_or_desktop = false;
  int threads = 1;
  int host_threads = 0;  ///< threads of the host a guest lives on (0: not a guest)
  int packages = 1;
  double memory_gb = 0;
  std::string provider, instance;  ///< "aws", "m7a.large"; empty when unknown
  std::vector<std::string> gpus;   ///< names, one a board
};

[[nodiscard]] Bill bill_of_parts(const Machine& machine);

/// parts × (reserved ÷ (life × utilisation)) × share; share 0..1 is the program's part of the machine while it ran.
[[nodiscard]] Estimate<Grams> embodied(const Bill& bill, Seconds reserved, Ratio share);

/// Energy of the job in one interval of UTC.
struct Slice {
  Nanoseconds start{}, end{};
  Microjoules energy;
};

/// The intensity that energy met.
struct MeanIntensity {
  Estimate<GramsPerKwh> value;  ///< weighted by energy; by time where there is none
  grid::Signal signal;          ///< of the rung that most of the energy met; its source names the others with their shares
  std::vector<double> shares;   ///< of the energy, by rung of the ladder; sums to 1
};

/// Each slice meets the intensity of its own time, spread evenly over its length; each instant takes the first rung that covers
/// it. Linear in energy and independent of how it is cut into slices. Slices in order of time are read in one sweep.
[[nodiscard]] MeanIntensity mean_intensity(std::span<const Slice> slices, const grid::Ladder& ladder);

/// Carbon of `energy` (boundary facility) spread over time like the slices that gave `intensity`:
/// value = Σ slice × intensity of its own time, terms = terms of the energy and of the series.
[[nodiscard]] Estimate<Grams> weigh(const Estimate<Joules>& energy, const MeanIntensity& intensity);

}  // namespace gramwatt::footprint
