#include "meter/process_share.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::meter {
namespace {

constexpr std::size_t kLongestCommand = 512;  // more is never shown

/// A small file of a process; empty when it has ended or is hidden.
std::string_view read_of(int proc, pid_t pid, const char* name, std::span<char> buffer) {
  std::array<char, 32> path{};
  *fmt::format_to_n(path.data(), path.size() - 1, "{}/{}", pid, name).out = '\0';
  const Fd file(::openat(proc, path.data(), O_RDONLY | O_CLOEXEC));
  const auto text = file ? pread_text(file.get(), buffer.data(), buffer.size()) : fail("gone");
  return text ? *text : std::string_view();
}

}  // namespace

Microjoules split_by_cpu(Microjoules active, Nanoseconds machine_cpu, std::span<const Nanoseconds> cpu,
                         std::vector<Microjoules>& out) {
  out.assign(cpu.size(), Microjoules{});
  Nanoseconds sum{};
  for (const Nanoseconds c : cpu) sum += std::max(Nanoseconds{0}, c);
  const Nanoseconds all = std::max(machine_cpu, sum);
  Microjoules left = active;
  if (all <= Nanoseconds{0} || active.count() <= 0) return left;
  // 64 bits of mantissa, so that a share is right to the microjoule; whatever is rounded, no more is given than there is.
  const long double each = static_cast<long double>(active.count()) / static_cast<long double>(all.count());
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    const auto share = static_cast<std::int64_t>(each * static_cast<long double>(std::max(Nanoseconds{0}, cpu[i]).count()));
    out[i] = std::min(left, Microjoules(share));
    left -= out[i];
  }
  return left;
}

Result<ProcessShare> ProcessShare::open() {
  auto table = ProcessTable::open();
  if (!table) return tl::unexpected(table.error());
  ProcessShare share(std::move(*table));
  (void)share.take({}, {});
  return share;
}

/// Who it is. What lives for one look only is not asked for more than its stat file told.
void ProcessShare::learn(ProcessUse& use, bool second_look) {
  std::array<char, 4096> buffer;
  std::array<char, 16> path{};
  *std::to_chars(path.data(), path.data() + path.size() - 1, use.look.pid).ptr = '\0';
  struct stat info{};
  if (::fstatat(table_.folder(), path.data(), &info, 0) == 0) use.user = info.st_uid;
  use.workload = workload_from(read_of(table_.folder(), use.look.pid, "cgroup", buffer));
  if (!second_look) return;
  std::string_view line = read_of(table_.folder(), use.look.pid, "cmdline", {buffer.data(), kLongestCommand});
  while (!line.empty() && line.back() == '\0') line.remove_suffix(1);
  use.command = line.empty() ? "[" + use.name + "]" : std::string(line);
  std::replace(use.command.begin(), use.command.end(), '\0', ' ');
}

void ProcessShare::forget_the_ended() {
  std::erase_if(kept_, [this](const auto& each) {
    const ProcessLook& look = each.second.use.look;
    const auto at = books_.entries().find(look.pid);
    const bool lives = at != books_.entries().end() && at->second.last.start_ticks == look.start_ticks;
    if (!lives) ended_ += each.second.use.total;
    return !lives;
  });
}

ProcessShare::Split ProcessShare::take(Microjoules active, Nanoseconds machine_cpu) {
  const std::vector<ProcessLook>& looks = table_.look();
  books_.take(looks);
  forget_the_ended();
  order_.clear();
  live_.clear();
  cpu_.clear();
  for (const ProcessLook& look : looks) {
    Kept& k = kept_[look.pid];
    k.use.look = look;
    k.use.cpu = books_.entries().at(look.pid).fresh;
    const std::string& name = table_.name(look.pid);
    // Again at the second look: a process is moved to its cgroup, and becomes what it is, after it was born. And after an exec.
    const bool changed = k.use.name != name;
    if (changed) k.use.name = name;
    if (++k.looks <= 2 || changed) learn(k.use, k.looks >= 2 || books_.looks() == 1);
    order_.push_back(&k);
    live_.push_back(&k.use);
    cpu_.push_back(k.use.cpu);
  }
  Split split{active, active, split_by_cpu(active, machine_cpu, cpu_, energy_)};
  split.attributed -= split.unattributed;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    order_[i]->use.energy = energy_[i];
    order_[i]->use.total += energy_[i];
  }
  unattributed_ += split.unattributed;
  return split;
}

}  // namespace gramwatt::meter
