// The reading side of mark/protocol.h.
//
// The program may write anything there, at any time, and may even cut the file. So nothing is mapped (a mapping of a cut file
// raises SIGBUS), what was read is a copy that nobody changes, and every number in it is checked against what it counts. A
// ring whose numbers make no sense loses what is in it and goes on from where its owner says it is.
//
// Reading costs nothing until a program attaches (the bell is in the poll(2) that waits for the next tick), then one pread(2) a
// tick, and two or three a ring in use.
//
// Times of the processor's counter are put on the monotonic clock by pairs of both that are taken at each drain, with straight
// lines in between: whatever the kernel does to its clock's rate, an event lies between the two ticks that it happened between.

#include "job/mark_buffers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <utility>

#include "mark/protocol.h"

namespace gramwatt::job {
namespace {

static_assert(sizeof(gwm_name) * GWM_NAMES == GWM_NAMES_SIZE && sizeof(gwm_event) == 16);
static_assert(GWM_OWNERS_AT + sizeof(gwm_owner) * GWM_RINGS <= GWM_NAMES_AT && GWM_NAMES_AT + GWM_NAMES_SIZE <= GWM_RINGS_AT);
static_assert(sizeof(gwm_ring) <= GWM_EVENTS_AT && GWM_RING_SIZE <= GWM_RING_STRIDE);

/// An event that was held up longer than these ticks is placed at their beginning.
constexpr std::size_t kAnchors = 128;
/// Two looks at the clocks this close to each other are one instant.
constexpr std::uint64_t kSameInstant = 50'000;  // counts: some 20 µs

std::uint64_t counter() {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  std::uint64_t count = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
#else
  return 0;
#endif
}

std::uint64_t ring_at(std::size_t index) { return GWM_RINGS_AT + static_cast<std::uint64_t>(index) * GWM_RING_STRIDE; }

/// Makes the file and its first pages; the rest costs nothing until somebody claims it.
Result<Fd> make_file(const std::string& path, MarkClock kind) {
  // A file beyond the limit would be a signal, not an error.
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < GWM_FILE_SIZE)
    return fail("the limit for the size of files is too small", path, "ulimit -f unlimited");
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return tl::unexpected(errno_error(errno, "cannot make shared memory", path));
  gwm_header header{};
  header.magic = GWM_MAGIC;
  header.clock = static_cast<std::uint32_t>(kind);
  if (::ftruncate(fd.get(), static_cast<off_t>(GWM_FILE_SIZE)) != 0 || ::fallocate(fd.get(), 0, 0, GWM_NAMES_AT) != 0 ||
      ::pwrite(fd.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) {
    const int error = errno;
    (void)::unlink(path.c_str());
    return tl::unexpected(errno_error(error, "cannot make shared memory", path));
  }
  return fd;
}

/// A FIFO whose reading end hangs up when somebody has opened the other one and closed it. (inotify would tell of the file
/// itself, but giving a watch back takes 15 ms.)
Fd make_bell(const std::string& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) return {};
  return Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
}

/// False: no event that the library writes.
bool decode(std::uint64_t what, std::uint32_t ring, meter::MarkEvent& e) {
  const auto name_or_ring = static_cast<std::uint32_t>(what >> GWM_NAME_SHIFT & 0xFFFFU);
  const std::uint64_t serial = what & ((std::uint64_t{1} << GWM_NAME_SHIFT) - 1);
  if (serial > GWM_SERIAL_MASK || name_or_ring == 0) return false;
  const auto region = [&](std::uint32_t number) { return std::uint64_t{number} << GWM_NAME_SHIFT | serial; };
  switch (what >> GWM_KIND_SHIFT) {
    case GWM_BEGIN:
      e.kind = meter::MarkKind::begin;
      e.name = name_or_ring;
      e.region = region(ring);
      return name_or_ring <= GWM_OTHER_NAMES;
    case GWM_END:
      e.kind = meter::MarkKind::end;
      e.region = region(name_or_ring);
      return name_or_ring <= GWM_RINGS;
    case GWM_MARK:
      e.kind = meter::MarkKind::mark;
      e.name = name_or_ring;
      return name_or_ring <= GWM_OTHER_NAMES && serial == 0;
    default: return false;
  }
}

}  // namespace

MarkClock mark_clock(const Roots& roots) {
  const std::string kept_by = read_line_or_empty(roots.sysfs / "devices/system/clocksource/clocksource0/current_clocksource");
  return kept_by == "tsc" || kept_by == "arch_sys_counter" ? MarkClock::counter : MarkClock::monotonic;
}

std::string mark_path(const std::string& run_id) { return GWM_PREFIX + run_id; }

void remove_marks(const std::string& run_id) {
  (void)::unlink(mark_path(run_id).c_str());
  (void)::unlink((mark_path(run_id) + GWM_DOORBELL).c_str());
}

Result<MarkBuffers> MarkBuffers::make(const std::string& run_id, MarkClock kind, const Clock& clock) {
  const std::string path = mark_path(run_id);
  auto file = make_file(path, kind);
  if (!file) return tl::unexpected(file.error());
  MarkBuffers buffers(std::move(*file), kind, clock);
  buffers.bell_ = make_bell(path + GWM_DOORBELL);
  buffers.path_ = path;
  return buffers;
}

MarkBuffers::MarkBuffers(Fd file, MarkClock kind, const Clock& clock) : file_(std::move(file)), kind_(kind), clock_(&clock) {
  anchors_.push_back(look_at_clocks());
}

MarkBuffers::~MarkBuffers() {
  if (!file_ || path_.empty()) return;
  (void)::unlink(path_.c_str());
  (void)::unlink((path_ + GWM_DOORBELL).c_str());
}

bool MarkBuffers::attached() {
  if (attached_) return true;
  if (bell_) {
    pollfd bell{bell_.get(), 0, 0};
    attached_ = ::poll(&bell, 1, 0) > 0;
  } else {
    attached_ = look_at_header();
  }
  if (attached_) bell_.reset();
  return attached_;
}

bool MarkBuffers::read_at(void* into, std::size_t size, std::uint64_t offset) const {
  return ::pread(file_.get(), into, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

/// Has any thread claimed a ring?
bool MarkBuffers::look_at_header() {
  gwm_header header{};
  if (!read_at(&header, sizeof header, 0)) return false;
  refused_ = std::max(refused_, header.refused);
  const std::size_t claimed = std::min<std::size_t>(header.rings_claimed, GWM_RINGS);
  if (claimed > rings_.size()) rings_.resize(claimed);
  return !rings_.empty();
}

/// The clocks are looked at one after the other; the pair is good if nothing came between.
MarkBuffers::Anchor MarkBuffers::look_at_clocks() const {
  if (kind_ == MarkClock::monotonic) {
    const Nanoseconds at = clock_->now().monotonic;
    return {static_cast<std::uint64_t>(at.count()), at};
  }
  Anchor anchor;
  for (int tries = 0; tries < 4; ++tries) {
    const std::uint64_t before = counter();
    anchor.at = clock_->now().monotonic;
    const std::uint64_t passed = counter() - before;
    anchor.time = before + passed / 2;
    if (passed < kSameInstant) break;
  }
  return anchor;
}

void MarkBuffers::drain(std::vector<meter::MarkEvent>& out) {
  raw_.clear();
  if (look_at_header()) {
    for (std::size_t i = 0; i < rings_.size(); ++i) drain_ring(i);
  }
  const Anchor now = look_at_clocks();  // after the events, so that it is later than all of them
  if (now.time > anchors_.back().time && now.at > anchors_.back().at) anchors_.push_back(now);
  if (anchors_.size() > kAnchors) anchors_.pop_front();
  for (const Raw& raw : raw_) {
    meter::MarkEvent e;
    if (!decode(raw.what, raw.ring, e)) {
      ++damaged_;
      continue;
    }
    Nanoseconds& last = rings_[raw.ring - 1].last;
    e.at = last = std::max(last, when(raw.time));
    out.push_back(e);
  }
}

void MarkBuffers::drain_ring(std::size_t index) {
  Ring& ring = rings_[index];
  gwm_ring head{};
  if (!read_at(&head, sizeof head, ring_at(index))) return;
  ring.dropped = std::max(ring.dropped, head.dropped);
  const std::uint64_t count = head.head - ring.tail;
  if (count == 0) return;
  if (count <= GWM_EVENTS) {
    // What stands before the head is there once the head is seen: no read of an event may come before that of the head.
    (void)std::atomic_ref(head.head).load(std::memory_order_acquire);
    std::array<gwm_event, 512> part{};
    for (std::uint64_t done = 0; done < count;) {
      const std::uint64_t at = (ring.tail + done) % GWM_EVENTS;
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>({count - done, part.size(), GWM_EVENTS - at}));
      if (!read_at(part.data(), n * sizeof(gwm_event), ring_at(index) + GWM_EVENTS_AT + at * sizeof(gwm_event))) return;
      for (std::size_t i = 0; i < n; ++i) raw_.push_back({part[i].time, part[i].what, static_cast<std::uint32_t>(index + 1)});
      done += n;
    }
  } else {
    ++damaged_;
  }
  ring.tail = head.head;
  (void)!::pwrite(file_.get(), &ring.tail, sizeof ring.tail, static_cast<off_t>(ring_at(index) + offsetof(gwm_ring, tail)));
}

Nanoseconds MarkBuffers::when(std::uint64_t time) const {
  const auto after =
      std::upper_bound(anchors_.begin(), anchors_.end(), time, [](std::uint64_t t, const Anchor& a) { return t < a.time; });
  if (after == anchors_.begin()) return anchors_.front().at;
  if (after == anchors_.end()) return anchors_.back().at;
  const Anchor& a = *std::prev(after);
  const Anchor& b = *after;
  const double part = static_cast<double>(time - a.time) / static_cast<double>(b.time - a.time);
  return a.at + Nanoseconds(std::llround(static_cast<double>((b.at - a.at).count()) * part));
}

std::string MarkBuffers::name(std::uint32_t id) const {
  if (id == GWM_OTHER_NAMES) return "(further names)";
  gwm_name slot{};
  if (id == 0 || id > GWM_NAMES || !read_at(&slot, sizeof slot, GWM_NAMES_AT + std::uint64_t{id - 1} * sizeof slot) ||
      slot.ready != 1)
    return "(damaged name)";
  const std::string_view text(std::begin(slot.text), std::find(std::begin(slot.text), std::end(slot.text), '\0'));
  std::string name(text);
  for (char& c : name) {  // a line break or an escape must not break the screen
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return name.empty() ? "(empty name)" : name;
}

std::uint64_t MarkBuffers::dropped() const {
  std::uint64_t sum = refused_;
  for (const Ring& r : rings_) sum += r.dropped;
  return sum;
}

}  // namespace gramwatt::job
