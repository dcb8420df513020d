// The group `grid` of the table of commands.

#include "cli/commands.hpp"

namespace gramwatt::cli {
namespace {

constexpr Option kZone{"zone", 0, "ZONE", "grid zone, such as DE or US-CAL-CISO (default: where this machine is)", false};
constexpr Option kPlace{"place", 0, "WHERE", "where it is: \"23917, US\", Germany, Texas; in place of --zone", false};
constexpr Option kLat{"lat", 0, "DEG", "latitude, with --lon: the grid zone there, in place of --zone", false};
constexpr Option kLon{"lon", 0, "DEG", "longitude, east positive", false};
constexpr Option kSignal{"signal", 0, "SIGNAL", "average or marginal (default average)", false};
constexpr Option kFrom{"from", 0, "TIME", "first instant, such as 2021-06-01 or 2021-06-01T14:00Z", false};
constexpr Option kTo{"to", 0, "TIME", "end, not included", false};
constexpr Option kStep{"step", 0, "D", "length of a step (default: that of the source)", false};
constexpr Option kCsv{"csv", 0, "", "print CSV", false};

}  // namespace

std::vector<Command> grid_commands() {
  return {
      {"grid",
       "COMMAND [OPTIONS]",
       "how clean the power is: here, then and next",
       "Carbon intensity of the electricity of a place: average (what a kWh carries) and marginal (what one more kWh causes), "
       "with "
       "source, year, licence and interval. Built-in tables need no network; `grid import` adds better series, and providers "
       "that "
       "are configured are asked where the network may be used.",
       {},
       0,
       0,
       false,
       {"gramwatt grid now", "gramwatt grid forecast --hours 48 --zone FR"}},
      {"grid zones",
       "[WORDS...]",
       "list the zones that are known, with what is known of each",
       "WORDS: only zones whose key or name holds them all.",
       {},
       0,
       SIZE_MAX,
       false,
       {"gramwatt grid zones california"}},
      {"grid where",
       "[OPTIONS]",
       "say in which zone this machine is, and how that was found",
       "",
       {kZone, kPlace, kLat, kLon},
       0,
       0,
       false,
       {"gramwatt grid where"}},
      {"grid now",
       "[OPTIONS]",
       "carbon intensity at this moment, and in the hours around it",
       "Both signals, with 90 % interval, source and what each is fit for.",
       {kZone, kPlace, kLat, kLon, kSignal},
       0,
       0,
       false,
       {"gramwatt grid now --zone FR", "gramwatt grid now --json -"}},
      {"grid history",
       "[OPTIONS]",
       "carbon intensity over time that has passed",
       "Without --from, the last week. Where nothing better is known, a typical day stands in and says so.",
       {kZone, kPlace, kLat, kLon, kSignal, kFrom, kTo, kStep, kCsv},
       0,
       0,
       false,
       {"gramwatt grid history --zone DE --from 2021-06-01 --to 2021-06-08", "gramwatt grid history --zone GB --csv > gb.csv"}},
      {"grid forecast",
       "[OPTIONS]",
       "carbon intensity of the hours to come",
       "A provider's forecast where one is configured and answers; else a regression on the series that is held, if it reaches "
       "to "
       "the present; else the typical day.",
       {kZone,
        kPlace,
        kLat,
        kLon,
        kSignal,
        {"hours", 0, "H", "how far (default 96)", false},
        {"from", 0, "TIME", "make the forecast that could have been made then, from what is held up to then", false},
        {"model", 0, "NAME", "ridge, seasonal-naive or climatology (default ridge)", false},
        kCsv},
       0,
       0,
       false,
       {"gramwatt grid forecast --hours 48", "gramwatt grid forecast --zone US-CAL-CISO --from 2021-07-01 --json -"}},
      {"grid backtest",
       "[OPTIONS]",
       "how good forecasts would have been on a series that is held",
       "A forecast at each midnight UTC, made from what was known then, and judged by what came: mean absolute percentage "
       "error, "
       "rank correlation, and how often the truth lay inside the 90 % band, by day of the horizon.",
       {kZone,
        kPlace,
        kLat,
        kLon,
        kSignal,
        kFrom,
        kTo,
        {"hours", 0, "H", "how far each forecast looks (default 96)", false},
        {"model", 0, "NAME", "ridge, seasonal-naive or climatology (default: all three)", false}},
       0,
       0,
       false,
       {"gramwatt grid backtest --zone US-CAL-CISO --from 2021-07-01 --to 2022-01-01"}},
      {"grid import",
       "[OPTIONS] FILE... | --list | --remove ORIGIN",
       "take series from files into the local store",
       "CSV of any size, plain or gzip: time and value; one column a zone; exports of Electricity Maps' portal and of "
       "WattTime; and "
       "JSON of the Carbon Aware SDK. Format, unit and step are found and printed; the options decide where a file does not "
       "say. Importing twice changes nothing. Imported series come before the built-in ones.",
       {{"zone", 0, "ZONE", "zone of the values, where the file does not say", false},
        kSignal,
        {"origin", 0, "NAME", "name under which the series is kept (default: the file's name)", false},
        {"unit", 0, "UNIT", "g/kWh, kg/kWh, kg/MWh or lb/MWh (default: by the heading, else g/kWh)", false},
        {"factor", 0, "FACTOR", "lifecycle or direct (default: by the heading, else lifecycle)", false},
        {"column", 0, "NAME", "heading of the values, where several could be meant", false},
        {"step", 0, "D", "how long a value holds, where the rows do not tell, such as 1h", false},
        {"time-zone", 0, "TZ",
         "of times without a zone: UTC (default), an offset such as +01:00, or a name such as Europe/Berlin", false},
        {"label", 0, "WHERE", "times name the start (default) or the end of an interval", false},
        {"source", 0, "TEXT", "where the values come from, for people", false},
        {"licence", 0, "TEXT", "their licence", false},
        {"list", 0, "", "list what is held", false},
        {"remove", 0, "ORIGIN", "remove all series of an origin", false}},
       0,
       SIZE_MAX,
       false,
       {"gramwatt grid import --zone DE de-2024.csv",
        "gramwatt grid import --signal marginal --unit lb/MWh --zone US-CAL-CISO moer.csv.gz", "gramwatt grid import --list"}},
      {"grid providers",
       "[OPTIONS]",
       "list the providers, which are configured, and what each needs",
       "",
       {{"check", 0, "", "ask those that are configured for the zone's present value", false}, kZone, kPlace, kLat, kLon},
       0,
       0,
       false,
       {"gramwatt config set grid-providers energycharts", "gramwatt grid providers --check"}},
  };
}

}  // namespace gramwatt::cli
