// AMD SMI (libamd_smi.so) and, where that is missing, ROCm SMI (librocm_smi64.so).
//
// Both read the kernel's gpu_metrics, which is read here without them; they are of use only where that table has a version that
// is newer than gramwatt. The structs of AMD SMI change from one major version to the next, and wrong ones end in a crash, so
// only calls are used whose arguments are plain numbers and have not changed from 24 to 26: handles, the PCI address, and
// amdsmi_get_energy_count(handle, uint64*, float*, uint64*). The version is asked first, into more room than any version
// needs: 24 and 25 begin with the year, 26 with the major number. What is older than 24.7 (ROCm 6.3) is not used: zeusd
// (github.com/ml-energy/zeus) found it to lack calls and to crash. amdsmi.h of ROCm 6.3 to 7.1; rocm_smi.h.
//
// The library states 15.3 µJ a count; the firmware's unit is 2^-16 J (gpu_metrics.hpp), and 15.3 is its rounding.
// The witness of the counter (checked_counter.hpp) is hwmon's power.

#include "sense/amd_library.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"
#include "sense/checked_counter.hpp"
#include "sense/driver_gpu.hpp"
#include "sense/gpu_device.hpp"
#include "sense/gpu_metrics.hpp"
#include "sense/raw.hpp"
#include "sense/vendor_library.hpp"

namespace gramwatt::sense {
namespace {

using Status = std::uint32_t;
constexpr Status kSuccess = 0;
constexpr std::uint64_t kAmdGpus = 2;  // AMDSMI_INIT_AMD_GPUS

constexpr Watts kLargestGpuPower{3000};
constexpr double kGain = 0.05;

std::string describe(Status status) {
  switch (status) {
    case 1: return "invalid arguments";
    case 2: return "not supported";
    case 10: return "no permission";
    default: return fmt::format("error {}", status);
  }
}

struct Energy {
  std::uint64_t counts = 0;
  float microjoules_per_count = 0;
};

/// A GPU as a library shows it.
struct LibraryGpu {
  std::string address;
  std::function<Result<Energy>()> energy;
};

/// Ends the library's own state when the last sensor has gone.
class Session {
 public:
  Session(std::shared_ptr<VendorLibrary> library, Status (*shut_down)())
      : library_(std::move(library)), shut_down_(shut_down) {}
  ~Session() {
    if (shut_down_ != nullptr) (void)shut_down_();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  std::shared_ptr<VendorLibrary> library_;
  Status (*shut_down_)();
};

template <class Handle>
std::function<Result<Energy>()> energy_call(std::shared_ptr<Session> session,
                                            Status (*call)(Handle, std::uint64_t*, float*, std::uint64_t*), Handle handle) {
  return [session = std::move(session), call, handle]() -> Result<Energy> {
    Energy e;
    std::uint64_t timestamp = 0;
    if (const Status status = call(handle, &e.counts, &e.microjoules_per_count, &timestamp); status != kSuccess)
      return fail(describe(status));
    return e;
  };
}

Result<void> check_version(Status (*get_version)(std::uint32_t*), const std::string& where) {
  std::array<std::uint32_t, 64> version{};
  if (get_version(version.data()) != kSuccess) return fail("does not tell its version", where);
  const bool is_24 = version[0] == 24 && version[1] >= 7;
  if (is_24 || version[0] == 25 || version[0] == 26) return {};
  return fail(fmt::format("version {}.{} is not one of 24.7 to 26", version[0], version[1]), where, "install ROCm 6.3 to 7.1",
              Error::Kind::unavailable);
}

Result<std::vector<LibraryGpu>> open_amdsmi(const std::vector<std::string>& names) {
  auto library = VendorLibrary::open(names);
  if (!library) return tl::unexpected(library.error());
  const VendorLibrary& l = **library;
  Status (*get_version)(std::uint32_t*) = nullptr;
  Status (*init)(std::uint64_t) = nullptr;
  Status (*shut_down)() = nullptr;
  Status (*sockets)(std::uint32_t*, void**) = nullptr;
  Status (*processors)(void*, std::uint32_t*, void**) = nullptr;
  Status (*bdf)(void*, std::uint64_t*) = nullptr;
  Status (*energy)(void*, std::uint64_t*, float*, std::uint64_t*) = nullptr;
  const bool complete = l.find("amdsmi_get_lib_version", get_version) && l.find("amdsmi_init", init) &&
                        l.find("amdsmi_shut_down", shut_down) && l.find("amdsmi_get_socket_handles", sockets) &&
                        l.find("amdsmi_get_processor_handles", processors) && l.find("amdsmi_get_gpu_device_bdf", bdf) &&
                        l.find("amdsmi_get_energy_count", energy);
  if (!complete) return fail("lacks functions of AMD SMI", l.name(), {}, Error::Kind::unavailable);
  if (auto version = check_version(get_version, l.name()); !version) return tl::unexpected(version.error());
  if (const Status status = init(kAmdGpus); status != kSuccess) return fail("does not start: " + describe(status), l.name());
  const auto session = std::make_shared<Session>(*library, shut_down);
  std::vector<LibraryGpu> gpus;
  std::array<void*, 64> socket{};
  std::uint32_t count = socket.size();
  if (sockets(&count, socket.data()) != kSuccess) return gpus;
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, socket.size()); ++i) {
    std::array<void*, 64> handle{};
    std::uint32_t n = handle.size();
    if (processors(socket[i], &n, handle.data()) != kSuccess) continue;
    for (std::uint32_t k = 0; k < std::min<std::uint32_t>(n, handle.size()); ++k) {
      std::uint64_t id = 0;  // function in 3 bits, device in 5, bus in 8, domain in 48
      if (bdf(handle[k], &id) == kSuccess)
        gpus.push_back({pci_address(id >> 16U, id), energy_call(session, energy, handle[k])});
    }
  }
  return gpus;
}

Result<std::vector<LibraryGpu>> open_rocm_smi(const std::vector<std::string>& names) {
  auto library = VendorLibrary::open(names);
  if (!library) return tl::unexpected(library.error());
  const VendorLibrary& l = **library;
  Status (*init)(std::uint64_t) = nullptr;
  Status (*shut_down)() = nullptr;
  Status (*number)(std::uint32_t*) = nullptr;
  Status (*bdf)(std::uint32_t, std::uint64_t*) = nullptr;
  Status (*energy)(std::uint32_t, std::uint64_t*, float*, std::uint64_t*) = nullptr;
  const bool complete = l.find("rsmi_init", init) && l.find("rsmi_shut_down", shut_down) &&
                        l.find("rsmi_num_monitor_devices", number) && l.find("rsmi_dev_pci_id_get", bdf) &&
                        l.find("rsmi_dev_energy_count_get", energy);
  if (!complete) return fail("lacks functions of ROCm SMI", l.name(), {}, Error::Kind::unavailable);
  if (const Status status = init(0); status != kSuccess) return fail("does not start: " + describe(status), l.name());
  const auto session = std::make_shared<Session>(*library, shut_down);
  std::vector<LibraryGpu> gpus;
  std::uint32_t count = 0;
  if (number(&count) != kSuccess) return gpus;
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, 64); ++i) {
    std::uint64_t id = 0;  // domain in the high 32 bits, a partition in bits 28 to 31
    if (bdf(i, &id) == kSuccess) gpus.push_back({pci_address(id >> 32U, id), energy_call(session, energy, i)});
  }
  return gpus;
}

/// {energy, milliwatts of hwmon}
class LibraryInput final : public RawInput {
 public:
  LibraryInput(std::function<Result<Energy>()> energy, std::filesystem::path power) : energy_(std::move(energy)) {
    if (auto fd = open_read(power)) power_ = std::move(*fd);
    path_ = std::move(power);
  }
  [[nodiscard]] Result<std::span<const RawSample>> samples(const Clock& clock) override {
    const auto energy = energy_();
    if (!energy) return tl::unexpected(energy.error());
    const Instant at = clock.now();
    std::uint64_t milliwatts = RawSample::kAbsent;
    if (power_) {
      if (const auto microwatts = pread_number(power_, path_)) milliwatts = *microwatts / 1000;
    }
    sample_ = RawSample::of(at, {energy->counts, milliwatts});
    return std::span<const RawSample>(&sample_, 1);
  }

 private:
  std::function<Result<Energy>()> energy_;
  std::filesystem::path path_;
  Fd power_;
  RawSample sample_;
};

/// A table that is there and has a version that this gramwatt does not know.
bool has_unknown_table(const GpuDevice& gpu) {
  const auto bytes = read_file(gpu.device / "gpu_metrics", kMostGpuMetrics);
  return bytes && !bytes->empty() && !parse_gpu_metrics(*bytes);
}

double unit_of(float stated) {
  constexpr double kSame = 0.01;
  return std::abs(stated / kGpuMetricsEnergyUnit - 1) < kSame ? kGpuMetricsEnergyUnit : stated;
}

std::vector<GpuDevice> wanting(const AmdLibraryOptions& options, const std::vector<GpuDevice>& gpus, const Findings& found) {
  std::vector<GpuDevice> wanted;
  for (const GpuDevice& gpu : gpus) {
    if (!gpu.is_amd()) continue;
    const bool counted = std::any_of(found.sensors.begin(), found.sensors.end(), [&](const auto& s) {
      return s->describe().device.find(gpu.address) != std::string::npos && s->decoder() != nullptr &&
             s->decoder()->kind == "checked-counter";
    });
    if (!counted && (options.amdsmi || options.rocm_smi || (options.has_kfd && has_unknown_table(gpu)))) wanted.push_back(gpu);
  }
  return wanted;
}

Result<std::vector<LibraryGpu>> open_either(const AmdLibraryOptions& options) {
  const Hush hush;  // both print what nobody asked for
  std::vector<std::string> amdsmi;
  if (options.amdsmi) amdsmi = {*options.amdsmi};
  else
    for (const char* version : {"26", "25", "24"}) {
      amdsmi.push_back(std::string("libamd_smi.so.") + version);
      amdsmi.push_back(std::string("/opt/rocm/lib/libamd_smi.so.") + version);
    }
  auto gpus = options.amdsmi || !options.rocm_smi ? open_amdsmi(amdsmi) : fail("not asked for");
  if (gpus || (options.amdsmi && !options.rocm_smi)) return gpus;
  auto second =
      open_rocm_smi(options.rocm_smi ? std::vector<std::string>{*options.rocm_smi}
                                     : std::vector<std::string>{"librocm_smi64.so.1", "/opt/rocm/lib/librocm_smi64.so"});
  return second || options.rocm_smi ? second : gpus;
}

}  // namespace

AmdLibraryOptions AmdLibraryOptions::from_environment() {
  AmdLibraryOptions options;
  options.amdsmi = environment("GRAMWATT_AMDSMI");
  options.rocm_smi = environment("GRAMWATT_ROCMSMI");
  std::error_code ec;
  options.has_kfd = std::filesystem::exists("/dev/kfd", ec);
  return options;
}

void add_amd_library(const AmdLibraryOptions& options, const Roots& roots, const Clock& clock, const GpuVariables& variables,
                     Findings& found) {
  if (!options.amdsmi && !options.rocm_smi && !options.has_kfd) return;
  const std::vector<GpuDevice> all = find_gpu_devices(roots);
  const std::vector<GpuDevice> wanted = wanting(options, all, found);
  if (wanted.empty()) return;
  constexpr const char* kFamily = "AMD SMI";
  auto gpus = open_either(options);
  if (!gpus) return found.blocked.push_back({kFamily, gpus.error().where + ": " + gpus.error().what, gpus.error().remedy});
  const std::vector<bool> visible = visible_gpus(all, variables);
  const auto clients = std::make_shared<GpuClients>(roots);
  for (LibraryGpu& gpu : *gpus) {
    const auto device = std::find_if(wanted.begin(), wanted.end(), [&](const auto& d) { return d.address == gpu.address; });
    if (device == wanted.end()) continue;
    const auto first = gpu.energy();
    if (!first || first->counts == 0 || first->counts == 0xFFFF'FFFFU) {
      if (!first) found.blocked.push_back({kFamily, gpu.address + ": " + first.error().what, {}});
      continue;
    }
    Description d;
    // What was found without the library is replaced: one GPU, one sensor.
    std::erase_if(found.sensors, [&](const auto& s) {
      if (!s->describe().id.ends_with(":" + gpu.address)) return false;
      d = s->describe();
      return true;
    });
    d.id = "amdsmi:" + gpu.address;
    d.component = Component::gpu;
    d.device = "AMD GPU " + gpu.address;
    d.source = "energy counter of AMD SMI";
    d.terms = {{"gpu-gain:" + d.id, Shift::symmetric(kGain)}};
    d.resolution = std::chrono::milliseconds(100);
    d.note.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].address == gpu.address) d.usable_by_job = visible[i];
    }
    const std::uint64_t range = first->counts <= 0xFFFF'FFFFU ? 0xFFFF'FFFFU : 0;
    auto input = std::make_unique<LibraryInput>(std::move(gpu.energy), device->hwmon / "power1_average");
    std::unique_ptr<Sensor> sensor = std::make_unique<RawSensor>(
        std::move(d), std::move(input), checked_counter_spec(unit_of(first->microjoules_per_count), range, kLargestGpuPower));
    (void)sensor->read(clock);
    found.sensors.push_back(with_clients(std::move(sensor), clients, {*device}));
  }
}

}  // namespace gramwatt::sense
