#include "meter/machine_cpu.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "sense/power_model.hpp"

namespace gramwatt::meter {
namespace {

/// "cpu  user nice system idle iowait irq softirq steal guest guest_nice": guest time is already in user.
bool parse_cpu_line(std::string_view line, CpuTicks& out) {
  line.remove_prefix(std::min(line.find(' '), line.size()));
  std::array<std::uint64_t, 8> field{};
  for (std::uint64_t& f : field) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), f);
    if (error != std::errc{}) return false;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  }
  out = {field[3] + field[4], field[7]};
  return true;
}

}  // namespace

bool parse_proc_stat(std::string_view text, bool each, ProcStat& out) {
  out.online = 0;
  out.cpus.clear();
  bool have_total = false;
  while (const auto line = next_line(text)) {
    if (!line->starts_with("cpu")) break;
    if (line->starts_with("cpu ")) {
      if (!parse_cpu_line(*line, out.all)) return false;
      have_total = true;
      continue;
    }
    ++out.online;
    if (!each) continue;
    CpuTicks ticks;
    if (!parse_cpu_line(*line, ticks)) return false;
    out.cpus.push_back(ticks);
  }
  return have_total && out.online > 0;
}

MachineCpu::MachineCpu(const Roots& roots, const sense::CpuIdentity& cpu, StatSource source)
    : source_(std::move(source)), core_of_thread_(cpu.core_of_thread) {
  const long hz = sysconf(_SC_CLK_TCK);
  tick_ = Nanoseconds(1'000'000'000 / std::max(1L, hz));
  smt_ = cpu.threads > cpu.cores && !core_of_thread_.empty();
  scratch_.resize(static_cast<std::size_t>(std::max(1, cpu.cores)));
  // A line of a single CPU takes up to some 100 characters; what follows the CPU lines is not needed.
  buffer_.resize(4096 + static_cast<std::size_t>(std::max(1, cpu.threads)) * 160);
  if (source_) return;
  if (auto fd = open_read(roots.procfs / "stat")) fd_ = std::move(*fd);
}

bool MachineCpu::read_file() {
  if (!fd_) return false;
  const auto text = pread_text(fd_.get(), buffer_.data(), buffer_.size());
  return text && parse_proc_stat(*text, smt_ || each_, now_);
}

std::optional<MachineCpu::Use> MachineCpu::read(const Instant& now) {
  read_well_ = source_ ? source_(smt_ || each_, now_) : read_file();
  if (!read_well_) return std::nullopt;
  Use use;
  if (last_at_) {
    const Nanoseconds passed = elapsed(*last_at_, now);
    const auto ticks = [&](std::uint64_t from, std::uint64_t to) {
      return tick_ * static_cast<std::int64_t>(to > from ? to - from : 0);
    };
    const Nanoseconds whole = passed * static_cast<std::int64_t>(now_.online);
    use.steal = std::min(ticks(last_.all.steal, now_.all.steal), whole);
    use.busy = std::clamp(whole - ticks(last_.all.idle, now_.all.idle) - use.steal, Nanoseconds{0}, whole);
    if (smt_ && now_.online == last_.online) use.capacity = capacity_of_busy_thread(passed);
    if (each_) take_busy_by_cpu(passed);
  }
  std::swap(last_, now_);
  last_at_ = now;
  return use;
}

void MachineCpu::take_busy_by_cpu(Nanoseconds passed) {
  busy_by_cpu_.clear();
  if (last_.cpus.size() != now_.cpus.size()) return;  // one went offline or came back
  for (std::size_t i = 0; i < now_.cpus.size(); ++i) {
    const auto still = (now_.cpus[i].idle - last_.cpus[i].idle) + (now_.cpus[i].steal - last_.cpus[i].steal);
    busy_by_cpu_.push_back(std::clamp(passed - tick_ * static_cast<std::int64_t>(still), Nanoseconds{0}, passed));
  }
}

double MachineCpu::capacity_of_busy_thread(Nanoseconds passed) {
  if (passed <= Nanoseconds{0} || core_of_thread_.size() != now_.cpus.size() || last_.cpus.size() != now_.cpus.size()) return 1;
  busy_fraction_.resize(now_.cpus.size());
  double sum = 0;
  for (std::size_t i = 0; i < now_.cpus.size(); ++i) {
    const auto still =
        static_cast<double>((now_.cpus[i].idle - last_.cpus[i].idle) + (now_.cpus[i].steal - last_.cpus[i].steal));
    busy_fraction_[i] =
        std::clamp(1 - still * static_cast<double>(tick_.count()) / static_cast<double>(passed.count()), 0.0, 1.0);
    sum += busy_fraction_[i];
  }
  if (sum <= 0) return 1;
  return sense::core_capacity_used(busy_fraction_, core_of_thread_, scratch_) * static_cast<double>(now_.cpus.size()) / sum;
}

}  // namespace gramwatt::meter
