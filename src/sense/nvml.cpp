// NVIDIA GPUs.
//
// Volta and later count energy themselves (millijoules since the driver was loaded, stepping about every 100 ms): the counter
// sees what happens between two reads, so it is taken whenever it exists. Older boards and many virtual GPUs have only a power
// reading; it is integrated over the reads (trapezoid), with a wider interval, because on boards that sample a window of their
// own most of the time is invisible. An answer of "not supported" or a lost GPU is an error with a name, never 0 W.
//
// Which GPUs are the program's: those that CUDA will show it. The others count for the machine only.
// Sources: NVML API reference; Yang et al., SC'24 (10.1109/SC41406.2024.00028) for gain (±5 %, proportional, by board) and
// duty cycle.

#include "sense/nvml.hpp"

#include <filesystem>

#include "base/system.hpp"
#include "base/text.hpp"
#include "sense/nvml_library.hpp"

namespace gramwatt::sense {
namespace {

constexpr const char* kFamily = "NVML";
constexpr double kGain = 0.05;             // SC'24: ±5 % proportional, random by board
constexpr double kIntegratedPower = 0.15;  // boards without counter: power sampled, window shorter than the period
// Idle share of the power limit where it cannot be read because others use the board: 50 to 120 W of 700 on an H100, 10 to 20
// of 250 on consumer boards.
constexpr double kIdleOfLimit = 0.10;
constexpr Shift kIdleOfLimitShift = Shift::range(0.10, 0.04, 0.20);

class NvmlSensor final : public Sensor {
 public:
  NvmlSensor(Description d, std::shared_ptr<NvmlLibrary> library, NvmlDevice device, bool has_counter)
      : description_(std::move(d)), library_(std::move(library)), device_(device), has_counter_(has_counter) {}

  [[nodiscard]] const Description& describe() const override { return description_; }

  [[nodiscard]] Result<Reading> read(const Clock& clock) override {
    return has_counter_ ? read_counter(clock) : integrate(clock);
  }

 private:
  Result<Reading> read_counter(const Clock& clock) {
    unsigned long long mj = 0;
    const NvmlReturn code = library_->total_energy(device_, &mj);
    const Instant at = clock.now();
    if (code != kNvmlSuccess) return failed(code);
    if (!started_) {
      started_ = true;
      last_mj_ = mj;
      return Reading{total_, at};
    }
    // 64 bits of millijoules do not wrap; a step back means that the driver was loaded anew.
    const bool resumed = mj < last_mj_;
    if (!resumed) total_ += Microjoules(static_cast<std::int64_t>(mj - last_mj_) * 1000);
    last_mj_ = mj;
    return Reading{total_, at, resumed};
  }

  Result<Reading> integrate(const Clock& clock) {
    unsigned mw = 0;
    const NvmlReturn code = library_->power_usage(device_, &mw);
    const Instant at = clock.now();
    if (code != kNvmlSuccess) return failed(code);
    const Watts power(mw * 1e-3);
    if (started_) total_ += Microjoules((power + last_power_) * 0.5 * seconds(elapsed(last_, at)));
    started_ = true;
    last_ = at;
    last_power_ = power;
    return Reading{total_, at};
  }

  [[nodiscard]] tl::unexpected<Error> failed(NvmlReturn code) const {
    return fail(library_->describe(code), description_.device, code == kNvmlGpuIsLost ? "reset the GPU or reboot" : "");
  }

  Description description_;
  std::shared_ptr<NvmlLibrary> library_;
  NvmlDevice device_;
  bool has_counter_;
  bool started_ = false;
  unsigned long long last_mj_ = 0;
  Watts last_power_;
  Instant last_;
  Microjoules total_;
};

struct Board {
  NvmlDevice device = nullptr;
  std::string name = "NVIDIA GPU";
  std::string uuid;
};

std::string text_of(NvmlReturn (*get)(NvmlDevice, char*, unsigned), NvmlDevice device) {
  char buffer[128] = "";
  if (get == nullptr || get(device, buffer, sizeof buffer) != kNvmlSuccess) return {};
  buffer[sizeof buffer - 1] = '\0';
  return buffer;
}

/// Do other programs compute on this board now, before ours starts?
bool is_busy(const NvmlLibrary& library, NvmlDevice device) {
  if (library.compute_processes == nullptr) return false;
  unsigned count = 0;
  const NvmlReturn code = library.compute_processes(device, &count, nullptr);
  return code == kNvmlInsufficientSize || (code == kNvmlSuccess && count > 0);
}

void describe_idle(const NvmlLibrary& library, const Board& board, bool busy, Description& d) {
  unsigned mw = 0;
  if (!busy && library.power_usage != nullptr && library.power_usage(board.device, &mw) == kNvmlSuccess && mw > 0) {
    d.idle_power = Watts(mw * 1e-3);
    d.idle_terms["gpu-idle-reading"] = {-0.15, 0.30};  // one reading, up to 1 s old; leakage rises as the board warms up
  } else if (library.power_limit != nullptr && library.power_limit(board.device, &mw) == kNvmlSuccess && mw > 0) {
    d.idle_power = Watts(mw * 1e-3) * kIdleOfLimit;
    d.idle_terms["gpu-idle-share"] = kIdleOfLimitShift;
  }
}

Description describe_board(const NvmlLibrary& library, const Board& board, bool has_counter, bool usable) {
  Description d;
  d.id = "nvml:" + (board.uuid.empty() ? board.name : board.uuid);
  d.component = Component::gpu;
  d.device = board.name + (board.uuid.empty() ? "" : " (" + board.uuid.substr(0, 12) + ")");
  d.boundary = Boundary::chip;
  d.source = has_counter ? "NVML energy counter" : "NVML power readings, integrated";
  d.resolution = std::chrono::milliseconds(100);
  d.terms["gpu-gain:" + d.id] = Shift::symmetric(kGain);
  if (!has_counter) d.terms["gpu-power-sampling"] = Shift::symmetric(kIntegratedPower);
  d.usable_by_job = usable;
  const bool busy = is_busy(library, board.device);
  if (busy && usable) {
    d.terms["gpu-other-programs"] = {-0.9, 0};
    d.note =
        d.device + " is in use by other programs: all its activity is charged to this run, so the figure is an upper bound";
  }
  describe_idle(library, board, busy, d);
  return d;
}

void add_board(const std::shared_ptr<NvmlLibrary>& library, const Board& board, bool usable, const Clock& clock,
               Findings& found) {
  const auto blocked = [&](const std::string& why, const std::string& remedy) {
    found.blocked.push_back({kFamily, board.name + ": " + why, remedy});
  };
  unsigned long long mj = 0;
  unsigned mw = 0;
  const NvmlReturn counter = library->total_energy != nullptr ? library->total_energy(board.device, &mj) : kNvmlNotSupported;
  const NvmlReturn power = library->power_usage != nullptr ? library->power_usage(board.device, &mw) : kNvmlNotSupported;
  if (counter != kNvmlSuccess && power != kNvmlSuccess) {
    return blocked(
        "no energy counter (" + library->describe(counter) + ") and no power reading (" + library->describe(power) + ")",
        counter == kNvmlGpuIsLost ? "reset the GPU or reboot" : "");
  }
  const bool has_counter = counter == kNvmlSuccess;
  auto sensor =
      std::make_unique<NvmlSensor>(describe_board(*library, board, has_counter, usable), library, board.device, has_counter);
  if (const auto first = sensor->read(clock); !first) return blocked(first.error().message(), "");
  found.sensors.push_back(std::move(sensor));
}

bool driver_present() {
  std::error_code ec;
  for (const char* path : {"/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"}) {
    if (std::filesystem::exists(path, ec)) return true;
  }
  return false;
}

}  // namespace

NvmlOptions NvmlOptions::from_environment() {
  NvmlOptions options;
  options.library = environment("GRAMWATT_NVML");
  // Set but empty means "no GPU" to CUDA, so that unset and empty must stay apart.
  if (const char* v = std::getenv("CUDA_VISIBLE_DEVICES"); v != nullptr) options.visible_devices = v;
  return options;
}

std::vector<bool> visible_to_cuda(const std::vector<GpuName>& gpus, const std::optional<std::string>& visible_devices) {
  if (!visible_devices) return std::vector<bool>(gpus.size(), true);
  std::vector<bool> visible(gpus.size(), false);
  for (const std::string_view field : split(*visible_devices, ',')) {
    std::string_view entry = trim(field);
    std::optional<std::size_t> index;
    if (const auto number = parse_number<std::size_t>(entry)) {
      index = number;
    } else if (entry.starts_with("MIG-GPU-") || entry.starts_with("GPU-")) {
      if (entry.starts_with("MIG-")) entry = entry.substr(4, entry.find('/') - 4);
      for (std::size_t i = 0; i < gpus.size() && !index; ++i) {
        if (gpus[i].uuid.starts_with(entry)) index = i;
      }
    }
    if (!index || *index >= gpus.size()) break;
    visible[*index] = true;
  }
  return visible;
}

Findings probe_nvml(const NvmlOptions& options, const Clock& clock) {
  Findings found;
  if (!options.library && !driver_present()) return found;
  auto library = NvmlLibrary::open(options.library.value_or(""));
  if (!library) {
    found.blocked.push_back({kFamily, library.error().where + ": " + library.error().what, library.error().remedy});
    return found;
  }
  unsigned count = 0;
  if (const NvmlReturn code = (*library)->device_count(&count); code != kNvmlSuccess) {
    found.blocked.push_back({kFamily, "cannot count GPUs: " + (*library)->describe(code), "check `nvidia-smi`"});
    return found;
  }
  std::vector<Board> boards;
  std::vector<GpuName> names;
  for (unsigned i = 0; i < count; ++i) {
    Board board;
    const NvmlReturn code = (*library)->device_by_index(i, &board.device);
    if (code != kNvmlSuccess) {
      found.blocked.push_back({kFamily, "GPU " + std::to_string(i) + ": " + (*library)->describe(code), "check `nvidia-smi`"});
      names.emplace_back();
      boards.push_back({});
      continue;
    }
    if (auto name = text_of((*library)->device_name, board.device); !name.empty()) board.name = std::move(name);
    board.uuid = text_of((*library)->device_uuid, board.device);
    names.push_back({board.uuid});
    boards.push_back(std::move(board));
  }
  const auto visible = visible_to_cuda(names, options.visible_devices);
  for (std::size_t i = 0; i < boards.size(); ++i) {
    if (boards[i].device != nullptr) add_board(*library, boards[i], visible[i], clock, found);
  }
  return found;
}

}  // namespace gramwatt::sense
