#pragma once
// What can be measured here, how well, and what blocks the rest.

#include <optional>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/estimate.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

struct DoctorReport {
  struct Sensor {
    std::string component, device, boundary, source;
    double gain_error = 0;  ///< relative, of the sensor itself
    bool usable = true;     ///< by the program
    std::string note;       ///< what a reader should know; may be empty
  };
  struct Blocked {
    std::string family, why, remedy;
  };
  std::string cpu, machine_class;
  int threads = 0, cores = 0, packages = 0;
  double memory_gb = 0;
  std::vector<Sensor> sensors;
  std::vector<Blocked> blocked;
  std::string model, model_source;
  std::string calibration;  ///< when it was made and against what, or why the one that is there is not used; empty: none
  bool model_in_use = false;
  Estimate<Watts> model_idle, model_full;
  std::string tree, tree_shortfall;
  std::string place;
  std::vector<std::string> place_chain;
  Estimate<GramsPerKwh> intensity;
  std::string marginal;  ///< with its figure, or why it is unknown
  Estimate<Ratio> pue;
  std::string ledger, ledger_state;
  std::string config, config_state;
  std::vector<std::string> remedies;  ///< the shortest way to better figures
};

[[nodiscard]] std::string doctor_text(const DoctorReport& report, const Style& style, std::size_t width);
[[nodiscard]] std::string doctor_json(const DoctorReport& report);

}  // namespace gramwatt::report
