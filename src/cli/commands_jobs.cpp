// Steering what waits or runs, in the table of commands; and the options of `run` that make a run wait.

#include "cli/commands.hpp"

namespace gramwatt::cli {

std::vector<Option> schedule_options() {
  return {
      {"within", 0, "D", "start or pause when the grid is clean: finished at most D later than a run at once", false},
      {"deadline", 0, "TIME", "the same: finished by then", false},
      {"duration", 0, "D", "how long it runs (default: as earlier runs of this command did)", false},
      {"energy", 0, "E", "what it uses (default: as earlier runs did, else the model's)", false},
      {"like", 0, "RUN", "its length and power over time are those of this run", false},
      {"pausable", 0, "", "it may be paused while it runs", false},
      {"pause-with", 0, "WAY",
       "hold (in place, default), freeze, trace or stop; exit or a signal's name (it saves and exits); or a command that makes "
       "it save and exit",
       false},
      {"resume-with", 0, "CMD", "how it goes on after an exit (default: as it was started)", false},
      {"restart-time", 0, "D", "what coming back from an exit takes (default 30s)", false},
      {"restart-energy", 0, "E", "what coming back from an exit uses", false},
      {"hold-power", 0, "W", "what it draws while it is held (default: idle, and 50 W a GPU; then as measured)", false},
      {"min-run", 0, "D", "shortest run between pauses", false},
      {"min-pause", 0, "D", "shortest pause", false},
      {"max-restarts", 0, "N", "restarts at most", false},
      {"min-saving", 0, "S", "start at once where waiting saves less (default 2%)", false},
      {"risk", 0, "S", "start at once where waiting is worse in more of the possible futures (default 25%)", false},
      {"signal", 0, "SIGNAL", "average or marginal (default: marginal where its source is fit for scheduling)", false},
      {"slot", 0, "D", "length of a slot of the plan (default 5min)", false},
      {"resource", 0, "NAME", "what only one such job at a time may use, such as gpu:0", false},
  };
}

std::vector<Command> jobs_commands() {
  return {
      {"jobs",
       "[OPTIONS]",
       "list jobs that wait, run or are paused",
       "What gramwatt run --within started in other terminals: where each stands, until when, and why. Those whose gramwatt is "
       "gone are marked: gramwatt recover mends them.",
       {{"all", 'a', "", "also those that have ended", false}},
       0,
       0,
       false,
       {"gramwatt jobs", "gramwatt jobs --json -"}},
      {"pause",
       "RUN",
       "pause a job until gramwatt resume",
       "A job that waits goes on waiting. Outranks the plan, and the deadline: what is paused by hand stays so.",
       {},
       1,
       1,
       false,
       {"gramwatt pause last"}},
      {"resume", "RUN", "let a job follow its plan again", "", {}, 1, 1, false, {"gramwatt resume last"}},
      {"now", "RUN", "run a job at once and to its end", "", {}, 1, 1, false, {"gramwatt now last"}},
      {"cancel",
       "RUN",
       "end a job",
       "One that runs gets SIGTERM and its account is made; one that waits or is paused is not started again.",
       {},
       1,
       1,
       false,
       {"gramwatt cancel last"}},
      {"recover",
       "[RUN]",
       "go on with jobs whose gramwatt is gone",
       "After a crash, a kill or a power cut: lets run on what was left held, and names the jobs that nobody steers any more. "
       "With "
       "RUN, starts that job again now, in its folder, from its checkpoint where it has one (--resume-with). gramwatt cancel "
       "RUN gives it up.",
       {},
       0,
       1,
       false,
       {"gramwatt recover", "gramwatt recover last"}},
      {"progress",
       "[RUN] SHARE",
       "tell how far a job is",
       "From inside the job, or about another: a share from 0 to 1. What is left is then known better, and planned anew.",
       {},
       1,
       2,
       false,
       {"gramwatt progress 0.37"}},
  };
}

}  // namespace gramwatt::cli
