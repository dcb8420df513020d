#include "sense/gpu_clients.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::sense {
namespace fs = std::filesystem;
namespace {

/// Processes whose descriptors are looked at anew in a round: of the job, of others.
constexpr int kJobsARound = 8, kOthersARound = 8;

/// PROC_PID_INIT_INO: the pid namespace of the host (include/linux/proc_ns.h).
constexpr const char* kHostPids = "pid:[4026531836]";

/// Calls `each` with every number that is a name in the folder, and the folder's descriptor. False: it cannot be opened.
template <class Each>
bool for_each_number(const char* folder, Each each) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder), &::closedir);
  if (!dir) return false;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    if (const auto number = parse_number<int>(entry->d_name)) each(*number, ::dirfd(dir.get()));
  }
  return true;
}
template <class Each>
bool for_each_number(const fs::path& folder, Each each) {
  return for_each_number(folder.c_str(), [&](int number, int) { each(number); });
}

/// "engine-NAME" and the like: the name behind `prefix`; empty when this is another key.
std::string_view name_behind(std::string_view key, std::string_view prefix) {
  return key.starts_with(prefix) ? key.substr(prefix.size()) : std::string_view{};
}

DrmClient::Engine& engine_of(DrmClient& client, std::string_view name) {
  for (DrmClient::Engine& e : client.engines) {
    if (e.name == name) return e;
  }
  client.engines.push_back({std::string(name), 0, 0});
  return client.engines.back();
}

void take_engine(DrmClient& client, std::string_view key, std::uint64_t number) {
  if (key.starts_with("drm-engine-capacity-")) return;  // several engines under one name add up their time
  if (const auto ns = name_behind(key, "drm-engine-"); !ns.empty()) {
    engine_of(client, ns).busy = number;
  } else if (const auto total = name_behind(key, "drm-total-cycles-"); !total.empty()) {
    engine_of(client, total).of_cycles = number;
  } else if (const auto cycles = name_behind(key, "drm-cycles-"); !cycles.empty()) {
    // Some drivers print cycles beside nanoseconds, without a total: nanoseconds win.
    DrmClient::Engine& e = engine_of(client, cycles);
    if (e.busy == 0) e.busy = number;
  }
}

/// Engine time that a client took between two looks. xe: the part of its engine's cycles that passed.
double work_between(const DrmClient::Engine& before, const DrmClient::Engine& now) {
  const double busy = now.busy > before.busy ? static_cast<double>(now.busy - before.busy) : 0;
  if (now.of_cycles == 0) return busy;
  const double passed = now.of_cycles > before.of_cycles ? static_cast<double>(now.of_cycles - before.of_cycles) : 0;
  return passed > 0 ? std::min(busy / passed, 64.0) : 0;
}

}  // namespace

std::optional<DrmClient> parse_drm_fdinfo(std::string_view text) {
  DrmClient client;
  bool has_id = false;
  while (const auto line = next_line(text)) {
    const auto colon = line->find(':');
    if (colon == std::string_view::npos || !line->starts_with("drm-")) continue;
    const std::string_view key = line->substr(0, colon);
    const std::string_view value = trim(line->substr(colon + 1));
    const auto number = parse_number<std::uint64_t>(value.substr(0, value.find(' ')));
    if (key == "drm-driver") {
      client.driver = value;
    } else if (key == "drm-pdev") {
      client.address = value;
    } else if (key == "drm-client-id" && number) {
      client.id = *number;
      has_id = true;
    } else if (number) {
      take_engine(client, key, *number);
    }
  }
  if (client.driver.empty() || !has_id) return std::nullopt;
  return client;
}

GpuClients::GpuClients(const Roots& roots) : roots_(roots), sees_everybody_(::geteuid() == 0) {
  std::error_code ec;
  host_pids_ = fs::read_symlink(roots.procfs / "self/ns/pid", ec) == kHostPids;
}

std::optional<Ratio> GpuClients::share(const GpuDevice& gpu, const std::function<bool(pid_t)>& is_job) {
  if (round_ == 0 || !asked_.insert(gpu.address).second) {
    begin_round(is_job);
    asked_.insert(gpu.address);
  }
  bool has_occupancy = false;
  const auto kfd = kfd_share(gpu, is_job, has_occupancy);
  if (kfd && has_occupancy) return kfd;
  const auto work = work_.find(gpu.address);
  if (work != work_.end() && work->second.all > 0) return Ratio(work->second.job / work->second.all);
  return kfd;
}

void GpuClients::begin_round(const std::function<bool(pid_t)>& is_job) {
  ++round_;
  asked_.clear();
  work_.clear();
  list_processes(is_job);
  read_clients();
}

/// Who is there now. New processes are looked into at once, the job's that have no GPU yet soon, the others in their turn.
void GpuClients::list_processes(const std::function<bool(pid_t)>& is_job) {
  for_each_number(roots_.procfs, [&](int pid) {
    const auto [it, is_new] = processes_.try_emplace(pid);
    it->second.seen = round_;
    if (!is_new) return;
    it->second.is_job = is_job(pid);  // what is born into the job stays in it
    find_descriptors(pid, it->second);
  });
  std::erase_if(processes_, [this](const auto& p) { return p.second.seen != round_; });
  look_again(true, kJobsARound, next_of_job_);
  look_again(false, kOthersARound, next_other_);
}

/// Looks anew into some processes of the job, or of others, going on where the last round ended.
void GpuClients::look_again(bool of_job, int most, pid_t& next) {
  auto it = processes_.lower_bound(next);
  int looked = 0;
  for (std::size_t i = 0; i < processes_.size() && looked < most; ++i, ++it) {
    if (it == processes_.end()) it = processes_.begin();
    if (it->second.is_job != of_job || it->second.is_hidden) continue;
    find_descriptors(it->first, it->second);
    ++looked;
  }
  next = it == processes_.end() ? 0 : it->first;
}

void GpuClients::find_descriptors(pid_t pid, Process& process) const {
  process.descriptors.clear();
  std::array<char, 10> target;
  constexpr std::string_view kNodes = "/dev/dri/";
  const std::string folder = fmt::format("{}/{}/fd", roots_.procfs.native(), pid);
  process.is_hidden = !for_each_number(folder.c_str(), [&](int fd, int at) {
    const auto name = fmt::format_int(fd);
    const ssize_t n = ::readlinkat(at, name.c_str(), target.data(), target.size());
    if (n > 0 && std::string_view(target.data(), static_cast<std::size_t>(n)).starts_with(kNodes))
      process.descriptors.push_back(fd);
  });
}

void GpuClients::read_clients() {
  std::map<std::string, std::pair<DrmClient, bool>, std::less<>> found;
  for (const auto& [pid, process] : processes_) {
    for (const int fd : process.descriptors) {
      const auto text = read_file(roots_.procfs / std::to_string(pid) / "fdinfo" / std::to_string(fd), 1U << 16U);
      if (!text) continue;
      auto client = parse_drm_fdinfo(*text);
      if (!client) continue;
      const std::string key = fmt::format("{}#{}", client->address, client->id);
      auto& [seen, is_job] = found[key];
      seen = std::move(*client);
      is_job = is_job || process.is_job;  // a descriptor that was handed on belongs to both
    }
  }
  for (const auto& [key, client] : found) account(client.first, client.second);
  std::erase_if(clients_, [this](const auto& c) { return c.second.seen != round_; });
}

void GpuClients::account(const DrmClient& now, bool is_job) {
  Client& known = clients_[fmt::format("{}#{}", now.address, now.id)];
  known.seen = round_;
  known.is_job = is_job;
  // One of the job's that was not there a moment ago began at zero; of the others nobody knows when they began.
  const bool begins_at_zero = known.is_new && is_job && round_ > 1;
  const bool counts = !known.is_new || begins_at_zero;
  known.is_new = false;
  double work = 0;
  for (const DrmClient::Engine& e : now.engines) {
    const auto [it, first] = known.engines.try_emplace(e.name, e);
    DrmClient::Engine before = it->second;
    if (first) before.busy = 0;
    if (first && e.of_cycles != 0) continue;  // when this engine's clock began is not known
    if (counts) work += work_between(before, e);
    it->second.busy = std::max(it->second.busy, e.busy);
    it->second.of_cycles = std::max(it->second.of_cycles, e.of_cycles);
  }
  Work& sum = work_[now.address];
  sum.all += work;
  if (is_job) sum.job += work;
}

std::size_t GpuClients::kfd_users(const GpuDevice& gpu) const {
  std::size_t users = 0;
  for_each_number(roots_.sysfs / "class/kfd/kfd/proc", [&](int pid) {
    bool here = false;
    const fs::path queues = roots_.sysfs / "class/kfd/kfd/proc" / std::to_string(pid) / "queues";
    for_each_number(queues, [&](int queue) {
      const auto id = parse_number<std::uint64_t>(read_line_or_empty(queues / std::to_string(queue) / "gpuid"));
      here = here || (id && *id == gpu.kfd_gpu);
    });
    users += here ? 1 : 0;
  });
  return users;
}

std::optional<Ratio> GpuClients::kfd_share(const GpuDevice& gpu, const std::function<bool(pid_t)>& is_job,
                                           bool& has_occupancy) const {
  if (gpu.kfd_gpu == 0 || !host_pids_) return std::nullopt;
  const fs::path folder = roots_.sysfs / "class/kfd/kfd/proc";
  Work occupancy;
  int job_users = 0, users = 0;
  for_each_number(folder, [&](int pid) {
    const fs::path process = folder / std::to_string(pid);
    bool has_queue = false;
    for_each_number(process / "queues", [&](int queue) {
      if (has_queue) return;
      const auto id = parse_number<std::uint64_t>(read_line_or_empty(process / "queues" / std::to_string(queue) / "gpuid"));
      has_queue = id && *id == gpu.kfd_gpu;
    });
    if (!has_queue) return;
    const bool of_job = is_job(pid);
    ++users;
    job_users += of_job ? 1 : 0;
    const auto units =
        parse_number<std::uint64_t>(read_line_or_empty(process / fmt::format("stats_{}", gpu.kfd_gpu) / "cu_occupancy"));
    if (!units) return;
    occupancy.all += static_cast<double>(*units);
    if (of_job) occupancy.job += static_cast<double>(*units);
  });
  has_occupancy = occupancy.all > 0;
  if (has_occupancy) return Ratio(occupancy.job / occupancy.all);
  if (users == 0 || (job_users > 0 && job_users < users)) return std::nullopt;
  return Ratio(job_users > 0 ? 1 : 0);
}

}  // namespace gramwatt::sense
