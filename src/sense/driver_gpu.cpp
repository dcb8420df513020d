// GPUs through their kernel drivers.
//
// Intel, i915 since Linux 6.2 and xe: hwmon's energyN_input, microjoules in 64 bits that the driver widens from a 32-bit
// register each time it is read (at 1 kW that register goes round in 4 minutes: xe_hwmon.c). energy1 is the card (what the
// board draws) where there is one, energy2 the package, a part of it: only one of them is taken. i915 gives cards of several
// tiles an hwmon for each ("i915_gtN") beside the device's; tiles are taken only where the device has no counter.
// Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon.
//
// AMD, amdgpu: the energy accumulator of gpu_metrics (gpu_metrics.hpp), held against the power that stands beside it
// (checked_counter.hpp). Where there is none, hwmon's power1_average, on newer parts power1_input: microwatts, a moving average
// of the firmware whose window is not documented, integrated over the time between reads. Documentation/gpu/amdgpu/thermal.rst.
//
// Where a board shows neither (a guest's virtual function), power is modelled from gpu_busy_percent.
//
//   APU      Its power contains the CPU, which RAPL counts already. It has no power cap (amdgpu_pm.c), except Vangogh, which
//   its
//            metrics tell (v2.x), and MI300A: that one is taken, marked as holding the CPU, because it may be the only reading.
//   MI250    One module, two dies, each a PCI device; the first tells energy and power of both, the second zeros
//            (aldebaran_ppt.c). Dies of a module are neighbours in the order of PCI addresses.

#include "sense/driver_gpu.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/checked_counter.hpp"
#include "sense/gpu_metrics.hpp"
#include "sense/raw.hpp"
#include "sense/utilisation.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

/// No board draws more; the largest of 2025 takes 1.4 kW.
constexpr Watts kLargestGpuPower{3000};
/// For moments a board draws more than its cap; what is above twice the cap is no energy.
constexpr double kOverCap = 2;

/// Intel and AMD state no accuracy; boards of NVIDIA are within 5 % (Yang et al., SC'24).
constexpr double kCounterGain = 0.05;
/// A moving average of unknown window, besides the gain of a board's sensor.
constexpr double kAmdPowerGain = 0.10;

// Idle share of the power limit where it cannot be read: an MI300X idles at 140 of 750 W, an MI250X at 90 of 560, consumer
// boards of AMD at 10 to 30 of 300, Arc A770 at 40 of 225. Judged from data sheets and reviews, hence the wide range.
constexpr double kIdleOfLimit = 0.12;
constexpr Shift kIdleOfLimitShift = Shift::range(0.12, 0.04, 0.25);
/// One reading; leakage rises as the board warms up.
constexpr Shift kIdleReadingShift{-0.15, 0.30};

/// What an MI300A reads beside its GPU: 24 cores of a socket of 550 W or more.
constexpr Shift kApuHoldsCpu{-0.3, 0};

/// The metrics table: {energy, milliwatts}.
class MetricsFile final : public RawInput {
 public:
  MetricsFile(fs::path path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  [[nodiscard]] Result<GpuMetrics> look() {
    const auto bytes = pread_text(fd_.get(), buffer_.data(), buffer_.size());
    if (!bytes) return tl::unexpected(located(bytes.error()));
    auto metrics = parse_gpu_metrics(*bytes);
    if (!metrics) return tl::unexpected(located(metrics.error()));
    return metrics;
  }
  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    const auto metrics = look();
    if (!metrics) return tl::unexpected(metrics.error());
    const std::uint64_t power =
        metrics->power ? static_cast<std::uint64_t>(std::llround(metrics->power->value() * 1000)) : RawSample::kAbsent;
    sample_ = RawSample::of(clock.now(), {metrics->energy.value_or(RawSample::kAbsent), power});
    return std::span<const RawSample>(&sample_, 1);
  }

 private:
  [[nodiscard]] Error located(Error e) const {
    e.where = path_.string();
    return e;
  }
  fs::path path_;
  Fd fd_;
  std::array<char, 8192> buffer_{};  // sysfs gives a page at most
  RawSample sample_;
};

class SharedGpu final : public Sensor {
 public:
  SharedGpu(std::unique_ptr<Sensor> sensor, std::shared_ptr<GpuClients> clients, std::vector<GpuDevice> gpus)
      : sensor_(std::move(sensor)), clients_(std::move(clients)), gpus_(std::move(gpus)) {}

  [[nodiscard]] const Description& describe() const override { return sensor_->describe(); }
  [[nodiscard]] Result<Reading> read(const Clock& clock) override { return sensor_->read(clock); }
  [[nodiscard]] Result<Reading> read_now(const Clock& clock) override { return sensor_->read_now(clock); }
  [[nodiscard]] const DecoderSpec* decoder() const override { return sensor_->decoder(); }
  void record_to(RawTap* tap) override { sensor_->record_to(tap); }
  [[nodiscard]] Settled settled() const override { return sensor_->settled(); }
  [[nodiscard]] std::optional<Ratio> activity_share(const std::function<bool(pid_t)>& is_job) override {
    double sum = 0;
    int told = 0;
    for (const GpuDevice& gpu : gpus_) {
      if (const auto share = clients_->share(gpu, is_job)) {
        sum += share->value();
        ++told;
      }
    }
    return told > 0 ? std::optional(Ratio(sum / told)) : std::nullopt;
  }

 private:
  std::unique_ptr<Sensor> sensor_;
  std::shared_ptr<GpuClients> clients_;
  std::vector<GpuDevice> gpus_;
};

std::optional<Watts> microwatts(const fs::path& file) {
  const auto value = parse_number<std::uint64_t>(read_line_or_empty(file));
  return value && *value > 0 ? std::optional(Watts(static_cast<double>(*value) * 1e-6)) : std::nullopt;
}

/// One GPU while it is looked at.
class Probe {
 public:
  Probe(const Clock& clock, std::shared_ptr<GpuClients> clients, Findings& found)
      : clock_(clock), clients_(std::move(clients)), found_(found) {}

  void intel(const GpuDevice& gpu, bool visible) {
    if (counter(gpu, gpu.hwmon, visible, "")) return;
    for (const fs::path& tile : gpu.tiles) (void)counter(gpu, tile, visible, read_line_or_empty(tile / "name").substr(4));
  }

  /// `second_die`: another GPU that this one speaks for, where there is one.
  void amd(const GpuDevice& gpu, bool visible, const GpuDevice* second_die) {
    std::error_code ec;
    auto metrics = open_metrics(gpu);
    const auto seen = metrics ? metrics->look() : Result<GpuMetrics>(fail("none"));
    if (seen && seen->is_apu) return;
    if (!gpu.hwmon.empty() && !fs::exists(gpu.hwmon / "power1_cap", ec) && !gpu.shares_socket_with_cpu) return;
    Description d = describe(gpu, visible);
    describe_idle(gpu, seen ? seen->power : std::nullopt, d);
    std::vector<GpuDevice> gpus{gpu};
    if (second_die != nullptr) {
      gpus.push_back(*second_die);
      d.device += " and " + second_die->address;
    }
    if (seen && seen->energy) {
      d.source = "energy counter of the amdgpu driver";
      d.terms["gpu-gain:" + d.id] = Shift::symmetric(kCounterGain);
      d.resolution = std::chrono::milliseconds(100);
      const bool narrow = seen->content < 4 && *seen->energy <= 0xFFFF'FFFFU;
      return add(std::move(d), std::move(metrics),
                 checked_counter_spec(kGpuMetricsEnergyUnit, narrow ? 0xFFFF'FFFFU : 0, limit(gpu)), std::move(gpus));
    }
    fs::path file = gpu.hwmon / "power1_average";
    if (!fs::exists(file, ec)) file = gpu.hwmon / "power1_input";
    if (gpu.hwmon.empty() || !fs::exists(file, ec)) return utilisation(gpu, std::move(d), std::move(gpus));
    auto fd = open_read(file);
    if (!fd) return blocked(gpu, fd.error());
    d.source = "power reading of the amdgpu driver";
    d.terms["amdgpu-power"] = Shift::symmetric(kAmdPowerGain);
    d.resolution = std::chrono::milliseconds(1000);
    say(d, d.device + ": shows a moving average of power; load that changes within a second is seen blurred");
    add(std::move(d), number_file(file, std::move(*fd)), power_spec(1e-6, limit(gpu)), std::move(gpus));
  }

  /// Is this the second die of a module, for which the first one speaks?
  static bool is_second_die(const GpuDevice& gpu) {
    auto metrics = open_metrics(gpu);
    const auto seen = metrics ? metrics->look() : Result<GpuMetrics>(fail("none"));
    return seen && seen->energy == 0U && seen->power == Watts(0);
  }

 private:
  static std::unique_ptr<MetricsFile> open_metrics(const GpuDevice& gpu) {
    if (gpu.device.empty()) return nullptr;
    auto fd = open_read(gpu.device / "gpu_metrics");
    return fd ? std::make_unique<MetricsFile>(gpu.device / "gpu_metrics", std::move(*fd)) : nullptr;
  }

  static Watts limit(const GpuDevice& gpu) {
    for (const char* file : {"power1_cap_max", "power1_cap", "power1_rated_max", "power1_max"}) {
      if (const auto cap = microwatts(gpu.hwmon / file)) return std::min(kLargestGpuPower, *cap * kOverCap);
    }
    return kLargestGpuPower;
  }

  static void say(Description& d, const std::string& words) { d.note += (d.note.empty() ? "" : "; ") + words; }

  [[nodiscard]] Description describe(const GpuDevice& gpu, bool visible) const {
    Description d;
    d.id = gpu.driver + ":" + gpu.address;
    d.component = Component::gpu;
    d.device = (gpu.is_amd() ? "AMD GPU " : "Intel GPU ") + (gpu.name.empty() ? "" : gpu.name + " ") + gpu.address;
    d.usable_by_job = visible;
    d.holds_cpu = gpu.shares_socket_with_cpu;
    if (d.holds_cpu) {
      d.terms["apu-holds-cpu"] = kApuHoldsCpu;
      say(d, d.device + ": its energy contains the CPU cores of the same socket");
    }
    return d;
  }

  /// Power now, if nobody computes; else a share of the limit.
  void describe_idle(const GpuDevice& gpu, std::optional<Watts> power, Description& d) const {
    const auto busy = parse_number<int>(read_line_or_empty(gpu.device / "gpu_busy_percent"));
    const std::size_t users = gpu.kfd_gpu != 0 ? clients_->kfd_users(gpu) : 0;
    if (!power) power = microwatts(gpu.hwmon / "power1_average");
    if (!power) power = microwatts(gpu.hwmon / "power1_input");
    const bool in_use = users > 0 || (busy && *busy > 0);
    if (!in_use && busy && power && power->value() > 0) {
      d.idle_power = *power;
      d.idle_terms["gpu-idle-reading"] = kIdleReadingShift;
    } else {
      share_of_limit(gpu, d);
    }
    if (in_use && d.usable_by_job && users == 0 && !clients_->sees_everybody()) {
      d.terms["gpu-other-programs"] = {-0.9, 0};
      say(d, d.device +
                 " is in use by other programs, which cannot be seen from here if they are other users': "
                 "the figure is an upper bound");
    }
  }

  static void share_of_limit(const GpuDevice& gpu, Description& d) {
    for (const char* file : {"power1_cap", "power1_rated_max", "power1_max"}) {
      const auto cap = microwatts(gpu.hwmon / file);
      if (!cap) continue;
      d.idle_power = *cap * kIdleOfLimit;
      d.idle_terms["gpu-idle-share"] = kIdleOfLimitShift;
      return;
    }
  }

  /// Neither energy nor power, as in a guest: how busy it is, times what such a board may draw.
  void utilisation(const GpuDevice& gpu, Description d, std::vector<GpuDevice> gpus) {
    const fs::path path = gpu.device / "gpu_busy_percent";
    // Only what KFD calls a board: the graphics of a processor are counted with it.
    if (gpu.device.empty() || gpu.kfd_node < 0 || gpu.shares_socket_with_cpu) return;
    auto fd = open_read(path);
    if (!fd) return;
    const auto cap = microwatts(gpu.hwmon / "power1_cap");
    d.resolution = std::chrono::milliseconds(1000);
    const DecoderSpec spec = by_utilisation(gpu_model_or_any(read_line_or_empty(gpu.device / "product_name"), cap), d);
    add(std::move(d), number_file(path, std::move(*fd)), spec, std::move(gpus));
  }

  /// An energy counter of hwmon. False: there is none that could be tried.
  bool counter(const GpuDevice& gpu, const fs::path& hwmon, bool visible, const std::string& tile) {
    if (hwmon.empty()) return false;
    std::error_code ec;
    for (const char* name : {"energy1_input", "energy2_input"}) {
      const fs::path path = hwmon / name;
      if (!fs::exists(path, ec)) continue;
      auto fd = open_read(path);
      if (!fd) {
        blocked(gpu, fd.error());
        return true;
      }
      Description d = describe(gpu, visible);
      if (!tile.empty()) {
        d.id += ":" + tile;
        d.device += " " + tile;
      }
      d.source = "energy counter of the " + gpu.driver + " driver";
      d.terms["intel-gpu-gain"] = Shift::symmetric(kCounterGain);
      d.resolution = std::chrono::milliseconds(100);
      share_of_limit(gpu, d);
      if (!clients_->sees_everybody())
        say(d, d.device + ": programs of other users on it cannot be seen from here; what they do counts as this run's");
      add(std::move(d), number_file(path, std::move(*fd)), counter_spec(1, 0, kLargestGpuPower), {gpu});
      return true;
    }
    return false;
  }

  void add(Description d, std::unique_ptr<RawInput> input, DecoderSpec spec, std::vector<GpuDevice> gpus) {
    const std::string family = "GPU (" + gpus.front().driver + ")";
    std::unique_ptr<Sensor> sensor = std::make_unique<RawSensor>(std::move(d), std::move(input), std::move(spec));
    // Firmware that is asleep, or in a guest, answers with an error.
    if (const auto first = sensor->read(clock_); !first) return found_.blocked.push_back({family, first.error().message(), {}});
    found_.sensors.push_back(with_clients(std::move(sensor), clients_, std::move(gpus)));
  }

  void blocked(const GpuDevice& gpu, const Error& why) {
    found_.blocked.push_back({"GPU (" + gpu.driver + ")", why.message(), {}});
  }

  const Clock& clock_;
  std::shared_ptr<GpuClients> clients_;
  Findings& found_;
};

}  // namespace

std::unique_ptr<Sensor> with_clients(std::unique_ptr<Sensor> sensor, std::shared_ptr<GpuClients> clients,
                                     std::vector<GpuDevice> gpus) {
  return std::make_unique<SharedGpu>(std::move(sensor), std::move(clients), std::move(gpus));
}

std::vector<bool> visible_gpus(const std::vector<GpuDevice>& gpus, const GpuVariables& variables) {
  std::vector<std::size_t> amd, intel;
  bool tiled = false;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    (gpus[i].is_amd() ? amd : intel).push_back(i);
    std::error_code ec;
    tiled = tiled || gpus[i].tiles.size() > 1 || fs::exists(gpus[i].device / "tile1", ec);
  }
  // ROCm's order is that of KFD's nodes; GPUs that KFD does not know are no GPUs to ROCm.
  std::sort(amd.begin(), amd.end(), [&](std::size_t a, std::size_t b) {
    const auto node = [&](std::size_t i) { return static_cast<unsigned>(gpus[i].kfd_node); };
    return node(a) != node(b) ? node(a) < node(b) : a < b;
  });
  std::vector<std::string> ids;
  for (const std::size_t i : amd) ids.push_back(gpus[i].unique_id);
  const auto by_rocm = visible_to_rocm(ids, variables);
  const auto by_level_zero = visible_to_level_zero(intel.size(), tiled ? std::nullopt : variables.affinity);
  std::vector<bool> visible(gpus.size());
  for (std::size_t k = 0; k < amd.size(); ++k) visible[amd[k]] = by_rocm[k];
  for (std::size_t k = 0; k < intel.size(); ++k) visible[intel[k]] = by_level_zero[k];
  return visible;
}

Findings probe_driver_gpus(const Roots& roots, const Clock& clock, const GpuVariables& variables) {
  Findings found;
  const std::vector<GpuDevice> gpus = find_gpu_devices(roots);
  if (gpus.empty()) return found;
  const std::vector<bool> visible = visible_gpus(gpus, variables);
  Probe probe(clock, std::make_shared<GpuClients>(roots), found);
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    if (!gpus[i].is_amd()) {
      probe.intel(gpus[i], visible[i]);
      continue;
    }
    if (Probe::is_second_die(gpus[i])) continue;
    const bool two = i + 1 < gpus.size() && gpus[i + 1].is_amd() && Probe::is_second_die(gpus[i + 1]);
    probe.amd(gpus[i], visible[i] || (two && visible[i + 1]), two ? &gpus[i + 1] : nullptr);
  }
  return found;
}

}  // namespace gramwatt::sense
