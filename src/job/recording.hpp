#pragma once
// A run as its raw readings: `run --record FILE`, `replay FILE`.
//
// A recording is JSON lines. The first is an object: which sensors there were, with the constants of their decoders, the CPU,
// the model. Then one array a line, in the order in which things happened:
//
//   ["s", sensor, monotonic ns, value…]         a raw sample; null: a value that this look did not give
//   ["e", sensor, "why"]                        a read that failed
//   ["tick", "start"|"tick"|"last", monotonic, boottime, utc, sharers, tree CPU ns | null,
//            [idle, steal, online CPUs, idle of CPU 0, steal of CPU 0, …] | null, [sensor, share, …], children unseen]
//   ["run", {…}]                                the account that was made of it (gramwatt.run/1), where the run came to its end
//
// A tick stands after the samples that belong to it. All of it goes through the same decoders and the same meter again when it
// is replayed, so a recording is a bug report, a golden test, and a way to profit from better arithmetic later. A recording
// that was cut off (kill, full disk) replays as far as it goes.

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "ledger/record.hpp"
#include "meter/meter.hpp"
#include "sense/raw.hpp"

namespace gramwatt::job {

struct RecordedSensor {
  sense::Description description;
  sense::DecoderSpec decoder;
};

struct RecordingHeader {
  std::string version;  ///< of the gramwatt that recorded
  std::string run;      ///< id
  std::string tree;     ///< mechanism that counted the process tree
  IdleOwner idle_owner = IdleOwner::job;
  bool detailed_ticks = true;
  Nanoseconds close_every = std::chrono::seconds(1);
  sense::CpuIdentity cpu;
  sense::PowerModel model;
  std::optional<meter::PlatformLift> platform;  ///< as Setup::platform
  std::vector<RecordedSensor> sensors;
};

[[nodiscard]] std::string to_json(const RecordingHeader& header);
[[nodiscard]] Result<RecordingHeader> parse_recording_header(std::string_view line);

struct RecordedSample {
  std::size_t sensor = 0;
  sense::RawSample sample;
};
struct RecordedFailure {
  std::size_t sensor = 0;
  std::string why;
};
struct RecordedTick {
  meter::TickFacts facts;  ///< its `machine` and `shares` are below
  std::optional<meter::ProcStat> machine;
  std::vector<std::pair<std::size_t, double>> shares;
};
struct RecordedRun {
  std::string json;
};
using RecordedLine = std::variant<RecordedSample, RecordedFailure, RecordedTick, RecordedRun>;

/// One line after the first. Whatever is wrong is an Error; sensors beyond `sensors` are wrong.
[[nodiscard]] Result<RecordedLine> parse_recorded_line(std::string_view line, std::size_t sensors);

/// Writes a recording while a run goes on. Used from the sampling thread; writes go to the page cache once a second. What
/// fails is remembered, and the run goes on.
class Recorder final : public meter::Journal {
 public:
  /// Truncates `path`. An Error before the run starts, not after.
  [[nodiscard]] static Result<std::unique_ptr<Recorder>> create(const std::filesystem::path& path);
  ~Recorder() override;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Writes the head and listens to the sensors of `setup`, which gets this journal. Sensors that cannot be recorded are an
  /// Error.
  [[nodiscard]] Result<void> begin(meter::Setup& setup, std::string version, std::string run, std::string tree);
  void tick(const meter::TickFacts& facts) override;
  /// Ends the recording with the account. The first error that occurred.
  [[nodiscard]] Result<void> end(const ledger::RunRecord& record);

 private:
  class Tap;
  explicit Recorder(Fd fd, std::filesystem::path path);
  void flush();

  Fd fd_;
  std::filesystem::path path_;
  std::vector<std::unique_ptr<Tap>> taps_;
  std::string pending_;
  std::optional<Error> error_;
};

}  // namespace gramwatt::job
