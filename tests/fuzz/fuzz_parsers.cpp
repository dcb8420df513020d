// One libFuzzer program for the parsers of kernel text, command lines and units: the first byte chooses the parser.
// Build and run: see tests/fuzz/run.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gramwatt;
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 16) {
    case 0: {
      meter::ProcStat stat;
      (void)meter::parse_proc_stat(text, true, stat);
      break;
    }
    case 1: {
      const auto cut = text.find('\0');
      (void)meter::cgroup2_folder_from(text.substr(0, cut), cut == std::string_view::npos ? "" : text.substr(cut + 1));
      break;
    }
    case 2: (void)parse_duration(text); break;
    case 3: (void)parse_energy(text); break;
    case 4: (void)csv_fields(text); break;
    case 5: (void)sense::visible_to_cuda({{"GPU-1234"}, {"GPU-5678"}}, std::string(text)); break;
    case 6: {
      const std::string body(text);
      (void)place::parse_aws_document(body);
      (void)place::parse_azure_compute(body);
      (void)place::parse_gcp(body, body);
      break;
    }
    case 7: (void)parse_process_stat(text); break;
    case 8: {
      // Whatever is taken as intervals can be packed and is the same again.
      std::vector<Interval> intervals;
      if (!ledger::unpack(text, intervals) || intervals.empty()) break;
      ledger::BlobWriter packed(intervals.front().flows.size());
      for (const Interval& i : intervals) packed.push(i);
      std::vector<Interval> again;
      if (!ledger::unpack(packed.bytes(), again) || again.size() != intervals.size()) std::abort();
      break;
    }
    case 9: (void)ledger::parse_tail(text); break;
    case 10: {
      // A record that can be read can be written, and is then read again.
      if (const auto record = ledger::from_json(text); record && !ledger::from_json(ledger::to_json(*record, -1))) std::abort();
      break;
    }
    case 12: (void)sense::parse_cpu_list(text); break;
    case 14: (void)sense::parse_pm_energy(text); break;
    case 13: (void)sense::parse_perf_event(text); break;
    case 11: (void)ledger::channel_from_json(text); break;
    case 15: {  // a recording: whatever it says, the meter and the account survive it
      std::istringstream in{std::string(text)};
      job::ReplayOptions options;
      options.context = [](const sense::CpuIdentity&, const sense::PowerModel&) { return job::Context{}; };
      (void)job::replay(in, options);
      break;
    }
  }
  return 0;
}
