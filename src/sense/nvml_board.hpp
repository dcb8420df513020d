#pragma once
// One NVIDIA board: which of its sensors answer, what a call costs, and how it is read.

#include <memory>
#include <optional>
#include <string>

#include "sense/board_input.hpp"
#include "sense/nvidia_sensors.hpp"
#include "sense/nvml_library.hpp"

namespace gramwatt::sense {

class NvmlBoard {
 public:
  NvmlBoard(std::shared_ptr<NvmlLibrary> library, NvmlDevice device) : library_(std::move(library)), device_(device) {}

  std::string name = "NVIDIA GPU";
  std::string uuid, pci;
  NvidiaGeneration generation{};

  /// Tries every way to read energy and power, and times those that answer (three calls each). False: none does; `why_not` says
  /// so in NVML's words.
  [[nodiscard]] bool look_what_answers(const Clock& clock);

  [[nodiscard]] bool has_counter() const { return counter_ != Counter::none; }
  [[nodiscard]] bool has_power() const { return has_instant_ || has_average_ || uses_power_usage_; }
  /// Power whose shape is the board's own, or only a one-second average.
  [[nodiscard]] bool has_instant() const { return has_instant_ || (uses_power_usage_ && !generation.power_usage_is_average); }
  [[nodiscard]] bool has_average() const { return has_average_ || (uses_power_usage_ && generation.power_usage_is_average); }
  /// The power reading covers more than the GPU (kNvmlScopeModule).
  [[nodiscard]] bool reads_module() const { return scope_ == kNvmlScopeModule; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] bool is_lost() const { return lost_; }
  [[nodiscard]] Nanoseconds counter_cost() const { return counter_cost_; }

  /// Power now, by whatever reading is nearest to it.
  [[nodiscard]] std::optional<Watts> power_now() const;
  [[nodiscard]] std::optional<Watts> power_limit() const;

  [[nodiscard]] NvidiaShapes shapes() const;
  [[nodiscard]] BoardReader reader() const;
  [[nodiscard]] const std::shared_ptr<NvmlLibrary>& library() const { return library_; }
  [[nodiscard]] NvmlDevice device() const { return device_; }

 private:
  enum class Counter { none, field, call };
  NvmlReturn read_counter(Counter how, std::uint64_t& mj) const;
  NvmlReturn read_power(RawSample& sample) const;
  [[nodiscard]] Nanoseconds cost_of(const Clock& clock, const std::function<void()>& call) const;
  void find_power(const Clock& clock);
  void find_counter(const Clock& clock);

  std::shared_ptr<NvmlLibrary> library_;
  NvmlDevice device_;
  Counter counter_ = Counter::none;
  bool has_instant_ = false, has_average_ = false, uses_power_usage_ = false;
  unsigned scope_ = kNvmlScopeGpu;
  Nanoseconds counter_cost_{}, power_cost_{};
  std::string why_not_;
  bool lost_ = false;
};

}  // namespace gramwatt::sense
