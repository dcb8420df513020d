// Whose work did a shared board do?
//
// Power belongs to the board; who used it is told in three ways, best first:
//   - time-sliced programs: nvmlDeviceGetProcessUtilization, samples of each process's share of the SMs. It wants the time of
//   the
//     last sample seen in MICROSECONDS since 1970 (a tool that gave seconds got the whole buffer again at every call), returns
//     garbage above 100 % and samples older than asked for on some drivers, and NOT_FOUND when nobody was active;
//   - where that is not supported: how many processes compute on the board, each taken alike;
//   - a partitioned (MIG) board: utilisation is not available for instances, so active energy goes by their slices: the job's
//   of
//     all slices whose instances have a process on them, of all slices of the board when that is hidden.
// "Active" is not power: a kernel that waits for memory may draw half of what another draws. The meter adds that error.
// Process ids are the host's: inside a container they mean nothing unless the host's /proc is mounted (GRAMWATT_PROCFS), whose
// NSpid lines translate; otherwise the board cannot tell, which is said, and nothing is guessed.

#include "sense/nvml_sharing.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

// The inode of the first process namespace: PROC_PID_INIT_INO, include/linux/proc_ns.h (0xEFFFFFFC).
constexpr std::string_view kRootNamespace = "pid:[4026531836]";
constexpr unsigned long long kStale = 10'000'000;  // µs: older than the newest sample by more than this is of another time
constexpr int kCostShare = 1000;                   // asking may take a thousandth of the time

std::string link_text(const std::filesystem::path& path) {
  std::error_code ec;
  return std::filesystem::read_symlink(path, ec).string();
}

}  // namespace

std::vector<pid_t> parse_nspid(std::string_view status) {
  std::vector<pid_t> ids;
  while (const auto line = next_line(status)) {
    if (!line->starts_with("NSpid:")) continue;
    for (const std::string_view field : split(line->substr(6), '\t')) {
      if (const auto id = parse_number<pid_t>(field)) ids.push_back(*id);
    }
  }
  return ids;
}

HostPids::HostPids(std::filesystem::path procfs) : procfs_(std::move(procfs)) {
  const auto status = read_file(procfs_ / "self" / "status", 8192);
  const std::size_t seen = status ? parse_nspid(*status).size() : 0;
  // One number and not in the root namespace: this /proc begins at a container, and NVML's numbers lie outside it.
  if (seen > 1 || link_text(procfs_ / "self" / "ns" / "pid") == kRootNamespace) depth_ = std::max<std::size_t>(seen, 1);
}

std::optional<pid_t> HostPids::here(pid_t host) const {
  if (depth_ == 0) return std::nullopt;
  if (depth_ == 1) return host;
  const auto status = read_file(procfs_ / std::to_string(host) / "status", 8192);
  if (!status) return std::nullopt;
  const auto ids = parse_nspid(*status);
  if (ids.size() < depth_) return std::nullopt;  // of the host, or of another container
  return ids[depth_ - 1];
}

GpuSharing::GpuSharing(std::shared_ptr<NvmlLibrary> library, NvmlDevice board, std::filesystem::path procfs,
                       std::optional<MigSlices> mig)
    : library_(std::move(library)), board_(board), pids_(std::move(procfs)), mig_(std::move(mig)) {
  processes_.resize(64);
  uses_.resize(256);
}

bool GpuSharing::can_tell() const {
  if (mig_) return true;
  return pids_.known() && (library_->compute_processes != nullptr || library_->process_use != nullptr);
}

GpuSharing::Whose GpuSharing::whose(unsigned pid, const std::function<bool(pid_t)>& is_job) const {
  if (!pids_.known()) return Whose::unknown;
  const auto here = pids_.here(static_cast<pid_t>(pid));
  return here && is_job(*here) ? Whose::job : Whose::other;
}

bool GpuSharing::list_processes() {
  if (library_->compute_processes == nullptr) return false;
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto count = static_cast<unsigned>(processes_.size());
    const NvmlReturn code = library_->compute_processes(board_, &count, processes_.data());
    if (code == kNvmlInsufficientSize) {
      processes_.resize(std::max<std::size_t>(count, processes_.size()) * 2);
      continue;
    }
    process_count_ = code == kNvmlSuccess ? std::min<std::size_t>(count, processes_.size()) : 0;
    return code == kNvmlSuccess;
  }
  return false;
}

std::optional<double> GpuSharing::by_use(const std::function<bool(pid_t)>& is_job) {
  if (library_->process_use == nullptr) return std::nullopt;
  auto count = static_cast<unsigned>(uses_.size());
  NvmlReturn code = library_->process_use(board_, uses_.data(), &count, newest_use_);
  if (code == kNvmlInsufficientSize) {
    uses_.resize(std::max<std::size_t>(count, uses_.size()) * 2);
    count = static_cast<unsigned>(uses_.size());
    code = library_->process_use(board_, uses_.data(), &count, newest_use_);
  }
  if (code != kNvmlSuccess) return std::nullopt;
  const auto begin = uses_.begin();
  const auto end = begin + std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(uses_.size()));
  unsigned long long newest = newest_use_;
  for (auto it = begin; it != end; ++it) newest = std::max(newest, it->timestamp);
  double job = 0, all = 0;
  for (auto it = begin; it != end; ++it) {
    const bool stale = it->timestamp <= newest_use_ || newest - it->timestamp > kStale;
    if (stale || it->sm > 100 || it->pid == 0) continue;
    all += it->sm;
    if (whose(it->pid, is_job) == Whose::job) job += it->sm;
  }
  newest_use_ = newest;
  if (all <= 0) return std::nullopt;
  return job / all;
}

std::optional<double> GpuSharing::by_processes(const std::function<bool(pid_t)>& is_job) {
  if (process_count_ == 0) return std::nullopt;
  std::size_t job = 0;
  for (std::size_t i = 0; i < process_count_; ++i) {
    if (whose(processes_[i].pid, is_job) == Whose::job) ++job;
  }
  return static_cast<double>(job) / static_cast<double>(process_count_);
}

std::optional<double> GpuSharing::by_slices() const {
  double ours = 0, active = 0, ours_active = 0;
  for (const MigSlices::Instance& i : mig_->instances) {
    const bool used = std::any_of(processes_.begin(), processes_.begin() + static_cast<std::ptrdiff_t>(process_count_),
                                  [&](const NvmlProcess& p) { return p.gpu_instance == i.id; });
    if (used) active += i.slices;
    if (i.usable_by_job) ours += i.slices;
    if (used && i.usable_by_job) ours_active += i.slices;
  }
  if (ours <= 0) return std::nullopt;
  return active > 0 ? ours_active / active : std::min(1.0, ours / std::max(1U, mig_->of));
}

std::optional<Ratio> GpuSharing::share(const std::function<bool(pid_t)>& is_job, const Clock& clock) {
  const Instant before = clock.now();
  if (before.monotonic < next_look_) return last_ ? std::optional(Ratio(*last_)) : std::nullopt;
  std::optional<double> share;
  const bool listed = list_processes();
  if (mig_) {
    share = by_slices();
    if (share) {
      slice_sum_ += *share;
      ++slice_looks_;
      if (!listed || process_count_ == 0) ++blind_looks_;
    }
  } else if (pids_.known()) {
    // A board with one program on it needs no samples.
    bool others = !listed;
    for (std::size_t i = 0; i < process_count_ && !others; ++i) others = whose(processes_[i].pid, is_job) == Whose::other;
    if (others) share = by_use(is_job);
    if (others && !share && library_->process_use == nullptr) share = by_processes(is_job);
    if (!others && process_count_ > 0) share = 1;
  }
  next_look_ = before.monotonic + kCostShare * elapsed(before, clock.now());
  last_ = share;
  return share ? std::optional(Ratio(*share)) : std::nullopt;
}

Settled GpuSharing::settled() const {
  Settled out;
  if (!mig_ || slice_looks_ == 0) return out;
  const double mean = slice_sum_ / slice_looks_;
  if (mean >= 0.999 || mean <= 0) return out;
  // At the one end the others did nothing and all was the job's; at the other they did twice what their slices say.
  out.terms["mig-slices"] = {-0.5, std::min(1 / mean - 1, 10.0)};
  out.notes.push_back(
      fmt::format("the board is partitioned (MIG) and measures itself as a whole; the job's instances get {:.3g} of "
                  "its active energy, by slices{}",
                  mean, blind_looks_ > 0 ? " of the whole board, because who is active is hidden here" : ""));
  return out;
}

}  // namespace gramwatt::sense
