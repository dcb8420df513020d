#pragma once
// A job that an Executor steers through recorded intensity, under a virtual clock: what the real loop does with processes,
// timers and the network, done with numbers.

#include <algorithm>
#include <functional>
#include <vector>

#include "job/executor.hpp"

namespace gramwatt::testing {

struct SimulatedJob {
  const grid::Series& truth;    ///< the intensity that comes
  Nanoseconds true_duration{};  ///< of running, without restarts
  Watts power;                  ///< while it runs
  /// Called before each decision: what has become known by then goes into the executor.
  std::function<void(Nanoseconds now, job::Executor&)> learn;

  struct Lived {
    Grams carbon;  ///< running, restarts, holding, waiting
    Joules energy;
    Nanoseconds finish{}, waited{}, held{}, off{};
    int restarts = 0, decisions = 0;
    std::vector<grid::Window> runs;
    std::vector<job::Decision> told;
  };

  [[nodiscard]] Lived live(job::Executor& executor) const {
    Lived lived;
    const job::Assignment& task = executor.assignment();
    job::Stand stand{job::Phase::waiting, task.created, {}, 0};
    Nanoseconds now = task.created, restart_left{};
    const auto draw = [&](Watts p, Nanoseconds from, Nanoseconds to) {
      const Joules e = p * seconds(to - from);
      lived.energy += e;
      lived.carbon += e * truth.mean(from, to).value;
    };
    while (stand.done < true_duration && lived.decisions < 1'000'000) {
      learn(now, executor);
      job::Decision d = executor.decide(now, stand);
      ++lived.decisions;
      lived.told.push_back(d);
      turn(d, now, task, stand, restart_left, lived);
      const bool running = stand.phase == job::Phase::running;
      const Nanoseconds finish = running ? now + restart_left + (true_duration - stand.done) : Nanoseconds::max();
      const Nanoseconds next = std::min(std::max(d.until, now + Nanoseconds(1)), finish);
      const Nanoseconds passed = next - now;
      if (running) {
        draw(power, now, next);
        const Nanoseconds in_restart = std::min(restart_left, passed);
        restart_left -= in_restart;
        stand.done += passed - in_restart;
      } else if (stand.phase == job::Phase::held) {
        draw(*task.job.hold, now, next);
        lived.held += passed;
      } else {
        if (task.job.machine == plan::Machine::rented) draw(task.job.wait, now, next);
        (stand.phase == job::Phase::off ? lived.off : lived.waited) += passed;
      }
      now = next;
    }
    lived.finish = now;
    if (!lived.runs.empty()) lived.runs.back().end = now;
    return lived;
  }

 private:
  void turn(const job::Decision& d, Nanoseconds now, const job::Assignment& task, job::Stand& stand, Nanoseconds& restart_left,
            Lived& lived) const {
    const job::Phase before = stand.phase;
    if (d.wish == job::Wish::run && before != job::Phase::running) {
      if (before == job::Phase::off) {
        ++lived.restarts;
        ++stand.restarts;
        restart_left = task.job.restart_time;
        lived.energy += task.job.restart_energy;
        lived.carbon += task.job.restart_energy * truth.mean(now, now).value;
      }
      stand.phase = job::Phase::running;
      lived.runs.push_back({now, now});
    } else if (before == job::Phase::running && (d.wish == job::Wish::hold || d.wish == job::Wish::exit)) {
      stand.phase = d.wish == job::Wish::hold ? job::Phase::held : job::Phase::off;
      lived.runs.back().end = now;
    }
    if (stand.phase != before) stand.since = now;
  }
};

}  // namespace gramwatt::testing
