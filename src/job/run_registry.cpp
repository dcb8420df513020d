#include "job/run_registry.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

#include "base/file.hpp"
#include "base/process.hpp"

namespace gramwatt::job {
namespace {

constexpr int kSlots = 512;  // one page; the 513th run at the same time shares with nobody

/// Start time of a process in clock ticks after boot; 0 when it is gone. A zombie has not left yet, but holds no run.
std::uint64_t start_time(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat && stat->state != 'Z' ? static_cast<std::uint64_t>(stat->start_ticks) : 0;
}

/// 22 bits of pid (the kernel's most), 42 bits of start time (1,400 years of ticks).
std::uint64_t token(pid_t pid, std::uint64_t start) { return (start << 22U) | (static_cast<std::uint64_t>(pid) & 0x3FFFFFU); }
pid_t pid_of(std::uint64_t token) { return static_cast<pid_t>(token & 0x3FFFFFU); }

}  // namespace

struct RunRegistry::Page {
  std::array<std::atomic<std::uint64_t>, kSlots> slots;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

RunRegistry::RunRegistry(const std::string& name) {
  // Every user's runs meet here, so the page is writable by all: the worst that a hostile writer can do is to shift idle power
  // between runs. Opened first without O_CREAT, because sticky folders refuse O_CREAT on another user's file.
  Fd fd(::shm_open(name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0));
  if (!fd) {
    fd = Fd(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (fd) (void)::fchmod(fd.get(), 0666);
    else fd = Fd(::shm_open(name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0));  // somebody was faster
  }
  struct stat info{};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  if (info.st_size < static_cast<off_t>(sizeof(Page)) && ::ftruncate(fd.get(), sizeof(Page)) != 0) return;
  void* memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory != MAP_FAILED) page_ = static_cast<Page*>(memory);
}

RunRegistry::~RunRegistry() {
  leave();
  if (page_ != nullptr) ::munmap(page_, sizeof(Page));
}

void RunRegistry::enter() {
  if (page_ == nullptr || slot_ >= 0) return;
  clear_dead();
  mine_ = token(getpid(), start_time(getpid()));
  for (int i = 0; i < kSlots; ++i) {
    std::uint64_t empty = 0;
    if (page_->slots[static_cast<std::size_t>(i)].compare_exchange_strong(empty, mine_)) {
      slot_ = i;
      return;
    }
  }
}

void RunRegistry::leave() {
  if (page_ == nullptr || slot_ < 0) return;
  page_->slots[static_cast<std::size_t>(slot_)].compare_exchange_strong(mine_, 0);
  slot_ = -1;
}

int RunRegistry::sharers(Nanoseconds monotonic) {
  if (page_ == nullptr) return 1;
  if (monotonic >= next_check_) {
    clear_dead();
    find_scanned();
    next_check_ = monotonic + std::chrono::seconds(1);
  }
  int count = 0;
  for (std::size_t i = 0; i < scanned_; ++i) count += page_->slots[i].load(std::memory_order_relaxed) != 0 ? 1 : 0;
  return std::max(count, 1);
}

/// Who enters takes the lowest empty slot, so newcomers appear just behind the last slot in use; nobody needs to look at a
/// whole cold page ten times a second.
void RunRegistry::find_scanned() {
  constexpr std::size_t kNewcomers = 8;  // a cache line; more than these within a second are seen a second later
  scanned_ = kSlots;
  while (scanned_ > 0 && page_->slots[scanned_ - 1].load(std::memory_order_relaxed) == 0) --scanned_;
  scanned_ = std::min<std::size_t>(scanned_ + kNewcomers, kSlots);
}

void RunRegistry::clear_dead() {
  for (auto& slot : page_->slots) {
    std::uint64_t seen = slot.load(std::memory_order_relaxed);
    if (seen != 0 && seen != mine_ && seen != token(pid_of(seen), start_time(pid_of(seen))))
      slot.compare_exchange_strong(seen, 0);
  }
}

}  // namespace gramwatt::job
