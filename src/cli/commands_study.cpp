// The group `study` of the table of commands.

#include "cli/commands.hpp"

namespace gramwatt::cli {

std::vector<Command> study_commands() {
  return {
      {"study",
       "COMMAND [OPTIONS]",
       "published experiments on moving jobs in time, done again on any series",
       "So that anyone can check what is said of such savings, on the grid that is theirs.",
       {},
       0,
       0,
       false,
       {"gramwatt study facct22 --zone US-CAL-CISO"}},
      {"study facct22",
       "[OPTIONS]",
       "the 11 jobs of Dodge et al. (FAccT 2022): the best start and the best pauses, beside the published savings",
       "Each job may end 6, 12, 18 or 24 hours later than one that starts at once, or 25, 50, 75 or 100 % of its length later. "
       "Flexible start: the best start, then to the end. Pause and resume: only in the cleanest slots. Both know the future "
       "and "
       "pause and wait for free, as in the paper; what restarts, holding and waiting would cost is charged beside, and "
       "--forecast does not know the future. Without --zone and "
       "--series: every zone whose hours of that time are known. A series that covers less than 90 % of the time is refused; "
       "one "
       "that is coarser than a slot is held over its time.",
       {{"zone", 0, "ZONE", "a region; may be given several times", true},
        {"series", 0, "FILE", "a region from a file (CSV: utc_start,g_per_kwh); may be given several times", true},
        {"signal", 0, "SIGNAL", "average or marginal (default average)", false},
        {"judged-by", 0, "FILE",
         "weigh all plans with this series, such as a marginal one, whatever they were made by; beside what plans by this "
         "series itself save",
         false},
        {"year", 0, "Y", "starts lie in this year, UTC (default 2020, the paper's); several: each region in each", true},
        {"from", 0, "TIME", "first start, in place of --year", false},
        {"to", 0, "TIME", "end of the starts, not included", false},
        {"starts", 0, "WHICH", "60 (evenly over the time, five a month as in the paper) or all (default 60)", false},
        {"slot", 0, "D", "length of a slot, 1min to 1h (default 5min)", false},
        {"restart", 0, "D", "a restart costs so long at full power, where it is charged (default 10min)", false},
        {"kept", 0, "PART",
         "a job held in place, or a machine kept, draws this part of full power, where charged (default 0.2)", false},
        {"exact", 0, "", "the best plan under these charges beside (sixty starts; seconds a region)", false},
        {"forecast", 0, "MODEL",
         "plan without foresight, too: by forecasts (ridge, seasonal-naive or climatology) made anew every day from what was "
         "known then; says how much of the saving they keep (a second or two a region, with --exact twenty, with --starts all "
         "minutes); may be given several "
         "times",
         true},
        {"csv", 0, "", "print CSV", false},
        {"html", 0, "FILE", "write a page with the figures by region", false}},
       0,
       0,
       false,
       {"gramwatt study facct22 --html study.html",
        "gramwatt study facct22 --signal marginal --series moer-2020.csv.gz --starts all",
        "gramwatt study facct22 --zone DE --zone FR --csv > study.csv",
        "gramwatt study facct22 --year 2021 --forecast ridge --forecast seasonal-naive"}},
  };
}

}  // namespace gramwatt::cli
