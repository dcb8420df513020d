// The duty cycle of NVIDIA's power sensors.
//
// A reading appears every T and is the mean of the last W; on several generations W is a part of T, and what happens in the
// rest is not seen by anybody who reads power. Source of T and W: Yang, Adamek and Armour, "Accurate and Convenient Energy
// Measurements for GPUs", SC'24, 10.1109/SC41406.2024.00028 (arXiv 2312.02741), more than 70 boards of 12 generations. Source
// of what nvmlDeviceGetPowerUsage means: NVML API reference: "on Ampere (except GA100) or newer GPUs, the API returns power
// averaged over 1 sec interval; on GA100 and older architectures, instantaneous power". Generations that the paper does not
// have are taken as the worst of their time: an interval that is too wide misleads nobody.

#include "sense/nvidia_sensors.hpp"

#include <array>

#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

// NVML's numbers of architectures (NVML API reference, nvmlDeviceArchitecture_t).
enum Architecture : unsigned { kepler = 2, maxwell = 3, pascal, volta, turing, ampere, ada, hopper, blackwell };

constexpr Nanoseconds ms(int n) { return std::chrono::milliseconds(n); }

struct Row {
  unsigned architecture;
  std::string_view in_name;  ///< only boards with this in their name; empty: all others
  NvidiaGeneration is;
};

// The first row that fits counts.
constexpr std::array kRows{
    Row{kepler, "", {"Kepler", {ms(20), ms(20), {}, ms(100)}, false, true, "its power reading follows slowly (about 200 ms)"}},
    Row{maxwell,
        "",
        {"Maxwell", {ms(20), ms(20), {}, ms(100)}, false, true, "its power reading follows slowly (about 200 ms)"}},
    Row{pascal, "", {"Pascal", {ms(20), ms(10), {}, {}}, false, true, ""}},
    Row{volta, "", {"Volta", {ms(20), ms(10), {}, {}}, false, true, ""}},
    Row{turing, "", {"Turing", {ms(100), ms(100), {}, {}}, false, true, ""}},
    Row{ampere, "A100", {"Ampere (GA100)", {ms(100), ms(25), {}, {}}, false, true, ""}},
    Row{ampere, "A800", {"Ampere (GA100)", {ms(100), ms(25), {}, {}}, false, true, ""}},
    Row{ampere, "NVIDIA A30", {"Ampere (GA100)", {ms(100), ms(25), {}, {}}, false, true, ""}},
    Row{ampere, "", {"Ampere", {ms(100), ms(100), {}, {}}, true, true, ""}},
    Row{ada, "", {"Ada", {ms(100), ms(25), {}, {}}, true, false, ""}},
    Row{hopper,
        "GH200",
        {"Grace Hopper",
         {ms(100), ms(20), {}, {}},
         true,
         true,
         "the energy counter of a GH200 covers the whole module: GPU, Grace CPU and its memory"}},
    Row{hopper, "", {"Hopper", {ms(100), ms(25), {}, {}}, true, true, ""}},
    Row{blackwell,
        "GB",
        {"Grace Blackwell",
         {ms(100), ms(20), {}, {}},
         true,
         false,
         "the energy counter may cover the whole module, CPU included"}},
    Row{blackwell, "", {"Blackwell", {ms(100), ms(25), {}, {}}, true, false, ""}},
};
constexpr NvidiaGeneration kUnknown{"unknown generation", {ms(100), ms(25), {}, {}}, true, false, ""};

struct Name {
  std::string_view in_name;
  unsigned architecture;
};
// For drivers that do not tell the architecture (before R460). Longer names before the shorter ones that they contain.
constexpr std::array kNames{
    Name{"GH200", hopper},      Name{"GB200", blackwell},  Name{"B200", blackwell},   Name{"H100", hopper},
    Name{"H200", hopper},       Name{"H800", hopper},      Name{"L40", ada},          Name{"L4", ada},
    Name{"RTX 40", ada},        Name{"RTX 50", blackwell}, Name{"A100", ampere},      Name{"A800", ampere},
    Name{"A30", ampere},        Name{"A10", ampere},       Name{"A40", ampere},       Name{"A2", ampere},
    Name{"RTX 30", ampere},     Name{"RTX A", ampere},     Name{"T4", turing},        Name{"RTX 20", turing},
    Name{"Quadro RTX", turing}, Name{"GTX 16", turing},    Name{"TITAN RTX", turing}, Name{"V100", volta},
    Name{"TITAN V", volta},     Name{"P100", pascal},      Name{"P40", pascal},       Name{"P4", pascal},
    Name{"GTX 10", pascal},     Name{"TITAN X", pascal},   Name{"M60", maxwell},      Name{"M40", maxwell},
    Name{"GTX 9", maxwell},     Name{"K80", kepler},       Name{"K40", kepler},
};

}  // namespace

NvidiaGeneration nvidia_generation(unsigned architecture, std::string_view name) {
  for (const Name& n : kNames) {
    if (architecture == 0 && contains(name, n.in_name)) architecture = n.architecture;
  }
  for (const Row& r : kRows) {
    if (r.architecture == architecture && contains(name, r.in_name)) return r.is;
  }
  return kUnknown;
}

}  // namespace gramwatt::sense
