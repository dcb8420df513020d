// The fuzz targets: a table of parsers of kernel, vendor, metadata and user text. One libFuzzer program holds them all, so that
// it is linked once; GRAMWATT_FUZZ names the one that a process fuzzes ("list" prints the names). Each has its seeds in
// tests/fuzz/corpus/NAME. Build and run: tests/fuzz/run.

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "fakes/temp_tree.hpp"
#include "grid/import.hpp"
#include "grid/local_time.hpp"
#include "grid/point_block.hpp"
#include "grid/provider_answers.hpp"
#include "grid/provider_http.hpp"
#include "grid/provider_json.hpp"
#include "job/mark_buffers.hpp"
#include "job/markers.hpp"
#include "job/replay.hpp"
#include "job/stopped.hpp"
#include "ledger/channel_json.hpp"
#include "ledger/interval_blob.hpp"
#include "ledger/record.hpp"
#include "ledger/tail.hpp"
#include "mark/protocol.h"
#include "meter/machine_cpu.hpp"
#include "meter/tree_cpu.hpp"
#include "meter/workload.hpp"
#include "place/find.hpp"
#include "place/metadata.hpp"
#include "plan/cluster.hpp"
#include "plan/profile.hpp"
#include "plan/trace.hpp"
#include "sense/bmc.hpp"
#include "sense/gpu_clients.hpp"
#include "sense/gpu_metrics.hpp"
#include "sense/gpu_visibility.hpp"
#include "sense/hwmon_rail.hpp"
#include "sense/node_power.hpp"
#include "sense/nvml_sharing.hpp"
#include "sense/nvml_visible.hpp"
#include "sense/rapl.hpp"
#include "sense/rapl_quirks.hpp"

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

void fuzz_workload(std::string_view text) { (void)meter::workload_from(text); }

/// Words to a known zone or an error; and, as two lines, a point to a zone or an error.
void fuzz_place(std::string_view text) {
  const auto place = place::find_by_words(text, "place");
  if (place && (!place->zone || !place::is_known_zone(*place->zone))) std::abort();
  const auto cut = text.find('\n');
  if (cut == std::string_view::npos) return;
  const auto point = place::parse_coordinates(std::string(text.substr(0, cut)), std::string(text.substr(cut + 1)));
  if (!point) return;
  const auto there = place::find_by_point(*point, "point");
  if (there && (!there->zone || !place::is_known_zone(*there->zone))) std::abort();
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

void fuzz_cuda(std::string_view text) {
  const std::vector<sense::GpuName> gpus{{"GPU-1234", "00000000:3B:00.0", "H100", {}},
                                         {"GPU-5678", "00000000:86:00.0", "T4", {"MIG-aaaa", "MIG-GPU-5678/1/0"}}};
  const auto view = sense::cuda_view(gpus, std::string(text));
  if (view.gpus.size() != gpus.size()) std::abort();
}

/// Whatever a recording says, the decoders, the meter and the account survive it.
void fuzz_recording(std::string_view text) {
  std::istringstream in{std::string(text)};
  job::ReplayOptions options;
  options.context = [](const sense::CpuIdentity&, const sense::PowerModel&) {
    job::Context context;
    context.weights.average = grid::one_value(GramsPerKwh(400));
    context.weights.pue.value = Ratio(1.5);
    return context;
  };
  (void)job::replay(in, options);
}

/// What a program writes into the shared memory of its markers: header, a name, two rings with events in turn.
void fuzz_marks(std::string_view text) {
  Fd file(::memfd_create("marks", MFD_CLOEXEC));
  const int fd = file.get();
  if (::ftruncate(fd, static_cast<off_t>(GWM_FILE_SIZE)) != 0) return;
  const auto put = [&](std::size_t size, std::uint64_t at) {
    const std::string_view part = text.substr(0, size);
    text.remove_prefix(part.size());
    (void)!::pwrite(fd, part.data(), part.size(), static_cast<off_t>(at));
  };
  put(sizeof(gwm_header), 0);
  put(sizeof(gwm_name), GWM_NAMES_AT);
  for (std::uint64_t ring = 0; ring < 2; ++ring) put(sizeof(gwm_ring), GWM_RINGS_AT + ring * GWM_RING_STRIDE);

  VirtualClock clock{Nanoseconds{0}};
  job::MarkBuffers buffers(std::move(file), job::MarkClock::monotonic, clock);
  meter::Regions sums(clock.now().monotonic, 1);
  std::vector<meter::MarkEvent> events;
  for (std::uint64_t second = 0; second < 2; ++second) {
    put(second == 0 ? text.size() / 2 : text.size(), GWM_RINGS_AT + second * GWM_RING_STRIDE + GWM_EVENTS_AT);
    Interval i;
    i.start = clock.now();
    clock.advance(std::chrono::seconds(1));
    i.end = clock.now();
    i.flows = {{Microjoules(9), Microjoules(3), Microjoules(4), Microjoules(2)}};
    events.clear();
    buffers.drain(events);
    sums.add(events);
    sums.settle(i, std::chrono::milliseconds(10));
  }
  sums.finish();
  ledger::RunRecord record;
  job::tell_regions(sums, {Channel{}}, [&](std::uint32_t id) { return buffers.name(id); }, record);
  if (!ledger::from_json(ledger::to_json(record, -1))) std::abort();
}

void fuzz_gpu_visibility(std::string_view text) {
  const auto cut = std::min(text.find('\0'), text.size());
  const sense::GpuVariables v{std::string(text.substr(0, cut)), std::string(text.substr(cut)), {}};
  if (sense::visible_to_rocm({"0123456789abcdef", "fedc"}, v).size() != 2) std::abort();
  (void)sense::visible_to_level_zero(3, std::string(text));
}

void fuzz_dcmi(std::string_view text) {
  const auto power = sense::parse_dcmi_power({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  if (power && !(power->value() > 0 && power->value() <= 65535)) std::abort();
}

/// Whatever a controller says becomes a power that is one, and paths that are paths of its service.
void fuzz_redfish(std::string_view text) {
  if (const auto power = sense::parse_redfish_power(text); power && !(power->value() >= 0)) std::abort();
  for (const std::string& path : sense::parse_redfish_members(text)) {
    if (!path.starts_with("/redfish/v1/") || path.find('\n') != std::string::npos) std::abort();
  }
  (void)sense::is_redfish_computer(text);
}

/// "driver label": a label stands in one line.
void fuzz_hwmon_label(std::string_view text) {
  const auto cut = text.find(' ');
  (void)sense::rail_of_label(text.substr(0, cut), cut == std::string_view::npos ? "" : text.substr(cut + 1));
  (void)sense::parse_grace_label(text);
}

/// Whatever a carbon service answers becomes finite values or an Error.
void fuzz_service(std::string_view text) {
  using grid::PointKind;
  for (const auto& answer :
       {grid::parse_watttime(text, PointKind::observed), grid::parse_electricitymaps(text, PointKind::observed),
        grid::parse_gb(text, false), grid::parse_energycharts(text, PointKind::observed), grid::parse_sdk_emissions(text),
        grid::parse_sdk_forecast(text)}) {
    if (!answer) continue;
    for (const grid::Point& p : answer->points) {
      if (!std::isfinite(p.value.value())) std::abort();
    }
  }
  (void)grid::parse_watttime_token(text);
  (void)grid::parse_watttime_region(text);
  (void)grid::message_in(text);
  (void)grid::parse_retry_after(text, Nanoseconds{0});
}

/// A mix is between its fuels, whatever is missing from it.
void check_mix(const grid::FuelMix& mix) {
  for (const grid::Point& p : grid::intensity_of(mix, grid::Fleet::world, true)) {
    if (!(p.value.value() >= 0 && p.value.value() <= 1200)) std::abort();
  }
}

void fuzz_entsoe(std::string_view text) {
  if (const auto mix = grid::parse_entsoe(text)) check_mix(*mix);
}

void fuzz_eia(std::string_view text) {
  grid::FuelMix mix;
  if (grid::parse_eia(text, "CISO", mix)) check_mix(mix);
}

/// Whatever is taken as points can be packed and is the same again.
void fuzz_points(std::string_view text) {
  std::vector<grid::Point> points;
  if (!grid::unpack(text, points)) return;
  const auto packed = grid::pack(points);
  std::vector<grid::Point> again;
  if (!packed || !grid::unpack(*packed, again) || again != points) std::abort();
  const auto runs = grid::start_runs(*packed);
  if (!runs || runs->empty() != points.empty()) std::abort();
}

/// Whatever comes into the store from a file comes in once: the second time nothing changes. The first byte chooses options.
void fuzz_import(std::string_view text) {
  static const testing::TempTree tree;
  static auto store = grid::Store::open(tree / "grid.sqlite");
  if (!store || text.empty()) return;
  const auto choice = static_cast<unsigned char>(text.front());
  grid::ImportOptions options;
  if ((choice & 1U) != 0) options.zone = "DE";
  if ((choice & 2U) != 0) options.label = grid::LabelEnd::end;
  if ((choice & 4U) != 0) options.kind = grid::SignalKind::marginal;
  if ((choice & 8U) != 0) options.time_zone = "America/New_York";
  if ((choice & 16U) != 0) options.resolution = std::chrono::minutes(5);
  const auto imported = grid::import_text(*store, text.substr(1), "fuzz.csv", options);
  if (!imported) return;
  const auto again = grid::import_text(*store, text.substr(1), "fuzz.csv", options);
  if (!again) std::abort();
  for (const auto& s : again->series) {
    if (s.change.added + s.change.replaced > 0) std::abort();
    if (!store->get(s.key, s.window) || !store->remove(s.key)) std::abort();
  }
}

/// Whatever is taken as a profile is a job of some length whose energy is a number.
void fuzz_profile(std::string_view text) {
  const auto steps = plan::read_profile(text, "power.csv", std::chrono::minutes(5));
  if (!steps) return;
  if (steps->empty()) std::abort();
  for (const Joules e : *steps) {
    if (!(e.value() >= 0 && e.value() <= 1e9 * 301)) std::abort();
  }
}

/// Whatever is taken as a trace is in order and within bounds; the first line, as waiting limits, has a class for every length.
void fuzz_trace(std::string_view text) {
  const auto limits = plan::parse_waiting_limits(text.substr(0, text.find('\n')));
  if (limits && (limits->empty() || limits->back().up_to != plan::kNoEnd)) std::abort();
  const auto source = grid::text_in_memory(text);
  const auto jobs = plan::read_trace(*source, "jobs.csv");
  if (!jobs) return;
  plan::Second before = 0;
  for (const plan::TracedJob& j : *jobs) {
    if (j.arrival < before || j.length < 1 || j.cpus < 1 || j.cpus > plan::kMostTraceCpus) std::abort();
    before = j.arrival;
  }
}

using Parser = void (*)(std::string_view);

const std::map<std::string_view, Parser>& parsers() {
  static const std::map<std::string_view, Parser> table{
      {"cgroup", fuzz_cgroup},
      {"workload", fuzz_workload},
      {"written_time", [](std::string_view t) { (void)grid::parse_written_time(t); }},
      {"channel", [](std::string_view t) { (void)ledger::channel_from_json(t); }},
      {"cpu_list", [](std::string_view t) { (void)sense::parse_cpu_list(t); }},
      {"csv", [](std::string_view t) { (void)csv_fields(t); }},
      {"cuda", fuzz_cuda},
      {"drm_fdinfo", [](std::string_view t) { (void)sense::parse_drm_fdinfo(t); }},
      {"dcmi", fuzz_dcmi},
      {"duration", [](std::string_view t) { (void)parse_duration(t); }},
      {"hwmon_label", fuzz_hwmon_label},
      {"iso8601", [](std::string_view t) { (void)parse_iso8601(t); }},
      {"import", fuzz_import},
      {"kernel_version", [](std::string_view t) { (void)sense::kernel_version(t); }},
      {"energy", [](std::string_view t) { (void)parse_energy(t); }},
      {"eia", fuzz_eia},
      {"entsoe", fuzz_entsoe},
      {"service", fuzz_service},
      {"gpu_metrics", [](std::string_view t) { (void)sense::parse_gpu_metrics(t); }},
      {"gpu_visibility", fuzz_gpu_visibility},
      {"intervals", fuzz_intervals},
      {"marks", fuzz_marks},
      {"metadata", fuzz_metadata},
      {"perf_event", [](std::string_view t) { (void)sense::parse_perf_event(t); }},
      {"nspid", [](std::string_view t) { (void)sense::parse_nspid(t); }},
      {"place", fuzz_place},
      {"pm_energy", [](std::string_view t) { (void)sense::parse_pm_energy(t); }},
      {"points", fuzz_points},
      {"proc_stat", fuzz_proc_stat},
      {"process_stat", [](std::string_view t) { (void)parse_process_stat(t); }},
      {"signal_masks", [](std::string_view t) { (void)job::has_stop_pending(job::parse_signal_masks(t)); }},
      {"record", fuzz_record},
      {"recording", fuzz_recording},
      {"redfish", fuzz_redfish},
      {"profile", fuzz_profile},
      {"trace", fuzz_trace},
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
