// NVIDIA GPUs.
//
// Volta and later count energy themselves; older boards and many virtual GPUs have only a power reading; some have neither, but
// tell their utilisation. What each reading means, when to look and how energy comes of it: nvidia_sensors.cpp,
// board_input.cpp, nvidia_decoder.cpp. Here boards are found, described, and told whose they are: which of them CUDA will show
// the program (nvml_visible.cpp), and whose work a shared one does (nvml_sharing.cpp). An answer of "not supported" or a lost
// GPU is an error with a name, never 0 W. Sources: NVML API reference; Yang et al., SC'24 (10.1109/SC41406.2024.00028) for gain
// (±5 %, proportional, by board).

#include "sense/nvml.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "base/system.hpp"
#include "base/text.hpp"
#include "sense/nvml_board.hpp"
#include "sense/nvml_sharing.hpp"
#include "sense/nvml_visible.hpp"
#include "sense/utilisation.hpp"

namespace gramwatt::sense {
namespace {

constexpr const char* kFamily = "NVML";
constexpr double kGain = 0.05;          // SC'24: ±5 % proportional, random by board
constexpr double kUnknownShape = 0.10;  // no counter, and nobody has published how this generation's power sensor sees
// Idle share of the power limit where it cannot be read because others use the board: 50 to 120 W of 700 on an H100, 10 to 20
// of 250 on consumer boards.
constexpr double kIdleOfLimit = 0.10;
constexpr Shift kIdleOfLimitShift = Shift::range(0.10, 0.04, 0.20);

/// A board as a sensor: the raw sensor, and whose work it did.
class NvmlSensor final : public Sensor {
 public:
  NvmlSensor(Description description, std::unique_ptr<RawInput> input, DecoderSpec spec, std::unique_ptr<GpuSharing> sharing,
             const Clock& clock)
      : sensor_(std::move(description), std::move(input), std::move(spec)), sharing_(std::move(sharing)), clock_(clock) {}
  [[nodiscard]] const Description& describe() const override { return sensor_.describe(); }
  [[nodiscard]] Result<Reading> read(const Clock& clock) override { return sensor_.read(clock); }
  [[nodiscard]] Result<Reading> read_now(const Clock& clock) override { return sensor_.read_now(clock); }
  [[nodiscard]] std::optional<Ratio> activity_share(const std::function<bool(pid_t)>& is_job) override {
    return sharing_->share(is_job, clock_);
  }
  [[nodiscard]] const DecoderSpec* decoder() const override { return sensor_.decoder(); }
  void record_to(RawTap* tap) override { sensor_.record_to(tap); }
  [[nodiscard]] Settled settled() const override {
    Settled all = sensor_.settled();
    Settled shared = sharing_->settled();
    all.terms.merge(shared.terms);
    for (std::string& note : shared.notes) all.notes.push_back(std::move(note));
    for (std::string& advice : shared.advice) all.advice.push_back(std::move(advice));
    return all;
  }

 private:
  RawSensor sensor_;
  std::unique_ptr<GpuSharing> sharing_;
  const Clock& clock_;
};

std::string text_of(NvmlReturn (*get)(NvmlDevice, char*, unsigned), NvmlDevice device) {
  char buffer[128] = "";
  if (get == nullptr || get(device, buffer, sizeof buffer) != kNvmlSuccess) return {};
  buffer[sizeof buffer - 1] = '\0';
  return buffer;
}

std::string pci_of(const NvmlLibrary& library, NvmlDevice device) {
  NvmlPciInfo info;
  if (library.pci_info == nullptr || library.pci_info(device, &info) != kNvmlSuccess) return {};
  return fmt::format("{:08X}:{:02X}:{:02X}.0", info.domain, info.bus, info.device);
}

NvmlBoard identify(const std::shared_ptr<NvmlLibrary>& library, NvmlDevice device) {
  NvmlBoard board(library, device);
  if (auto name = text_of(library->device_name, device); !name.empty()) board.name = std::move(name);
  board.uuid = text_of(library->device_uuid, device);
  board.pci = pci_of(*library, device);
  unsigned architecture = 0;
  if (library->architecture == nullptr || library->architecture(device, &architecture) != kNvmlSuccess) architecture = 0;
  board.generation = nvidia_generation(architecture, board.name);
  return board;
}

/// The instances of a partitioned board: handle and UUID.
struct MigInstance {
  std::string uuid;
  unsigned id = 0, slices = 1;
};

std::vector<MigInstance> mig_instances(const NvmlLibrary& library, NvmlDevice board) {
  std::vector<MigInstance> found;
  unsigned current = 0, pending = 0, most = 0;
  if (library.mig_mode == nullptr || library.mig_mode(board, &current, &pending) != kNvmlSuccess || current == 0) return found;
  if (library.mig_count == nullptr || library.mig_device == nullptr || library.mig_count(board, &most) != kNvmlSuccess)
    return found;
  for (unsigned i = 0; i < most; ++i) {
    NvmlDevice device = nullptr;
    if (library.mig_device(board, i, &device) != kNvmlSuccess) continue;
    MigInstance m;
    m.uuid = text_of(library.device_uuid, device);
    if (library.gpu_instance != nullptr) (void)library.gpu_instance(device, &m.id);
    NvmlAttributes a;
    if (library.attributes != nullptr && library.attributes(device, &a) == kNvmlSuccess && a.gpu_instance_slices > 0)
      m.slices = a.gpu_instance_slices;
    found.push_back(std::move(m));
  }
  return found;
}

/// Do other programs compute on this board now, before ours starts?
bool is_busy(const NvmlLibrary& library, NvmlDevice device) {
  if (library.compute_processes == nullptr) return false;
  unsigned count = 0;
  const NvmlReturn code = library.compute_processes(device, &count, nullptr);
  return code == kNvmlInsufficientSize || (code == kNvmlSuccess && count > 0);
}

void describe_idle(const NvmlBoard& board, bool busy, Description& d) {
  const auto now = busy ? std::nullopt : board.power_now();
  if (now) {
    d.idle_power = *now;
    d.idle_terms["gpu-idle-reading"] = {-0.15, 0.30};  // one reading, up to 1 s old; leakage rises as the board warms up
  } else if (const auto limit = board.power_limit()) {
    d.idle_power = *limit * kIdleOfLimit;
    d.idle_terms["gpu-idle-share"] = kIdleOfLimitShift;
  }
}

std::string join_notes(std::initializer_list<std::string_view> notes) {
  std::string all;
  for (const std::string_view n : notes) {
    if (n.empty()) continue;
    if (!all.empty()) all += "; ";
    all += n;
  }
  return all;
}

std::string shape_note(const NvmlBoard& board) {
  const PowerSensorShape& s = board.generation.instant;
  if (board.has_counter() || s.coverage() >= 1 || board.has_average()) return {};
  return fmt::format(
      "no energy counter, and the power sensor of this {} sees {:.3g} of every {:.3g} ms{}; a load with a period "
      "near {:.3g} ms may be misread: gramwatt run --repeat 32",
      board.generation.name, seconds(s.window).value() * 1e3, seconds(s.period).value() * 1e3,
      board.generation.was_measured ? "" : " (assumed: nobody has measured it)", seconds(s.period).value() * 1e3);
}

Description describe_board(const NvmlBoard& board, bool usable, const GpuSharing& sharing) {
  Description d;
  d.id = "nvml:" + (board.uuid.empty() ? board.name : board.uuid);
  d.component = Component::gpu;
  d.device = board.name + (board.uuid.empty() ? "" : " (" + board.uuid.substr(0, 12) + ")");
  d.boundary = Boundary::chip;
  d.source = board.has_counter() ? "NVML energy counter" : "NVML power readings, integrated";
  d.resolution = end_slack(board.has_counter(), board.counter_cost());
  d.terms["gpu-gain:" + d.id] = Shift::symmetric(kGain);
  if (!board.has_counter() && !board.generation.was_measured) d.terms["gpu-power-shape"] = Shift::symmetric(kUnknownShape);
  d.usable_by_job = usable;
  const bool busy = is_busy(*board.library(), board.device());
  std::string others;
  if (busy && usable) {
    if (sharing.can_tell()) {
      others = "in use by other programs too: active energy is shared by what NVML says of each";
    } else {
      d.terms["gpu-other-programs"] = {-0.9, 0};
      others =
          "in use by other programs whose process ids are the host's and cannot be matched here: all its activity is charged "
          "to this run, so the figure is an upper bound";
    }
  }
  std::string module;
  if (board.reads_module()) module = "its power readings cover the whole module (GPU, CPU and memory)";
  if (const std::string all = join_notes({others, board.generation.note, module, shape_note(board)}); !all.empty())
    d.note = d.device + ": " + all;
  describe_idle(board, busy, d);
  return d;
}

struct Candidate {
  std::optional<NvmlBoard> board;
  std::vector<MigInstance> mig;
};

std::unique_ptr<GpuSharing> sharing_of(const Candidate& c, const CudaView::Gpu& view, const std::filesystem::path& procfs) {
  std::optional<MigSlices> slices;
  if (!c.mig.empty()) {
    slices.emplace();
    if (contains(c.board->name, "A30")) slices->of = 4;  // NVIDIA MIG user guide: A30 has four compute slices, others seven
    for (std::size_t i = 0; i < c.mig.size(); ++i) {
      const bool ours = std::find(view.mig.begin(), view.mig.end(), i) != view.mig.end();
      slices->instances.push_back({c.mig[i].id, c.mig[i].slices, ours});
    }
  }
  return std::make_unique<GpuSharing>(c.board->library(), c.board->device(), procfs, std::move(slices));
}

/// A board without counter and power reading, of which utilisation and limit are known.
std::unique_ptr<Sensor> modelled_board(const NvmlBoard& board, bool usable, std::unique_ptr<GpuSharing> sharing,
                                       const Clock& clock) {
  const auto limit = board.power_limit();
  NvmlUtilisation use;
  const std::shared_ptr<NvmlLibrary>& library = board.library();
  NvmlDevice device = board.device();
  if (!limit || library->utilisation == nullptr || library->utilisation(device, &use) != kNvmlSuccess) return nullptr;
  Description d = describe_board(board, usable, *sharing);
  d.note.clear();  // what a power sensor would see is no matter here
  DecoderSpec spec = by_utilisation(gpu_model_or_any(board.name, limit), d);
  auto input = number_from([library = library, &board_device = *device]() -> Result<std::uint64_t> {
    NvmlUtilisation now;
    const NvmlReturn code = library->utilisation(&board_device, &now);
    if (code != kNvmlSuccess) return fail(library->describe(code));
    return now.gpu;
  });
  return std::make_unique<NvmlSensor>(std::move(d), std::move(input), std::move(spec), std::move(sharing), clock);
}

struct Probe {
  const NvmlOptions& options;
  const Clock& clock;
  std::shared_ptr<SidePoll> side;
  Findings found;

  void block(const std::string& why, const std::string& remedy) { found.blocked.push_back({kFamily, why, remedy}); }

  void add(Candidate& c, const CudaView::Gpu& view) {
    NvmlBoard& board = *c.board;
    const bool answers = board.look_what_answers(clock);
    auto sharing = sharing_of(c, view, options.procfs);
    if (!answers) {
      if (!board.is_lost()) {
        if (auto modelled = modelled_board(board, view.visible, std::move(sharing), clock))
          return found.sensors.push_back(std::move(modelled));
      }
      return block(board.name + ": " + board.why_not(), board.is_lost() ? "reset the GPU or reboot" : "");
    }
    Description d = describe_board(board, view.visible, *sharing);
    auto input = std::make_unique<BoardInput>(board.reader(), board.shapes(), side);
    found.sensors.push_back(
        std::make_unique<NvmlSensor>(std::move(d), std::move(input), nvidia_spec(board.shapes()), std::move(sharing), clock));
  }
};

bool driver_present() {
  std::error_code ec;
  for (const char* path : {"/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"}) {
    if (std::filesystem::exists(path, ec)) return true;
  }
  return false;
}

std::vector<GpuName> names_of(const std::vector<Candidate>& candidates) {
  std::vector<GpuName> names;
  for (const Candidate& c : candidates) {
    GpuName n;
    if (c.board) n = {c.board->uuid, c.board->pci, c.board->name, {}};
    for (const MigInstance& m : c.mig) n.mig.push_back(m.uuid);
    names.push_back(std::move(n));
  }
  return names;
}

}  // namespace

NvmlOptions NvmlOptions::from_environment() {
  NvmlOptions options;
  options.library = environment("GRAMWATT_NVML");
  // Set but empty means "no GPU" to CUDA, so that unset and empty must stay apart.
  if (const char* v = std::getenv("CUDA_VISIBLE_DEVICES"); v != nullptr) options.visible_devices = v;
  options.device_order = environment("CUDA_DEVICE_ORDER").value_or("");
  options.procfs = Roots::from_environment().procfs;
  return options;
}

Findings probe_nvml(const NvmlOptions& options, const Clock& clock) {
  Probe probe{options, clock, options.side, {}};
  if (!options.library && !driver_present()) return {};
  auto library = NvmlLibrary::open(options.library.value_or(""));
  if (!library) {
    probe.block(library.error().where + ": " + library.error().what, library.error().remedy);
    return std::move(probe.found);
  }
  unsigned count = 0;
  if (const NvmlReturn code = (*library)->device_count(&count); code != kNvmlSuccess) {
    probe.block("cannot count GPUs: " + (*library)->describe(code), "check `nvidia-smi`");
    return std::move(probe.found);
  }
  if (!probe.side) probe.side = std::make_shared<SidePoll>(clock);
  std::vector<Candidate> candidates(count);
  for (unsigned i = 0; i < count; ++i) {
    NvmlDevice device = nullptr;
    const NvmlReturn code = (*library)->device_by_index(i, &device);
    if (code != kNvmlSuccess) {
      probe.block("GPU " + std::to_string(i) + ": " + (*library)->describe(code), "check `nvidia-smi`");
      continue;
    }
    candidates[i] = {identify(*library, device), mig_instances(**library, device)};
  }
  const CudaView view = cuda_view(names_of(candidates), options.visible_devices, options.device_order);
  if (!view.doubt.empty()) probe.block(view.doubt, "export CUDA_DEVICE_ORDER=PCI_BUS_ID");
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].board) probe.add(candidates[i], view.gpus[i]);
  }
  return std::move(probe.found);
}

}  // namespace gramwatt::sense
