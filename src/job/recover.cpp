#include "job/recover.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/file.hpp"
#include "base/process.hpp"
#include "base/text.hpp"

namespace gramwatt::job {
namespace {

namespace fs = std::filesystem;

/// Processes of this user with this run's id in their environment. Once per lost job: the walk may take its time.
std::vector<pid_t> processes_of(const std::string& run_id) {
  const std::string wanted = "GRAMWATT_RUN_ID=" + run_id;
  std::vector<pid_t> found;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator("/proc", ec)) {
    const auto pid = parse_number<pid_t>(entry.path().filename().string());
    if (!pid || *pid == ::getpid()) continue;
    const auto text = read_file(entry.path() / "environ");
    if (!text) continue;
    const auto variables = split(*text, '\0');
    if (std::find(variables.begin(), variables.end(), wanted) != variables.end()) found.push_back(*pid);
  }
  return found;
}

/// The run's own cgroup is named after it: frozen, it can only have been frozen by its gramwatt.
bool thaw(pid_t pid, const std::string& run_id) {
  const auto memberships = read_file("/proc/" + std::to_string(pid) + "/cgroup");
  if (!memberships) return false;
  for (const auto line : split(*memberships, '\n')) {
    if (!line.starts_with("0::") || line.find(run_id) == std::string_view::npos) continue;
    for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      const fs::path freezer = fs::path(root + std::string(line.substr(3))) / "cgroup.freeze";
      if (read_line_or_empty(freezer) != "1") continue;
      return static_cast<bool>(std::ofstream(freezer) << "0" << std::flush);
    }
  }
  return false;
}

int let_run_on(const LostJob& lost) {
  int freed = 0;
  for (const pid_t pid : lost.processes) {
    if (thaw(pid, lost.job.id)) ++freed;
    const auto stat = process_stat(pid);
    if (stat && stat->state == 'T' && ::kill(pid, SIGCONT) == 0) ++freed;
  }
  return freed;
}

}  // namespace

Result<std::vector<LostJob>> find_lost(const ledger::Ledger& ledger) {
  auto jobs = ledger.jobs();
  if (!jobs) return tl::unexpected(jobs.error());
  const std::string here = ledger::this_host();
  std::vector<LostJob> all;
  for (ledger::JobRecord& j : *jobs) {
    if (j.state == ledger::JobState::ended || j.alive || j.owner.host != here) continue;
    LostJob lost{std::move(j), {}, 0};
    lost.processes = processes_of(lost.job.id);
    // A job that was held when everything died was stopped by us; one that was not may be stopped by somebody else.
    if (lost.job.state == ledger::JobState::held) lost.freed = let_run_on(lost);
    all.push_back(std::move(lost));
  }
  return all;
}

std::vector<std::string> command_to_go_on(const LostJob& lost) {
  if (!lost.processes.empty()) return {};
  const bool has_begun = lost.job.state != ledger::JobState::waiting;
  return has_begun && !lost.job.resume.empty() ? lost.job.resume : lost.job.command;
}

}  // namespace gramwatt::job
