// `study jobs` in the table of commands.

#include "cli/commands.hpp"

namespace gramwatt::cli {

std::vector<Command> study_jobs_commands() {
  return {
      {"study jobs",
       "[OPTIONS] TRACE",
       "a cluster's year of jobs under each policy: carbon, waiting, utilisation",
       "TRACE: CSV, plain or gzip, with the columns arrival_time (hours from its start), length (hours) and cpus. Each policy "
       "is "
       "tried on a cluster that has as many CPUs as are asked for, where a CPU draws power only while it is used, and on one "
       "of "
       "fixed size, first come first served with backfilling that delays nobody who is first, where idle CPUs draw power too. "
       "Policies: run now; flexible start, with the job's length foreseen and with the mean of its class in its place; pause "
       "and "
       "resume with foresight, pauses free, then charged, then planned exactly with that charge; and two that know no "
       "forecast: start, or run, while intensity is below a percentile of the last 14 days. The trace begins where the series "
       "begins; behind its end the series begins anew. Only what is held or built in is used; nobody is asked.",
       {{"zone", 0, "ZONE", "grid zone, such as DE or US-CAL-CISO (default: where this machine is)", false},
        {"signal", 0, "SIGNAL", "average or marginal (default average); with --series: what its values are", false},
        {"year", 0, "YEAR", "of the intensity (default: the first of the zone's built-in hours, else 2020)", false},
        {"series", 0, "FILE", "intensity from a CSV utc_start,g_per_kwh, plain or gzip, in place of --zone", false},
        {"limits", 0, "LIST",
         "LENGTH:WAIT,...: jobs up to LENGTH may wait for WAIT, ascending, inf for all others (default 2h:6h,24h:24h,inf:48h)",
         false},
        {"restart", 0, "D", "what a restart costs, as time at full power (default 10min; 0: nothing)", false},
        {"percentile", 0, "K", "of the threshold, 1 to 99 (default 30)", false},
        {"cpus", 0, "N", "of the fixed cluster (default: 70 % busy on average, or as many as the largest job has)", false},
        {"idle-share", 0, "X", "what an idle CPU of the fixed cluster draws, of full power (default 0.3)", false},
        {"watts-per-cpu", 0, "W", "what a CPU at work draws (default 3.5, assumed); savings do not depend on it", false},
        {"csv", 0, "", "print CSV", false}},
       1,
       1,
       false,
       {"gramwatt study jobs --zone US-CAL-CISO pai-100k.csv.gz",
        "gramwatt study jobs --series moer-2020.csv.gz --signal marginal --limits inf:24h --restart 5min jobs.csv"}},
  };
}

}  // namespace gramwatt::cli
