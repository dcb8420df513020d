// Whose work a package did.
//
// A package's active energy is shared among programs. Their shares of all CPU time are a poor measure in three ways: a job on
// one socket would pay for another program on the other one; a second of CPU time at 3.5 GHz costs more than one at 2 GHz; and
// of two hardware threads on one core the second adds little to what the core draws. METRION (arXiv 2512.06806) models all
// three and reaches 4 % a thread, where plain CPU time is several times worse. So, where perf allows:
//
//   socket      the job's work and everybody's are counted CPU by CPU, and each package is shared by its own;
//   frequency   unhalted cycles instead of time; a core's power grows a little faster than its frequency, so that cycles still
//               favour the faster one somewhat, which the error term covers;
//   SMT         a core counts as its busier thread plus 0.28 of the others (a lone thread does 0.78 of what both do,
//               sense/core_capacity.cpp), and is shared by the cycles of each on it.
//
// The counters are perf events with a cgroup filter, two a CPU: nothing is inherited, so that forks cost the program nothing.
// They need perf_event_paranoid ≤ 0 or CAP_PERFMON, and the run's own cgroup. Without a PMU (most guests) CPU time stands for
// cycles, which still tells sockets apart. Facts: perf_event_open(2).

#include "meter/package_share.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::meter {
namespace {

constexpr double kFurtherThread = 1 / 0.78 - 1;  ///< what the second thread of a core adds to the first one's work

struct Core {
  double busiest = 0, all = 0, job = 0;
};

/// A counter that shares its hardware with others ran only part of the time: count and both times, as perf gives them.
struct Scaled {
  std::uint64_t count = 0, enabled = 0, running = 0;
};

}  // namespace

std::optional<double> package_share(std::span<const CpuWork> work, const sense::CpuIdentity& cpu, int package) {
  const std::size_t threads = std::min({work.size(), cpu.core_of_thread.size(), cpu.package_of_thread.size()});
  std::vector<Core> cores(static_cast<std::size_t>(std::max(1, cpu.cores)));
  for (std::size_t n = 0; n < threads; ++n) {
    const auto core = static_cast<std::size_t>(cpu.core_of_thread[n]);  // -1 becomes huge: offline
    if (core >= cores.size() || (package >= 0 && cpu.package_of_thread[n] != package)) continue;
    // Two counters are read one after the other: a job that did all the work may seem to have done a little more.
    const double all = std::max(work[n].all, work[n].job);
    cores[core].busiest = std::max(cores[core].busiest, all);
    cores[core].all += all;
    cores[core].job += work[n].job;
  }
  double used = 0, job = 0;
  for (const Core& c : cores) {
    if (c.all <= 0) continue;
    const double weight = c.busiest + kFurtherThread * (c.all - c.busiest);
    used += weight;
    job += weight * c.job / c.all;
  }
  if (used <= 0) return std::nullopt;
  return std::clamp(job / used, 0.0, 1.0);
}

int package_number(std::string_view device) {
  constexpr std::string_view kWord = "package-";
  const auto at = device.find(kWord);
  if (at == std::string_view::npos) return -1;
  device.remove_prefix(at + kWord.size());
  return parse_number<int>(device.substr(0, device.find_first_not_of("0123456789"))).value_or(-1);
}

CpuCounterOpener system_cpu_counter_opener() {
  return [](CpuUnit unit, int cpu, int cgroup) -> Result<CpuCounter> {
    perf_event_attr attr{};
    attr.size = sizeof attr;
    attr.type = unit == CpuUnit::cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
    attr.config = unit == CpuUnit::cycles ? static_cast<std::uint64_t>(PERF_COUNT_HW_CPU_CYCLES)
                                          : static_cast<std::uint64_t>(PERF_COUNT_SW_CPU_CLOCK);
    attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    const unsigned long flags = PERF_FLAG_FD_CLOEXEC | (cgroup < 0 ? 0UL : PERF_FLAG_PID_CGROUP);
    const auto fd = std::make_shared<Fd>(static_cast<int>(::syscall(SYS_perf_event_open, &attr, cgroup, cpu, -1, flags)));
    if (!*fd) return tl::unexpected(errno_error(errno, "cannot count the work of a CPU", "perf_event"));
    return [fd]() -> Result<double> {
      Scaled s;
      if (::read(fd->get(), &s, sizeof s) != sizeof s)
        return tl::unexpected(errno_error(errno, "cannot read the work of a CPU", "perf_event"));
      if (s.running == 0) return 0.0;
      return static_cast<double>(s.count) * (static_cast<double>(s.enabled) / static_cast<double>(s.running));
    };
  };
}

Result<std::unique_ptr<WorkByCpu>> WorkByCpu::open(const sense::CpuIdentity& cpu, int cgroup, const CpuCounterOpener& opener) {
  auto work = std::make_unique<WorkByCpu>();
  // The first CPU tells what there is.
  const auto first = std::find_if(cpu.core_of_thread.begin(), cpu.core_of_thread.end(), [](int core) { return core >= 0; });
  if (first == cpu.core_of_thread.end() || cgroup < 0) return fail("no topology or no cgroup");
  if (!opener(CpuUnit::cycles, static_cast<int>(first - cpu.core_of_thread.begin()), -1)) {
    if (cpu.packages < 2) return fail("cycles cannot be counted, and CPU time tells as much");
    work->unit_ = CpuUnit::cpu_time;
  }
  work->cpus_.resize(cpu.core_of_thread.size());
  work->work_.resize(cpu.core_of_thread.size());
  for (std::size_t n = 0; n < work->cpus_.size(); ++n) {
    if (cpu.core_of_thread[n] < 0) continue;
    auto job = opener(work->unit_, static_cast<int>(n), cgroup);
    if (!job) return tl::unexpected(job.error());
    work->cpus_[n].job = std::move(*job);
    if (work->unit_ != CpuUnit::cycles) continue;
    auto all = opener(work->unit_, static_cast<int>(n), -1);
    if (!all) return tl::unexpected(all.error());
    work->cpus_[n].all = std::move(*all);
  }
  return work;
}

bool WorkByCpu::read(std::span<const Nanoseconds> busy, std::span<const CpuWork>& out) {
  for (std::size_t n = 0; n < cpus_.size(); ++n) {
    Cpu& c = cpus_[n];
    work_[n] = {};
    if (!c.job) continue;
    const auto job = c.job();
    if (!job) return false;
    work_[n].job = std::max(0.0, *job - c.last_job);
    c.last_job = *job;
    if (!c.all) {
      work_[n].all = n < busy.size() ? static_cast<double>(busy[n].count()) : work_[n].job;
      continue;
    }
    const auto all = c.all();
    if (!all) return false;
    work_[n].all = std::max(0.0, *all - c.last_all);
    c.last_all = *all;
  }
  out = work_;
  return true;
}

}  // namespace gramwatt::meter
