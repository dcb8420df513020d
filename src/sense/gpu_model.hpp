#pragma once
// Power of a GPU that shows none, by its name and its utilisation. See gpu_model.cpp for the essay and the evidence.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/estimate.hpp"

namespace gramwatt::sense {

/// One board. All power is at the boundary `chip` (DC at the board): meter/platform.hpp lifts it to the plug. Immutable.
struct GpuModel {
  std::string name;      ///< as the table has it: "NVIDIA H100 SXM"; as it was asked for where the table lacks it
  std::string source;    ///< table with its year
  bool known = false;    ///< false: any GPU stands for it, and the intervals say so
  Watts tdp;             ///< the board's default power limit
  double memory_gb = 0;  ///< 0: not known
  int year = 0;          ///< of its launch; 0: not known

  /// Drawn whatever happens: at rest, somewhere between no context and an idle context. Term `gpu-idle`.
  Watts idle_power;
  Terms idle_terms;
  /// Above `idle_power` while a kernel is resident all the time. Terms `gpu-load` (how hard kernels work), and `gpu-tdp` where
  /// the board is unknown.
  Watts busy_power;
  Terms active_terms;

  [[nodiscard]] Estimate<Watts> idle() const;
  /// The part above idle at a utilisation of 0..1 as drivers report it: share of time in which a kernel was resident.
  [[nodiscard]] Estimate<Watts> active(Ratio utilisation) const;
  /// Both together.
  [[nodiscard]] Estimate<Watts> at(Ratio utilisation) const;
};

/// By the name that a driver gives ("NVIDIA A100-SXM4-80GB", "Tesla T4") or a person types ("h100 pcie"). Missing: an error
/// that names the nearest. Never matches a laptop's GPU to the desktop board whose name it borrows.
[[nodiscard]] Result<GpuModel> gpu_model(std::string_view name);

/// The same for a meter, which must say something of every board: unknown names get `power_limit` where the driver tells it,
/// else a typical board with an interval of a factor of several.
[[nodiscard]] GpuModel gpu_model_or_any(std::string_view name, std::optional<Watts> power_limit = {});

/// Every name of the table, for help and "did you mean".
[[nodiscard]] std::vector<std::string> known_gpus();

}  // namespace gramwatt::sense
