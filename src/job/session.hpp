#pragma once
// What measuring anything has in common, whether gramwatt starts it (run.hpp) or it runs already (attach.hpp): meter, ledger,
// ticks, and the record that comes of it. Who is measured, and when it ends, is the caller's.

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "job/account.hpp"
#include "job/budget.hpp"
#include "job/fetcher.hpp"
#include "job/ledger_writer.hpp"
#include "job/machine.hpp"
#include "job/markers.hpp"
#include "job/receipt.hpp"
#include "job/run_registry.hpp"
#include "ledger/record.hpp"
#include "meter/meter.hpp"
#include "meter/tree_cpu.hpp"

namespace gramwatt::job {

/// What the run is weighed with, and where it took place; made while the program already runs.
struct Context {
  Weights weights;
  ledger::Host host;
  ledger::PlaceFacts place;
  std::vector<std::string> notes, advice;
  /// What is known of the intensity in a window, without asking anybody; called again when the run has ended. Empty: the
  /// weights hold for all time. Both must own all that they need.
  std::function<grid::Intensities(grid::Window)> look;
  /// Asks providers for what is not known, and says what failed. Empty: nobody is asked.
  std::function<std::vector<std::string>()> fetch;
};

class Recorder;

/// What the live line and the trace see at every tick.
struct Progress {
  const meter::Tick& tick;
  const meter::Meter& meter;
  const std::vector<Channel>& channels;
  const ledger::RunRecord* begun;  ///< null until place and intensity are known
};

struct SessionOptions {
  std::vector<std::string> command;
  std::optional<std::string> name, project, stage;
  std::map<std::string, std::string> tags;
  /// Between samples. Unset: as often as somebody looks, which is every 100 ms with sensors or a trace, and once a second
  /// without, because nothing that is split once a second gains by waking more often.
  std::optional<Nanoseconds> interval;
  IdleOwner idle_owner = IdleOwner::job;
  std::optional<std::filesystem::path> ledger;
  std::optional<std::string> parent;  ///< id of the run that this one is nested in
  Roots roots;
  /// Is this process part of what is measured? Empty: what this process started is.
  std::function<bool(pid_t)> is_job;
  std::optional<std::string> id;  ///< of the run; a new one where it has none yet
  std::string version;
  std::function<Context(const Machine&)> context;  ///< called once, in another thread
  bool weigh_as_it_goes = false;                   ///< `used_until_now` is wanted
  bool detailed_ticks = false;                     ///< on_tick is a trace, and every tick counts
  std::function<void(const Progress&)> on_tick;    ///< may be empty
  Recorder* recorder = nullptr;                    ///< --record; outlives the session
};

/// One measurement, from its first readings to its record. Single-threaded, but for the ledger's own thread. In order: `start`,
/// `open_ledger`, `tick` whenever `timer` is readable, `finish`, `store`.
class Session {
 public:
  /// `options`, `clock` outlive the session.
  Session(const SessionOptions& options, Machine machine, const Clock& clock);

  /// The run id.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const Instant& started_at() const { return meter_->started_at(); }
  [[nodiscard]] Nanoseconds running_for() const { return elapsed(started_at(), meter_->last_tick().at); }

  /// For a program that gets this run's id into its environment: makes what its markers are written to. Before it starts.
  void expect_markers() { markers_.emplace(id_, options_.roots, clock_); }

  /// Sets the meter up and takes the first readings. `tree` outlives the session.
  [[nodiscard]] Result<void> start(meter::TreeCpu& tree);

  /// Begins the row, in the ledger's thread.
  void open_ledger();

  /// Readable when a tick is due.
  [[nodiscard]] const Fd& timer() const { return timer_; }

  /// Hangs up (POLLHUP) when a tick is due out of turn, because the program is about to mark; -1: not, or no more.
  [[nodiscard]] int first_marker() const { return markers_ ? markers_->fd() : -1; }

  /// Takes the timer's count, and one tick: missed ones (the machine slept, gramwatt was stopped) are one.
  /// `marker_came`: poll(2) says something of `first_marker`.
  [[gnu::hot]] void tick(bool marker_came = false);

  /// From now on the program does something else: an interval ends here. While it is held or away a tick every other minute
  /// will do. Begins with `running`; after `open_ledger` only.
  void enter(ledger::Doing doing);
  /// What the stretch that is on turned out to be.
  void mistaken(ledger::Doing doing) { stretches_.back().doing = doing; }

  /// The program's energy until the last tick, as far as it is settled.
  [[nodiscard]] Joules energy_so_far() const;

  /// All channels together, until the last tick.
  [[nodiscard]] Flow used_so_far() const;

  /// What budgets count, until the last interval that closed: weighed with what was known of the grid when the run began.
  /// Nothing before place and intensity are known.
  [[nodiscard]] std::optional<Used> used_until_now();

  /// Last readings, and the record but for how the program ended, which is the caller's to fill in.
  /// `receipt`: of a run that was moved in time.
  [[nodiscard]] ledger::RunRecord finish(const std::optional<ReceiptTerms>& receipt = {});

  /// The finished record to the ledger, and to the end of the recording. The first error of either, if any.
  struct Stored {
    std::optional<Error> ledger, recording;
  };
  [[nodiscard]] Stored store(const ledger::RunRecord& record);

 private:
  [[nodiscard]] Result<void> set_up_meter();
  [[gnu::hot]] void follow_markers(bool marker_came);
  [[gnu::hot]] void hand_over();
  [[nodiscard]] int sharers() { return registry_.sharers(clock_.now().monotonic); }
  [[nodiscard]] ledger::RunRecord begin_record(const Context& context);
  [[nodiscard]] Weights final_weights(ledger::RunRecord& record);
  void complete(ledger::RunRecord& record);
  void end_stretch(const Instant& at);
  void begin_stretch(ledger::Doing doing, const Instant& at);
  void derive_model(ledger::RunRecord& record) const;

  const SessionOptions& options_;
  Machine machine_;
  const Clock& clock_;
  std::string id_;
  RunRegistry registry_;
  meter::TreeCpu* tree_ = nullptr;
  std::optional<meter::Meter> meter_;
  Fd timer_;
  Nanoseconds interval_{};  ///< that the timer is set to, while the program runs
  std::optional<LedgerWriter> writer_;
  std::vector<sense::Blocked> blocked_;
  std::vector<std::string> sensor_notes_;
  SliceCollector slices_;
  std::vector<ledger::Stretch> stretches_;
  Instant stretch_began_;
  Flow before_stretch_;  ///< of all channels together
  std::optional<Markers> markers_;
  void weigh_as_it_goes(const Interval& interval);
  /// Of budgets. The ladder comes from the ledger's thread, before the record has begun.
  struct Weighed {
    grid::Ladder ahead;
    Joules energy, unweighed;
    Grams operation;  ///< at the plug: without PUE
  };
  Weighed weighed_;
  std::function<grid::Intensities(grid::Window)> look_;  ///< from the ledger's thread, once the record has begun
  std::optional<Fetcher> fetcher_;                       ///< likewise
};

}  // namespace gramwatt::job
