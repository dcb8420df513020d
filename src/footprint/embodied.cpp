// What making the machine cost, and the part of it that a run uses up.
//
// One bill, no part twice. Tables of embodied carbon overlap: host figures contain their CPUs, some GPU figures contain a share
// of the host (318 kg for an A100 in Chien 2023 against 150 for the card). So the bill is built from parts that exclude each
// other:
//   server     1,000 kg: chassis, board, power supply, one CPU, 16 GB (cloud-carbon-footprint and Teads, from Dell's life-cycle
//              assessment of the R740: 1,313 kg without disks beyond the first, of which memory 533)
//   CPU        100 kg each beyond the first (the same)
//   memory     1.39 kg/GB beyond 16 GB (533 kg for the R740's 384 GB)
//   GPU        164 kg an H100 (NVIDIA's product carbon footprint of the 8-GPU board, 1,312 kg), 128 an A100 SXM (Falk 2025,
//              arXiv 2509.00093), 150 any other (Luccioni 2022, the figure that most tools use)
//   disks      of a cloud host, and its number of CPUs, by the family of the instance type (data/cloud_hosts.csv, from
//              cloud-carbon-footprint, whose totals are of whole hosts); also its GPUs, where the guest shows none by name
//   desktop or laptop 300 kg (manufacturers' product carbon footprints lie between 150 and 500; assumed)
// A guest has its share of the host, by hardware threads, and its own memory. The bill is spread over four years of service, of
// which the machine is reserved 60 % of the time: what nobody reserves must be borne by those who do.

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "footprint/footprint.hpp"

namespace gramwatt::footprint {
namespace {

constexpr double kServerKg = 1000;
constexpr double kFurtherCpuKg = 100;
constexpr double kMemoryKgPerGb = 1.39;
constexpr double kIncludedMemoryGb = 16;
constexpr double kAnyGpuKg = 150;
constexpr double kPersonalKg = 300;
constexpr Shift kServerShift = Shift::range(1000, 600, 2000);
constexpr Shift kMemoryShift = Shift::range(1.39, 0.5, 2.5);
constexpr Shift kGpuShift = Shift::range(1, 0.7, 1.8);  // gate-to-gate figures of single studies; memory alone is 40 %
constexpr Shift kPersonalShift = Shift::range(300, 150, 500);
// What a host has, when only the guest can be seen: two sockets' worth of a mean cloud host.
constexpr int kTypicalHostThreads = 128;
constexpr int kTypicalHostPackages = 2;
constexpr double kYear = 365.25 * 86400;

Estimate<Grams> kilograms(double kg, std::string source, const char* term, Shift shift) {
  return {Grams(kg * 1000), Method::modelled, std::move(source), std::nullopt, {{term, shift}}};
}

/// The kind of instance that shares a host: "m5" of m5.large, "n2" of n2-standard-4, "d#s v3" of Standard_D4s_v3. The same rule
/// as in tools/build_cloud_hosts.py.
std::string host_family(const std::string& provider, const std::string& instance) {
  if (provider != "azure") return instance.substr(0, instance.find(provider == "aws" ? '.' : '-'));
  std::string name = lower(instance);
  for (char& c : name) c = c == '_' ? ' ' : c;
  for (const std::string_view tier : {"standard ", "basic "}) {
    if (name.starts_with(tier)) name.erase(0, tier.size());
  }
  constexpr const char* kDigits = "0123456789";
  const std::size_t from = name.find_first_of(kDigits);
  if (from == std::string::npos) return name;
  std::size_t to = std::min(name.find_first_not_of(kDigits, from), name.size());
  if (name.substr(to).starts_with("-")) to = std::min(name.find_first_not_of(kDigits, to + 1), name.size());
  return name.replace(from, to - from, "#");
}

/// What a cloud's host has beyond a bare server with one CPU.
struct CloudHost {
  std::string family;
  double storage_kg = 0, further_cpu_kg = 0, gpu_kg = 0;
};

std::optional<CloudHost> cloud_host(const Machine& m) {
  if (m.provider.empty() || m.instance.empty()) return std::nullopt;
  CloudHost found{host_family(m.provider, m.instance)};
  std::string_view table = data::cloud_hosts();
  while (const auto line = next_line(table)) {
    const auto fields = split(*line, ',');
    if (fields.size() != 5 || fields[0] != m.provider || fields[1] != found.family) continue;
    found.storage_kg = parse_number<double>(fields[2]).value_or(0);
    found.further_cpu_kg = parse_number<double>(fields[3]).value_or(0);
    found.gpu_kg = parse_number<double>(fields[4]).value_or(0);
    return found;
  }
  return std::nullopt;
}

/// A guest's part of its host, by hardware threads.
double share_of_host(const Machine& m) {
  return m.guest ? std::min(1.0, static_cast<double>(m.threads) / (m.host_threads > 0 ? m.host_threads : kTypicalHostThreads))
                 : 1;
}

Part cloud_server(const Machine& m, const CloudHost& h) {
  const double share = share_of_host(m);
  const std::string name = fmt::format("{:.3g} % of a host of {} {}: {:.0f} CPU{}{}", 100 * share, m.provider, h.family,
                                       1 + h.further_cpu_kg / kFurtherCpuKg, h.further_cpu_kg > 0 ? "s" : "",
                                       h.storage_kg > 0 ? fmt::format(", {:.0f} kg of disks", h.storage_kg) : "");
  return {name, kilograms((kServerKg + h.further_cpu_kg + h.storage_kg) * share,
                          "host of the instance type (cloud-carbon-footprint 2026)", "embodied-parts", kServerShift)};
}

Part host(const Machine& m, const std::optional<CloudHost>& cloud) {
  if (m.laptop_or_desktop) {
    return {"desktop or laptop", kilograms(kPersonalKg, "manufacturers' product carbon footprints, 150..500 kg (assumed)",
                                           "embodied-parts", kPersonalShift)};
  }
  if (cloud) return cloud_server(m, *cloud);
  const int threads = m.guest ? (m.host_threads > 0 ? m.host_threads : kTypicalHostThreads) : std::max(1, m.threads);
  const int packages = m.guest ? kTypicalHostPackages : std::max(1, m.packages);
  const double kg = (kServerKg + kFurtherCpuKg * (packages - 1)) * share_of_host(m);
  const std::string name = m.guest ? fmt::format("{} of {} threads of a server with {} CPUs", m.threads, threads, packages)
                                   : fmt::format("server with {} CPU{}", packages, packages == 1 ? "" : "s");
  return {name, kilograms(kg, "server 1,000 kg, further CPU 100 kg (cloud-carbon-footprint 2026, Dell R740)", "embodied-parts",
                          kServerShift)};
}

Part gpu(const std::string& name) {
  const double kg = contains_ignoring_case(name, "H100") || contains_ignoring_case(name, "H200") ? 164
                    : contains_ignoring_case(name, "A100")                                       ? 127.6
                                                                                                 : kAnyGpuKg;
  const char* source = kg == 164     ? "H100: NVIDIA product carbon footprint, 1,312 kg for 8"
                       : kg == 127.6 ? "A100: Falk et al. 2025"
                                     : "GPU 150 kg: Luccioni et al. 2022";
  return {name, kilograms(kg, source, "embodied-gpu", kGpuShift)};
}

}  // namespace

Bill bill_of_parts(const Machine& m) {
  Bill bill;
  const auto cloud = cloud_host(m);
  bill.parts.push_back(host(m, cloud));
  // A guest's memory is its own; the 16 GB that come with a server are a guest's only by its share, and that is below a
  // gigabyte.
  const double extra = m.laptop_or_desktop ? 0 : std::max(0.0, m.memory_gb - (m.guest ? 0 : kIncludedMemoryGb));
  if (extra > 0) {
    bill.parts.push_back({fmt::format("{:.0f} GB of memory", extra),
                          kilograms(extra * kMemoryKgPerGb, "memory 1.39 kg/GB (Dell R740)", "embodied-memory", kMemoryShift)});
  }
  for (const std::string& name : m.gpus) bill.parts.push_back(gpu(name));
  if (m.gpus.empty() && cloud && cloud->gpu_kg > 0) {
    bill.parts.push_back(
        {fmt::format("its part of the host's {:.0f} GPUs", cloud->gpu_kg / kAnyGpuKg),
         kilograms(cloud->gpu_kg * share_of_host(m), "GPUs of the instance type, 150 kg each (cloud-carbon-footprint)",
                   "embodied-gpu", kGpuShift)});
  }
  bill.life = {Seconds(4 * kYear), Method::assumed, "4 years in service", std::nullopt, {{"life", Shift::range(4, 3, 6)}}};
  bill.utilisation = {Ratio(m.laptop_or_desktop ? 0.2 : 0.6),
                      Method::assumed,
                      m.laptop_or_desktop ? "used 20 % of the time" : "reserved 60 % of the time",
                      std::nullopt,
                      {{"utilisation", m.laptop_or_desktop ? Shift::range(0.2, 0.1, 0.5) : Shift::range(0.6, 0.3, 1.0)}}};
  return bill;
}

Estimate<Grams> embodied(const Bill& bill, Seconds reserved, Ratio share) {
  Estimate<Grams> sum;
  for (const Part& part : bill.parts) sum = sum + part.mass;
  Estimate<Grams> used = sum * (reserved / (bill.life.value * bill.utilisation.value.value()) * share.value());
  used.method = combine(sum.method, bill.life.method);
  used.source = join_sources(join_sources(sum.source, bill.life.source), bill.utilisation.source);
  // A longer life and a busier machine make the share smaller: the shifts of a quotient.
  const auto inverse = [](Shift s) { return Shift{1 / (1 + s.minus) - 1, 1 / (1 + s.plus) - 1}; };
  for (const auto& [id, shift] : bill.life.terms) used.terms[id] = inverse(shift);
  for (const auto& [id, shift] : bill.utilisation.terms) used.terms[id] = inverse(shift);
  return used;
}

}  // namespace gramwatt::footprint
