#pragma once
// A machine's calibration between runs: where it is kept, and how it changes what is known of the machine.

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "job/machine.hpp"
#include "sense/calibration.hpp"

namespace gramwatt::job {

/// $XDG_DATA_HOME/gramwatt/calibration.json. Text, readable by people: the trace, and what was fitted to it.
[[nodiscard]] std::filesystem::path calibration_path();

struct StoredCalibration {
  sense::CalibrationTrace trace;
  sense::Calibration calibration;
};

[[nodiscard]] std::string to_json(const StoredCalibration& stored);
/// Refuses what is not a calibration, and one whose figures make no sense.
[[nodiscard]] Result<StoredCalibration> parse_calibration(const std::string& text);

[[nodiscard]] Result<void> save_calibration(const StoredCalibration& stored, const std::filesystem::path& path);
/// Kind missing where there is no such file.
[[nodiscard]] Result<StoredCalibration> load_calibration(const std::filesystem::path& path);

/// Which machine this is, by a hash of its name: the same model of processor is not the same machine.
[[nodiscard]] std::string host_hash();

/// Was it made on this machine?
[[nodiscard]] bool belongs_to(const sense::CalibrationTrace& trace, const sense::CpuIdentity& cpu);

/// The model of `machine` becomes the calibrated one (lifted to the plug where the reference saw chips only), its chip sensors
/// learn their measured idle power, and its platform line is the measured one.
void apply(const StoredCalibration& stored, Machine& machine);

/// The calibration of this machine, if there is one and it is this machine's. Applied; what was not is said in
/// `machine.calibration_note`.
void apply_stored_calibration(Machine& machine);

}  // namespace gramwatt::job
