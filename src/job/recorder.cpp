// Writing a recording. Lines are put together by hand: the sampling thread calls this at every tick.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include <fmt/format.h>

#include "job/recording.hpp"

namespace gramwatt::job {
namespace {

constexpr std::size_t kFlushAt = 1U << 16U;

void put_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20 || byte > 0x7e) out += '?';  // messages of the kernel and of vendors are ASCII
    else out += c;
  }
  out += '"';
}

std::string_view name(meter::TickFacts::Kind kind) {
  switch (kind) {
    case meter::TickFacts::Kind::start: return "start";
    case meter::TickFacts::Kind::tick: return "tick";
    case meter::TickFacts::Kind::turn: return "turn";
    case meter::TickFacts::Kind::last: return "last";
  }
  return "tick";
}

void put_machine(std::string& out, const meter::ProcStat& stat) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "[{},{},{}", stat.all.idle, stat.all.steal, stat.online);
  for (const meter::CpuTicks& cpu : stat.cpus) fmt::format_to(to, ",{},{}", cpu.idle, cpu.steal);
  out += ']';
}

}  // namespace

class Recorder::Tap final : public sense::RawTap {
 public:
  Tap(std::string& out, std::size_t sensor) : out_(out), sensor_(sensor) {}
  void took(const sense::RawSample& sample) override {
    fmt::format_to(std::back_inserter(out_), "[\"s\",{},{}", sensor_, sample.at.monotonic.count());
    for (std::size_t i = 0; i < sample.count; ++i) {
      if (sample.has(i)) fmt::format_to(std::back_inserter(out_), ",{}", sample.values[i]);
      else out_ += ",null";
    }
    out_ += "]\n";
  }
  void failed(const Error& why) override {
    fmt::format_to(std::back_inserter(out_), "[\"e\",{},", sensor_);
    put_string(out_, why.message());
    out_ += "]\n";
  }

 private:
  std::string& out_;
  std::size_t sensor_;
};

Recorder::Recorder(Fd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {
  pending_.reserve(2 * kFlushAt);
}

Recorder::~Recorder() { flush(); }

Result<std::unique_ptr<Recorder>> Recorder::create(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return tl::unexpected(errno_error(errno, "cannot write", path.string()));
  return std::unique_ptr<Recorder>(new Recorder(std::move(fd), path));
}

Result<void> Recorder::begin(meter::Setup& setup, std::string version, std::string run, std::string tree) {
  RecordingHeader header;
  header.version = std::move(version);
  header.run = std::move(run);
  header.tree = std::move(tree);
  header.idle_owner = setup.idle_owner;
  header.detailed_ticks = setup.detailed_ticks;
  header.close_every = setup.close_every;
  header.cpu = setup.cpu;
  header.model = setup.model;
  header.platform = setup.platform;
  for (const auto& sensor : setup.sensors) {
    if (sensor->decoder() == nullptr) return fail("cannot be recorded", sensor->describe().device);
    header.sensors.push_back({sensor->describe(), *sensor->decoder()});
    taps_.push_back(std::make_unique<Tap>(pending_, taps_.size()));
    sensor->record_to(taps_.back().get());
  }
  setup.journal = this;
  pending_ += to_json(header) + "\n";
  return {};
}

void Recorder::tick(const meter::TickFacts& f) {
  auto to = std::back_inserter(pending_);
  fmt::format_to(to, "[\"tick\",\"{}\",{},{},{},{},", name(f.kind), f.at.monotonic.count(), f.at.boottime.count(),
                 f.at.utc.count(), f.sharers);
  if (f.tree_cpu) fmt::format_to(to, "{},", f.tree_cpu->count());
  else pending_ += "null,";
  if (f.machine != nullptr) put_machine(pending_, *f.machine);
  else pending_ += "null";
  pending_ += ",[";
  for (const auto& [sensor, share] : f.shares)
    fmt::format_to(to, "{}{},{:.9g}", pending_.back() == '[' ? "" : ",", sensor, share);
  pending_ += f.children_unseen ? "],true]\n" : "],false]\n";
  // Once a second, when CPU times were read: a kill loses no more than that.
  if (f.tree_cpu || pending_.size() > kFlushAt) flush();
}

void Recorder::flush() {
  std::string_view rest = pending_;
  while (!rest.empty() && !error_) {
    const ssize_t n = ::write(fd_.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error_ = errno_error(errno, "the recording is incomplete: cannot write", path_.string());
    else rest.remove_prefix(static_cast<std::size_t>(n));
  }
  pending_.clear();
}

Result<void> Recorder::end(const ledger::RunRecord& record) {
  pending_ += "[\"run\"," + ledger::to_json(record, -1) + "]\n";
  flush();
  if (error_) return tl::unexpected(*error_);
  return {};
}

}  // namespace gramwatt::job
