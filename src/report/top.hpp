#pragma once
// `gramwatt top`: what the machine draws now and who makes it. Pure functions from what was measured (TopState) and how it is
// looked at (TopView) to lines of text; the terminal is the caller's.

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

struct TopProcess {
  pid_t pid = 0, parent = 0, session = 0;
  std::string name;     ///< what it calls itself
  std::string command;  ///< its command line, if known
  std::string user;
  std::string part_of;  ///< container, service, job, session; empty when none
  std::string cgroup;   ///< path
  double cores = 0;     ///< CPU time per time
  Watts power;          ///< its part of the machine's active power
  Joules energy;        ///< since top began
};

struct TopDevice {
  Component component = Component::other;
  std::string device;
  Method method = Method::assumed;
  Watts active, idle;
};

struct TopState {
  std::string host;
  Nanoseconds at_utc{};
  Seconds elapsed;                        ///< since top began
  Seconds interval;                       ///< that the powers are the mean of
  Estimate<Watts> machine, active, idle;  ///< at the plug
  Joules energy;                          ///< of the machine since top began
  std::vector<TopDevice> devices;
  std::vector<TopProcess> processes;
  Watts gpu;                                                   ///< active power of GPUs, which is not split
  Watts unattributed;                                          ///< active power of the rest that no process is charged for
  Joules ended, gpu_energy, unattributed_energy, idle_energy;  ///< since top began; `ended`: of processes that have ended
  std::string place;                                           ///< empty while it is being looked up
  std::optional<std::string> zone;
  std::optional<Estimate<GramsPerKwh>> intensity;
  std::optional<Estimate<Ratio>> pue;
};

enum class TopSort { power, energy, cpu, pid };
enum class TopGrouping { tree, cgroup, flat };
[[nodiscard]] std::string_view to_string(TopSort s);
[[nodiscard]] std::string_view to_string(TopGrouping g);

/// How it is looked at; kept between frames.
struct TopView {
  TopSort sort = TopSort::power;
  TopGrouping grouping = TopGrouping::tree;
  std::set<std::string> open;  ///< groups that show their processes
  std::string selected;        ///< key of the marked row; empty: the first
  std::size_t first = 0;       ///< row at the top of the list
  bool paused = false;
  bool help = false;
};

/// One row of the list.
struct TopRow {
  std::string key;  ///< names the group or process while it lives
  int depth = 0;
  bool group = false, open = false;
  std::size_t count = 1;  ///< processes in it
  pid_t pid = 0;          ///< of a group: of its first process; 0: none
  std::string user, what, part_of;
  double cores = 0;
  Watts power;
  Joules energy;
};
/// Groups, sorted, with their processes below them where they are open; trees by parents inside a group.
[[nodiscard]] std::vector<TopRow> top_rows(const TopState& state, const TopView& view);

/// Moves the mark by `by` rows (clamped), and the list along with it when there are `room` rows on the screen.
void top_move(const std::vector<TopRow>& rows, TopView& view, long by, std::size_t room);

/// How many rows of processes fit.
[[nodiscard]] std::size_t top_room(const TopState& state, std::size_t width, std::size_t height);

/// Exactly `height` lines, each of at most `width` columns.
[[nodiscard]] std::vector<std::string> top_frame(const TopState& state, const TopView& view, std::size_t width,
                                                 std::size_t height, const Style& style);

/// The same as a plain table of any length, for files and pipes; at most `most` processes.
[[nodiscard]] std::string top_table(const TopState& state, const TopView& view, std::size_t width, std::size_t most,
                                    const Style& style);

/// One JSON object on one line, schema gramwatt.top/1.
[[nodiscard]] std::string top_json(const TopState& state);

}  // namespace gramwatt::report
