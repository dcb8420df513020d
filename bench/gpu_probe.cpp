// What does this machine's NVIDIA board really do? Reads the first visible board through NVML as fast as asked, and writes
// every look as CSV, from which bench/gpu_check.sh and a reader can see step, period and window for themselves.
//
//   gpu_probe costs                     what each way to read costs (median and worst of 50 calls)
//   gpu_probe watch SECONDS EVERY_US    CSV: seconds, energy_mj, instant_mw, average_mw, usage_mw (empty: not given)
//   gpu_probe periods SECONDS           publication period of each value, by hammering it and looking at its changes
// Exit code 3: no GPU.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "sense/nvidia_sensors.hpp"
#include "sense/nvml_library.hpp"

namespace {

using namespace gramwatt;
using namespace gramwatt::sense;

constexpr int kNoGpu = 3;

class Board {
 public:
  Board(std::shared_ptr<NvmlLibrary> library, NvmlDevice device) : library_(std::move(library)), device_(device) {}

  [[nodiscard]] std::optional<std::uint64_t> field(unsigned id) const {
    if (library_->field_values == nullptr) return std::nullopt;
    NvmlFieldValue f;
    f.field = id;
    if (library_->field_values(device_, 1, &f) != kNvmlSuccess) return std::nullopt;
    return f.number();
  }
  [[nodiscard]] std::optional<std::uint64_t> energy() const {
    unsigned long long mj = 0;
    if (library_->total_energy == nullptr || library_->total_energy(device_, &mj) != kNvmlSuccess) return std::nullopt;
    return mj;
  }
  [[nodiscard]] std::optional<std::uint64_t> usage() const {
    unsigned mw = 0;
    if (library_->power_usage == nullptr || library_->power_usage(device_, &mw) != kNvmlSuccess) return std::nullopt;
    return mw;
  }
  [[nodiscard]] std::string name() const {
    char text[128] = "NVIDIA GPU";
    if (library_->device_name != nullptr) (void)library_->device_name(device_, text, sizeof text);
    return text;
  }
  [[nodiscard]] unsigned architecture() const {
    unsigned a = 0;
    return library_->architecture != nullptr && library_->architecture(device_, &a) == kNvmlSuccess ? a : 0;
  }

 private:
  std::shared_ptr<NvmlLibrary> library_;
  NvmlDevice device_;
};

struct Way {
  const char* name;
  std::function<std::optional<std::uint64_t>()> read;
};

std::vector<Way> ways(const Board& b) {
  return {{"energy call", [&b] { return b.energy(); }},
          {"energy field 83", [&b] { return b.field(kNvmlFieldEnergy); }},
          {"instant field 186", [&b] { return b.field(kNvmlFieldInstantPower); }},
          {"average field 185", [&b] { return b.field(kNvmlFieldAveragePower); }},
          {"power usage", [&b] { return b.usage(); }}};
}

Nanoseconds now() { return SystemClock().now().monotonic; }

double ms(Nanoseconds t) { return seconds(t).value() * 1e3; }

int costs(const Board& board) {
  fmt::print("| reading | answers | median | worst of 50 |\n|---|---|---|---|\n");
  for (const Way& w : ways(board)) {
    std::vector<Nanoseconds> taken;
    bool answers = false;
    for (int i = 0; i < 50; ++i) {
      const Nanoseconds before = now();
      answers = w.read().has_value();
      taken.push_back(now() - before);
    }
    std::sort(taken.begin(), taken.end());
    fmt::print("| {} | {} | {:.1f} us | {:.1f} us |\n", w.name, answers ? "yes" : "no", 1e3 * ms(taken[25]),
               1e3 * ms(taken[49]));
  }
  return 0;
}

std::string cell(const std::optional<std::uint64_t>& v) { return v ? std::to_string(*v) : ""; }

int watch(const Board& board, double length, long every_us) {
  fmt::print("seconds,energy_mj,instant_mw,average_mw,usage_mw\n");
  const Nanoseconds begin = now();
  for (Nanoseconds next = begin; seconds(now() - begin).value() < length; next += std::chrono::microseconds(every_us)) {
    const Nanoseconds at = now();
    fmt::print("{:.6f},{},{},{},{}\n", seconds(at - begin).value(), cell(board.energy()),
               cell(board.field(kNvmlFieldInstantPower)), cell(board.field(kNvmlFieldAveragePower)), cell(board.usage()));
    std::this_thread::sleep_for(std::max(Nanoseconds{0}, next + std::chrono::microseconds(every_us) - now()));
  }
  return 0;
}

int periods(const Board& board, double length) {
  fmt::print("| reading | changes seen | median between changes | 5..95 % |\n|---|---|---|---|\n");
  for (const Way& w : ways(board)) {
    std::vector<Nanoseconds> between;
    auto value = w.read();
    if (!value) continue;
    const Nanoseconds begin = now();
    std::optional<Nanoseconds> changed;
    while (seconds(now() - begin).value() < length) {
      const auto read = w.read();
      const Nanoseconds at = now();
      if (!read || read == value) continue;
      if (changed) between.push_back(at - *changed);
      changed = at;
      value = read;
    }
    if (between.empty()) {
      fmt::print("| {} | none in {:.0f} s | | |\n", w.name, length);
      continue;
    }
    std::sort(between.begin(), between.end());
    const auto at = [&](double q) {
      return ms(between[static_cast<std::size_t>(q * static_cast<double>(between.size() - 1))]);
    };
    fmt::print("| {} | {} | {:.1f} ms | {:.1f}..{:.1f} ms |\n", w.name, between.size(), at(0.5), at(0.05), at(0.95));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const char* path = std::getenv("GRAMWATT_NVML");
  auto library = NvmlLibrary::open(path != nullptr ? path : "");
  NvmlDevice device = nullptr;
  unsigned count = 0;
  if (!library || (*library)->device_count(&count) != kNvmlSuccess || count == 0 ||
      (*library)->device_by_index(0, &device) != kNvmlSuccess) {
    fmt::print("no GPU: {}\n", library ? "NVML lists none" : library.error().message());
    return kNoGpu;
  }
  const Board board(*library, device);
  if (what == "name") {
    const auto g = nvidia_generation(board.architecture(), board.name());
    fmt::print("{} ({}; the table says {:.0f} of every {:.0f} ms)\n", board.name(), g.name, ms(g.instant.window),
               ms(g.instant.period));
    return 0;
  }
  if (what == "costs") return costs(board);
  if (what == "watch" && argc == 4) return watch(board, std::atof(argv[2]), std::atol(argv[3]));
  if (what == "periods" && argc == 3) return periods(board, std::atof(argv[2]));
  fmt::print(stderr, "usage: gpu_probe name | costs | watch SECONDS EVERY_US | periods SECONDS\n");
  return 2;
}
