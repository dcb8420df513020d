// The fuzz targets: a table of parsers of kernel, vendor, metadata and user text. One libFuzzer program holds them all, so that
// it is linked once; GRAMWATT_FUZZ names the one that a process fuzzes ("list" prints the names). Each has its seeds in
// tests/fuzz/corpus/NAME. Build and run: tests/fuzz/run.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "base/process.hpp"
#include "base/text.hpp"
#include "job/replay.hpp"
#include "ledger/channel_json.hpp"
#include "ledger/interval_blob.hpp"
#include "ledger/record.hpp"
#include "ledger/tail.hpp"
#include "meter/machine_cpu.hpp"
#include "meter/tree_cpu.hpp"
#include "place/metadata.hpp"
#include "sense/node_power.hpp"
#include "sense/nvml.hpp"
#include "sense/rapl.hpp"

namespace gramwatt {
namespace {

void fuzz_proc_stat(std::string_view text) {
  meter::ProcStat stat;
  (void)meter::parse_proc_stat(text, true, stat);
}

void fuzz_cgroup(std::string_view text) {
  const auto cut = text.find('\0');
  (void)meter::cgroup2_folder_from(text.substr(0, cut), cut == std::string_view::npos ? "" : text.substr(cut + 1));
}

void fuzz_metadata(std::string_view text) {
  const std::string body(text);
  (void)place::parse_aws_document(body);
  (void)place::parse_azure_compute(body);
  (void)place::parse_gcp(body, body);
}

/// Whatever is taken as intervals can be packed and is the same again.
void fuzz_intervals(std::string_view text) {
  std::vector<Interval> intervals;
  if (!ledger::unpack(text, intervals) || intervals.empty()) return;
  ledger::BlobWriter packed(intervals.front().flows.size());
  for (const Interval& i : intervals) packed.push(i);
  std::vector<Interval> again;
  if (!ledger::unpack(packed.bytes(), again) || again.size() != intervals.size()) std::abort();
}

/// A record that can be read can be written, and is then read again.
void fuzz_record(std::string_view text) {
  if (const auto record = ledger::from_json(text); record && !ledger::from_json(ledger::to_json(*record, -1))) std::abort();
}

/// Whatever a recording says, the decoders, the meter and the account survive it.
void fuzz_recording(std::string_view text) {
  std::istringstream in{std::string(text)};
  job::ReplayOptions options;
  options.context = [](const sense::CpuIdentity&, const sense::PowerModel&) {
    job::Context context;
    context.weights.average.points = {{Nanoseconds{0}, GramsPerKwh(400)}};
    context.weights.pue.value = Ratio(1.5);
    return context;
  };
  (void)job::replay(in, options);
}

using Parser = void (*)(std::string_view);

const std::map<std::string_view, Parser>& parsers() {
  static const std::map<std::string_view, Parser> table{
      {"cgroup", fuzz_cgroup},
      {"channel", [](std::string_view t) { (void)ledger::channel_from_json(t); }},
      {"cpu_list", [](std::string_view t) { (void)sense::parse_cpu_list(t); }},
      {"csv", [](std::string_view t) { (void)csv_fields(t); }},
      {"cuda", [](std::string_view t) { (void)sense::visible_to_cuda({{"GPU-1234"}, {"GPU-5678"}}, std::string(t)); }},
      {"duration", [](std::string_view t) { (void)parse_duration(t); }},
      {"energy", [](std::string_view t) { (void)parse_energy(t); }},
      {"intervals", fuzz_intervals},
      {"metadata", fuzz_metadata},
      {"perf_event", [](std::string_view t) { (void)sense::parse_perf_event(t); }},
      {"pm_energy", [](std::string_view t) { (void)sense::parse_pm_energy(t); }},
      {"proc_stat", fuzz_proc_stat},
      {"process_stat", [](std::string_view t) { (void)parse_process_stat(t); }},
      {"record", fuzz_record},
      {"recording", fuzz_recording},
      {"tail", [](std::string_view t) { (void)ledger::parse_tail(t); }},
  };
  return table;
}

Parser chosen = nullptr;

}  // namespace
}  // namespace gramwatt

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("GRAMWATT_FUZZ");
  const auto& table = gramwatt::parsers();
  if (const auto it = table.find(name == nullptr ? "list" : name); it != table.end()) {
    gramwatt::chosen = it->second;
    return 0;
  }
  for (const auto& [known, parser] : table) std::puts(std::string(known).c_str());
  std::exit(name != nullptr && std::string_view(name) == "list" ? 0 : 2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gramwatt::chosen({reinterpret_cast<const char*>(data), size});
  return 0;
}
