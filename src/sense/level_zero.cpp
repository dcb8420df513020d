// Level Zero Sysman (libze_loader.so.1), declared by hand from its specification (oneapi-src.github.io/level-zero-spec, 1.9 and
// later; include/zes_api.h). Only power domains are asked for: enumerating RAS errors takes half a second a call (GEOPM).
//
// A card has several power domains that contain each other: card, package, and parts of them. One is taken: the card's
// (zesDeviceGetCardPowerDomain), else the one that says it is the card's, else the package's. Only where a device has nothing
// but domains of its tiles are those taken, which stand side by side.
//
// zesPowerGetEnergyCounter gives microjoules in 64 bits. It has been seen to fall to a few hundred joules for one reading while
// hwmon counted on (intel/compute-runtime issue 938): such a step is a gap, twice, and never energy; another reason to prefer
// hwmon. Loaders before 1.9 have no zesInit and need ZES_ENABLE_SYSMAN in the environment before the compute runtime starts;
// that runtime would then be started in this process, so they are not used.

#include "sense/level_zero.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "sense/driver_gpu.hpp"
#include "sense/gpu_device.hpp"
#include "sense/raw.hpp"
#include "sense/vendor_library.hpp"

namespace gramwatt::sense {
namespace {

using ZeResult = std::int32_t;
constexpr ZeResult kSuccess = 0;

// zes_structure_type_t
constexpr std::int32_t kPciProperties = 0x2;
constexpr std::int32_t kPowerProperties = 0xd;
constexpr std::int32_t kPowerExtProperties = 0x28;
// zes_power_domain_t
constexpr std::int32_t kCard = 1, kPackage = 2;

struct PciProperties {
  std::int32_t stype = kPciProperties;
  void* next = nullptr;
  std::uint32_t domain = 0, bus = 0, device = 0, function = 0;
  std::byte rest[48]{};  // speeds and flags; 24 bytes in 1.11, and room
};
struct PowerExtProperties {
  std::int32_t stype = kPowerExtProperties;
  void* next = nullptr;
  std::int32_t domain = 0;
  void* default_limit = nullptr;
};
struct PowerProperties {
  std::int32_t stype = kPowerProperties;
  void* next = nullptr;
  std::uint8_t on_subdevice = 0;
  std::uint32_t subdevice = 0;
  std::byte rest[32]{};  // controls and limits; 16 bytes in 1.11, and room
};
static_assert(offsetof(PciProperties, domain) == 16 && offsetof(PowerProperties, on_subdevice) == 16 &&
              offsetof(PowerProperties, subdevice) == 20 && offsetof(PowerProperties, rest) == 24 &&
              offsetof(PowerExtProperties, domain) == 16 && sizeof(PowerExtProperties) == 32);

struct EnergyCounter {
  std::uint64_t microjoules = 0, microseconds = 0;
};

constexpr Watts kLargestGpuPower{3000};
constexpr double kGain = 0.05;

std::string describe(ZeResult code) {
  switch (static_cast<std::uint32_t>(code)) {
    case 0x70000001: return "the device is lost";
    case 0x70010000: return "no permission";
    case 0x70020000: return "the GPU's user-space driver is missing";
    case 0x78000001: return "not initialised";
    case 0x78000003: return "not supported";
    default: return fmt::format("error 0x{:x}", static_cast<std::uint32_t>(code));
  }
}

/// Function pointers of the loader; it has no way to shut down.
struct LevelZero {
  std::shared_ptr<VendorLibrary> library;
  ZeResult (*init)(std::uint32_t) = nullptr;
  ZeResult (*drivers)(std::uint32_t*, void**) = nullptr;
  ZeResult (*devices)(void*, std::uint32_t*, void**) = nullptr;
  ZeResult (*pci)(void*, PciProperties*) = nullptr;
  ZeResult (*card_domain)(void*, void**) = nullptr;  ///< may be null
  ZeResult (*domains)(void*, std::uint32_t*, void**) = nullptr;
  ZeResult (*properties)(void*, PowerProperties*) = nullptr;
  ZeResult (*energy)(void*, EnergyCounter*) = nullptr;

  static Result<std::shared_ptr<LevelZero>> open(const std::vector<std::string>& names);
};

Result<std::shared_ptr<LevelZero>> LevelZero::open(const std::vector<std::string>& names) {
  auto library = VendorLibrary::open(names);
  if (!library) return tl::unexpected(library.error());
  auto l = std::make_shared<LevelZero>();
  l->library = *library;
  const VendorLibrary& v = **library;
  (void)v.find("zesDeviceGetCardPowerDomain", l->card_domain);
  const bool complete = v.find("zesInit", l->init) && v.find("zesDriverGet", l->drivers) &&
                        v.find("zesDeviceGet", l->devices) && v.find("zesDevicePciGetProperties", l->pci) &&
                        v.find("zesDeviceEnumPowerDomains", l->domains) && v.find("zesPowerGetProperties", l->properties) &&
                        v.find("zesPowerGetEnergyCounter", l->energy);
  if (!complete)
    return fail("lacks functions of Level Zero 1.9", v.name(), "install a newer level-zero loader", Error::Kind::unavailable);
  if (const ZeResult code = l->init(0); code != kSuccess) return fail("does not start: " + describe(code), v.name());
  return l;
}

std::vector<void*> handles_of(const std::function<ZeResult(std::uint32_t*, void**)>& get) {
  std::uint32_t count = 0;
  if (get(&count, nullptr) != kSuccess) return {};
  count = std::min<std::uint32_t>(count, 256);
  std::vector<void*> handles(count);
  if (count == 0 || get(&count, handles.data()) != kSuccess) return {};
  handles.resize(std::min<std::size_t>(count, handles.size()));
  return handles;
}

struct Domain {
  void* handle = nullptr;
  std::string tile;  ///< "tile 1", where the device has no domain of its own
};

/// The domains of a device that together are the device, none counted twice.
std::vector<Domain> domains_of(const LevelZero& l, void* device) {
  void* card = nullptr;
  if (l.card_domain != nullptr && l.card_domain(device, &card) == kSuccess && card != nullptr) return {{card, ""}};
  std::vector<Domain> tiles;
  void* package = nullptr;
  void* unnamed = nullptr;
  for (void* handle : handles_of([&](auto* n, auto** out) { return l.domains(device, n, out); })) {
    PowerExtProperties ext;
    PowerProperties p;
    p.next = &ext;
    if (l.properties(handle, &p) != kSuccess) continue;
    if (p.on_subdevice != 0) {
      const std::string tile = fmt::format("tile {}", p.subdevice);
      // Parts of a tile (memory, compute) would be counted within it.
      if (ext.domain == kPackage || ext.domain == 0) tiles.push_back({handle, tile});
    } else if (ext.domain == kCard) {
      return {{handle, ""}};
    } else if (ext.domain == kPackage) {
      package = handle;
    } else if (ext.domain == 0 && unnamed == nullptr) {
      unnamed = handle;
    }
  }
  if (package != nullptr) return {{package, ""}};
  if (unnamed != nullptr) return {{unnamed, ""}};
  return tiles;
}

/// The graphics of a processor sit on bus 0; RAPL counts them with its package.
bool is_card(const GpuDevice& gpu) { return !gpu.is_amd() && gpu.address.find(":00:") == std::string::npos; }

bool has_sensor(const Findings& found, const std::string& address) {
  return std::any_of(found.sensors.begin(), found.sensors.end(), [&](const auto& s) {
    return s->describe().component == Component::gpu && s->describe().id.find(":" + address) != std::string::npos;
  });
}

class Adder {
 public:
  Adder(std::shared_ptr<LevelZero> library, const Roots& roots, const Clock& clock, const GpuVariables& variables,
        std::vector<GpuDevice> gpus, Findings& found)
      : library_(std::move(library)),
        clock_(clock),
        found_(found),
        gpus_(std::move(gpus)),
        visible_(visible_gpus(gpus_, variables)),
        clients_(std::make_shared<GpuClients>(roots)) {}

  void add(void* device) {
    PciProperties pci;
    if (library_->pci(device, &pci) != kSuccess) return;
    const std::string address = fmt::format("{:04x}:{:02x}:{:02x}.{:x}", pci.domain, pci.bus, pci.device, pci.function);
    if (pci.bus == 0 || has_sensor(found_, address)) return;
    for (const Domain& domain : domains_of(*library_, device)) add(address, domain);
  }

 private:
  void add(const std::string& address, const Domain& domain) {
    GpuDevice gpu;
    gpu.driver = "xe";
    gpu.address = address;
    Description d;
    for (std::size_t i = 0; i < gpus_.size(); ++i) {
      if (gpus_[i].address != address) continue;
      gpu = gpus_[i];
      d.usable_by_job = visible_[i];
    }
    d.id = "levelzero:" + address + (domain.tile.empty() ? "" : ":" + domain.tile);
    d.component = Component::gpu;
    d.device = "Intel GPU " + address + (domain.tile.empty() ? "" : " " + domain.tile);
    d.source = "energy counter of Level Zero Sysman";
    d.terms["intel-gpu-gain"] = Shift::symmetric(kGain);
    d.resolution = std::chrono::milliseconds(100);
    auto input = number_from([l = library_, handle = domain.handle]() -> Result<std::uint64_t> {
      EnergyCounter counter;
      if (const ZeResult code = l->energy(handle, &counter); code != kSuccess) return fail(describe(code));
      return counter.microjoules;
    });
    std::unique_ptr<Sensor> sensor =
        std::make_unique<RawSensor>(std::move(d), std::move(input), counter_spec(1, 0, kLargestGpuPower));
    if (const auto first = sensor->read(clock_); !first)
      return found_.blocked.push_back({"Level Zero", address + ": " + first.error().what, {}});
    found_.sensors.push_back(with_clients(std::move(sensor), clients_, {gpu}));
  }

  std::shared_ptr<LevelZero> library_;
  const Clock& clock_;
  Findings& found_;
  std::vector<GpuDevice> gpus_;
  std::vector<bool> visible_;
  std::shared_ptr<GpuClients> clients_;
};

}  // namespace

LevelZeroOptions LevelZeroOptions::from_environment() { return {environment("GRAMWATT_LEVELZERO")}; }

void add_level_zero(const LevelZeroOptions& options, const Roots& roots, const Clock& clock, const GpuVariables& variables,
                    Findings& found) {
  std::vector<GpuDevice> gpus = find_gpu_devices(roots);
  const bool wanted = std::any_of(gpus.begin(), gpus.end(),
                                  [&](const GpuDevice& gpu) { return is_card(gpu) && !has_sensor(found, gpu.address); });
  if (!options.library && !wanted) return;
  const Hush hush;
  auto library = LevelZero::open(options.library ? std::vector<std::string>{*options.library}
                                                 : std::vector<std::string>{"libze_loader.so.1", "libze_loader.so"});
  if (!library)
    return found.blocked.push_back({"Level Zero", library.error().where + ": " + library.error().what, library.error().remedy});
  const auto drivers = handles_of([&](auto* n, auto** out) { return (*library)->drivers(n, out); });
  Adder adder(*library, roots, clock, variables, std::move(gpus), found);
  for (void* driver : drivers) {
    for (void* device : handles_of([&](auto* n, auto** out) { return (*library)->devices(driver, n, out); })) adder.add(device);
  }
}

}  // namespace gramwatt::sense
