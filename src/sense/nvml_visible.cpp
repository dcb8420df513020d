#include "sense/nvml_visible.hpp"

#include <algorithm>
#include <numeric>

#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

/// "3b:00.0", "0000:3B:00.0" and "00000000:3B:00.0" are the same device.
std::string normal_pci(std::string_view pci) {
  std::string id = lower(trim(pci));
  if (std::count(id.begin(), id.end(), ':') == 1) id.insert(0, "0:");
  const auto colon = id.find(':');
  if (colon == std::string::npos) return {};
  const auto digit = id.find_first_not_of('0');
  return id.substr(std::min(digit, colon));
}

struct Named {
  std::size_t gpu = 0;
  std::optional<std::size_t> mig;
  bool by_index = false;
};

class Names {
 public:
  explicit Names(const std::vector<GpuName>& gpus) : gpus_(gpus), by_index_(gpus.size()) {
    std::iota(by_index_.begin(), by_index_.end(), 0U);
    std::stable_sort(by_index_.begin(), by_index_.end(), [&](std::size_t a, std::size_t b) {
      // Domain, bus and device as eight, two and two hexadecimal digits: NVML's form sorts as text.
      return gpus_[a].pci < gpus_[b].pci;
    });
  }

  [[nodiscard]] std::optional<Named> find(std::string_view entry) const {
    if (const auto index = parse_number<std::size_t>(entry)) {
      if (*index >= gpus_.size()) return std::nullopt;
      return Named{by_index_[*index], std::nullopt, true};
    }
    if (entry.starts_with("MIG-GPU-")) {  // the form of drivers before R470: the board, GPU instance, compute instance
      const std::string_view rest = entry.substr(4);
      const auto board = by_uuid(rest.substr(0, rest.find('/')));
      if (!board) return std::nullopt;
      return Named{*board, instance_named(*board, entry), false};
    }
    if (entry.starts_with("MIG-")) return by_mig(entry);
    if (entry.starts_with("GPU-")) {
      const auto board = by_uuid(entry);
      if (!board) return std::nullopt;
      return Named{*board, std::nullopt, false};
    }
    return by_pci(entry);
  }

 private:
  [[nodiscard]] std::optional<std::size_t> by_uuid(std::string_view prefix) const {
    for (std::size_t i = 0; i < gpus_.size(); ++i) {
      if (gpus_[i].uuid.starts_with(prefix)) return i;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Named> by_mig(std::string_view uuid) const {
    for (std::size_t i = 0; i < gpus_.size(); ++i) {
      if (const auto instance = instance_named(i, uuid)) return Named{i, instance, false};
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::size_t> instance_named(std::size_t gpu, std::string_view uuid) const {
    for (std::size_t m = 0; m < gpus_[gpu].mig.size(); ++m) {
      if (gpus_[gpu].mig[m].starts_with(uuid)) return m;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Named> by_pci(std::string_view entry) const {
    const std::string wanted = normal_pci(entry);
    for (std::size_t i = 0; i < gpus_.size() && !wanted.empty(); ++i) {
      if (normal_pci(gpus_[i].pci) == wanted) return Named{i, std::nullopt, false};
    }
    return std::nullopt;
  }

  const std::vector<GpuName>& gpus_;
  std::vector<std::size_t> by_index_;
};

bool all_alike(const std::vector<GpuName>& gpus) {
  return std::all_of(gpus.begin(), gpus.end(), [&](const GpuName& g) { return g.model == gpus.front().model; });
}

}  // namespace

CudaView cuda_view(const std::vector<GpuName>& gpus, const std::optional<std::string>& visible, std::string_view order) {
  CudaView view;
  view.gpus.resize(gpus.size());
  const auto take = [&](std::size_t gpu, std::optional<std::size_t> mig) {
    CudaView::Gpu& g = view.gpus[gpu];
    g.visible = true;
    if (!mig && !gpus[gpu].mig.empty()) mig = 0;
    if (mig && std::find(g.mig.begin(), g.mig.end(), *mig) == g.mig.end()) g.mig.push_back(*mig);
  };
  if (!visible) {
    for (std::size_t i = 0; i < gpus.size(); ++i) take(i, std::nullopt);
    return view;
  }
  const Names names(gpus);
  bool by_index = false;
  for (const std::string_view field : split(*visible, ',')) {
    const auto named = names.find(trim(field));
    if (!named) break;
    by_index = by_index || named->by_index;
    take(named->gpu, named->mig);
  }
  const bool every = std::all_of(view.gpus.begin(), view.gpus.end(), [](const CudaView::Gpu& g) { return g.visible; });
  if (by_index && !every && order != "PCI_BUS_ID" && !all_alike(gpus)) {
    view.doubt = "CUDA_VISIBLE_DEVICES=" + *visible +
                 " counts boards from the fastest one, and they differ: taken as PCI order; export "
                 "CUDA_DEVICE_ORDER=PCI_BUS_ID makes it certain";
  }
  return view;
}

}  // namespace gramwatt::sense
