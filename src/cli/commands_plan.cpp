// `plan` in the table of commands.

#include "cli/commands.hpp"

namespace gramwatt::cli {

Command plan_command() {
  return {"plan",
          "[OPTIONS]",
          "the best start, the best pauses and the best place for a job, with everything charged",
          "The job is given by --energy and --duration, or is as an earlier run was: --like RUN. It must be finished by "
          "--deadline, or "
          "--within D later than if it ran at once (24h where neither is given). Every option is charged with what it costs: "
          "restarts, "
          "holding in place, the machine that waits. Saving = 1 - carbon / carbon of running at once; P(worse) is how often "
          "running at "
          "once would have emitted less, were the forecast as wrong as it has been.",
          {{"energy", 0, "E", "energy of the job at the node, such as 37.3kWh", false},
           {"duration", 0, "D", "how long it runs, such as 36h", false},
           {"like", 0, "RUN", "as this run of the ledger was, its power over time included", false},
           {"profile", 0, "FILE", "power over time: CSV with the columns seconds,watts", false},
           {"what-if", 0, "gpu=NAME[:N]",
            "also on other GPUs, time and energy assumed from published rates; several: side by side", true},
           {"gpu", 0, "NAME[:N]", "the GPUs that the job has now, for --what-if (default: those of --like RUN)", false},
           {"zone", 0, "ZONE", "grid zone; several: the best place is chosen too, the first is home", true},
           {"clouds", 0, "LIST", "of aws, azure and gcp: their regions are places to choose from, beside home", false},
           {"allow", 0, "REGION", "with --clouds: only such regions; a beginning or a pattern, such as eu- or *west*", true},
           {"data-gb", 0, "X", "data that moves along to another place, once", false},
           {"transfer-energy", 0, "E", "of moving a gigabyte, such as 5Wh/GB (default 1Wh/GB, up to 60)", false},
           {"place", 0, "WHERE", "where it is: \"23917, US\", Germany, Texas; in place of --zone", false},
           {"lat", 0, "DEG", "latitude, with --lon: the grid zone there, in place of --zone", false},
           {"lon", 0, "DEG", "longitude, east positive", false},
           {"series", 0, "FILE", "plan on this series of intensities, CSV `utc_start,g_per_kwh`, in place of a zone's", false},
           {"signal", 0, "SIGNAL", "average or marginal (default: marginal where its source is fit for scheduling)", false},
           {"pue", 0, "X", "power usage effectiveness of the place", false},
           {"start", 0, "TIME", "earliest start (default now)", false},
           {"within", 0, "D", "finished at most this much later than if it ran at once", false},
           {"deadline", 0, "TIME", "finished by then", false},
           {"blackout", 0, "FROM-TO", "hours of the day (UTC) in which it must not run, such as 08:00-18:00", true},
           {"slot", 0, "D", "length of a slot of the plan (default 5min)", false},
           {"pausable", 0, "", "it can be stopped and resumed from a checkpoint", false},
           {"restart-energy", 0, "E", "charged in the first slot of each run after a pause", false},
           {"restart-time", 0, "D", "at full power without progress at each start after a pause", false},
           {"hold-power", 0, "W", "it can be paused in place, and draws this then", false},
           {"wait-power", 0, "W", "what the machine draws while it waits", false},
           {"machine", 0, "KIND", "shared, owned or rented: who pays for a machine that waits (default shared)", false},
           {"embodied-per-hour", 0, "G", "making the machine, for each hour that it is kept, such as 25g", false},
           {"min-run", 0, "D", "shortest run between pauses", false},
           {"min-pause", 0, "D", "shortest pause", false},
           {"max-restarts", 0, "N", "restarts at most", false},
           {"carbon-price", 0, "P", "such as 80/t", false},
           {"electricity-price", 0, "P", "such as 0.25/kWh", false},
           {"price-per-hour", 0, "P", "of the machine", false},
           {"choose-by", 0, "WHAT", "carbon or cost: what the best option has least of (default carbon)", false},
           {"html", 0, "FILE", "write the table and the schedules over the intensity as one page", false},
           {"emit", 0, "FORM", "print the commands that carry the plan out: sh, at, sbatch, az, aws, gcloud or k8s", false},
           {"resource", 0, "NAME", "of the virtual machine, instance or job that --emit speaks of", false}},
          0,
          SIZE_MAX,
          true,
          {"gramwatt plan --energy 37.3kWh --duration 36h --within 24h --pausable --restart-energy 200Wh --zone DE",
           "gramwatt plan --like last --zone US-CAL-CISO --zone FR",
           "gramwatt plan --like last --zone DE --clouds aws,gcp --allow eu- --allow europe- --data-gb 120",
           "gramwatt plan --like last --zone DE --what-if gpu=h100:4 --what-if gpu=l4:8",
           "gramwatt plan --like last --pausable --emit at -- python train.py"}};
}

}  // namespace gramwatt::cli
