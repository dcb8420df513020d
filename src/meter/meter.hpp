#pragma once
// How much energy did this process tree use between two instants? See meter.cpp.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/clock.hpp"
#include "base/system.hpp"
#include "meter/journal.hpp"
#include "meter/machine_cpu.hpp"
#include "meter/package_share.hpp"
#include "meter/platform.hpp"
#include "sense/power_model.hpp"
#include "sense/sensor.hpp"

namespace gramwatt::meter {

struct Setup {
  const Clock* clock = nullptr;
  Roots roots;
  sense::CpuIdentity cpu;
  sense::PowerModel model;
  std::optional<PlatformLift> platform;  ///< measured, where CPU sensors are; else it is modelled
  std::vector<std::unique_ptr<sense::Sensor>> sensors;
  IdleOwner idle_owner = IdleOwner::job;
  Nanoseconds close_every = std::chrono::seconds(1);
  /// `last_tick` is wanted at every tick (a trace): the machine's CPU time is then read at every tick too, and not once a
  /// second.
  bool detailed_ticks = true;
  /// Is this process part of the measured program? For devices that tell who uses them. Empty: nobody is asked, and what the
  /// program may use is all its own.
  std::function<bool(pid_t)> is_job;
  std::unique_ptr<WorkByCpu> work_by_cpu;  ///< the job's work CPU by CPU, where it can be counted
  Journal* journal = nullptr;              ///< told of every tick; outlives the meter
  StatSource machine_cpu;                  ///< in place of /proc/stat, for replays
};

/// What one tick saw; for the live line and the trace.
struct Tick {
  Instant at;
  Nanoseconds passed{};
  Watts machine, job_active, job_idle;
  std::vector<Watts> job_by_channel;
  double job_cores = 0;  ///< CPU time of the tree per time
};

/// Single-threaded: one thread starts, samples and finishes. No allocation in `sample` except when an interval closes.
class Meter {
 public:
  explicit Meter(Setup setup);

  /// First readings. `tree_cpu`: CPU time of the tree so far.
  void start(Nanoseconds tree_cpu);

  /// A tick. `tree_cpu` is asked only where CPU times are needed: when an interval closes, and at every tick with
  /// `detailed_ticks`. `sharers`: how many independent runs share this machine's idle power now (this one included).
  [[gnu::hot]] void sample(const std::function<Nanoseconds()>& tree_cpu, int sharers);

  /// A tick that ends an interval here: the program begins or ends to be held, and what it used before and after are to be told
  /// apart.
  void turn(const std::function<Nanoseconds()>& tree_cpu, int sharers);

  /// From now on as with `detailed_ticks`: somebody wants to know what happens between two closings.
  void look_closely() { setup_.detailed_ticks = true; }

  /// How far back in time what a tick reads may reach: the slowest update among the devices that matter to the program (5 % of
  /// its active energy so far), and the clock tick that CPU time is shared by.
  [[nodiscard]] Nanoseconds resolution() const;

  /// Last readings; closes the last interval and settles gaps.
  void finish(Nanoseconds tree_cpu, int sharers);

  /// The tree's mechanism saw a process whose children it cannot count: the interval is widened by what nobody else explains.
  void children_unseen() { children_unseen_ = true; }

  /// Channels, with those error terms that are known only from the sums (idle split, resolution, filled gaps) when finished.
  [[nodiscard]] const std::vector<Channel>& channels() const { return channels_; }

  /// Takes the intervals that closed since the last call.
  [[nodiscard]] std::vector<Interval> take_closed() { return std::exchange(closed_, {}); }

  /// Sums per channel, the open interval included.
  [[nodiscard]] std::vector<Flow> totals() const;

  [[nodiscard]] const Tick& last_tick() const { return tick_; }
  [[nodiscard]] const std::vector<Gap>& gaps() const { return gaps_; }
  /// What the sensors had to say when the run had ended, for people.
  [[nodiscard]] const std::vector<std::string>& sensor_notes() const { return sensor_notes_; }
  [[nodiscard]] const std::vector<std::string>& sensor_advice() const { return sensor_advice_; }
  [[nodiscard]] const Instant& started_at() const { return started_at_; }
  [[nodiscard]] Nanoseconds job_cpu() const { return total_job_cpu_ + open_.job_cpu; }
  [[nodiscard]] Nanoseconds machine_cpu() const { return total_machine_cpu_ + open_.machine_cpu; }
  /// Mean of 1/sharers over the run: the part of an exclusive machine that was this run's.
  [[nodiscard]] double mean_machine_share() const;

 private:
  /// A sensor and what is known of its readings.
  struct Source {
    std::unique_ptr<sense::Sensor> sensor;
    std::size_t channel = 0;
    sense::Reading last;          ///< last good reading
    Microjoules at_start;         ///< energy when the run started
    Microjoules closed_at;        ///< energy at the last close
    Instant closed_instant;       ///< instant of that energy
    bool slow = false;            ///< read only when an interval closes
    std::string failure;          ///< of the reads since the last good one; empty when all is well
    Microjoules pending_fill;     ///< filled energy not yet closed
    Microjoules filled;           ///< all of it
    Microjoules tick_energy;      ///< since the previous tick
    int package = -1;             ///< socket that a CPU's or memory's sensor belongs to
    std::optional<double> share;  ///< of the interval that is closing: the job's part of what the device did, where it is told
    bool was_told = false;        ///< there was a share in some interval
    double shared_away = 0;       ///< active energy that went to other programs by that share, µJ
    sense::Settled settled;       ///< when the run has ended
    Nanoseconds lost{};
    std::string lost_why;
  };

  /// The interval that is being measured.
  struct Open {
    Instant start, now;
    Nanoseconds job_cpu{}, machine_cpu{}, steal{};
    double capacity_time = 0;    ///< ∫ capacity d(machine cpu), ns
    double idle_share_time = 0;  ///< ∫ 1/sharers dt, ns
  };

  void build_channels(bool has_cpu_sensors);
  [[gnu::hot]] void take_tick(TickFacts::Kind kind, const std::function<Nanoseconds()>& tree_cpu, int sharers);
  enum class Reads { fast, all, last };
  [[gnu::hot]] void read_sources(Reads which);
  void ask_who_was_active();
  void take_work_by_cpu();
  [[nodiscard]] double job_share(const Source& s) const;
  void lose(Source& s, const Instant& from, const Instant& to, const std::string& why);
  void take_cpu(Nanoseconds tree_cpu);
  [[gnu::hot]] void tell_journal(TickFacts::Kind kind, int sharers, std::optional<Nanoseconds> tree_cpu);
  [[nodiscard]] Microjoules expected(const Source& s, Nanoseconds length) const;
  void split(std::vector<Flow>& flows) const;
  void split_model(std::vector<Flow>& flows) const;
  void split_sensors(std::vector<Flow>& flows) const;
  void split_platform(std::vector<Flow>& flows) const;
  void split_node(std::vector<Flow>& flows) const;
  [[nodiscard]] double job_share_of_cpu() const;
  [[nodiscard]] double idle_share() const;
  void close();
  void update_tick();
  void settle_terms();
  void settle_node_terms();
  static void settle_share_terms(Channel& c, const Source& s, const Flow& sum, double others);
  static void settle_idle_terms(Channel& c, const Flow& sum, const Terms& terms, double scale);
  [[nodiscard]] double node_idle_over_rest() const;

  Setup setup_;
  MachineCpu machine_cpu_reader_;
  PlatformLift lift_;
  std::vector<Source> sources_;
  std::vector<Channel> channels_;
  std::optional<std::size_t> model_channel_, platform_channel_;
  std::optional<std::size_t> node_source_;  ///< sees the whole node: its channel is what the others leave of it
  Microjoules node_debt_;                   ///< by how much the channels' sum is ahead of the node
  std::vector<Flow> totals_;
  Nanoseconds total_job_cpu_{}, total_machine_cpu_{};
  Instant started_at_, last_close_;
  Nanoseconds last_tree_cpu_{};
  Open open_;
  Tick tick_;
  Nanoseconds tick_job_cpu_{};  ///< of the run when tick_ was made
  std::vector<Flow> provisional_, previous_provisional_;
  std::vector<std::pair<std::size_t, double>> shares_;  ///< of this tick, for the journal
  double idle_share_time_ = 0;
  std::vector<Interval> closed_;
  std::vector<Gap> gaps_;
  std::vector<std::string> sensor_notes_, sensor_advice_;
  bool children_unseen_ = false;
  bool finished_ = false;
};

}  // namespace gramwatt::meter
