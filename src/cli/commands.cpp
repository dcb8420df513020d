#include "cli/commands.hpp"

#include <algorithm>

namespace gramwatt::cli {

const std::vector<Option>& global_options() {
  static const std::vector<Option> options{
      {"json", 0, "FILE", "write JSON to FILE; - is standard output, which then carries nothing else", false},
      {"quiet", 'q', "", "print nothing but errors", false},
      {"verbose", 'v', "", "say more", false},
      {"ledger", 0, "PATH", "the ledger to use (default: ledger.db in the user's data folder)", false},
      {"no-network", 0, "", "ask nobody, not even the cloud's own metadata service", false},
      {"help", 'h', "", "show help", false},
  };
  return options;
}

namespace {

std::vector<Command> main_commands() {
  return {
      {"run",
       "[OPTIONS] [--] CMD [ARG...]",
       "run a command and measure its energy and carbon",
       "Runs CMD and counts the energy of its whole process tree until it ends. CMD keeps its arguments, input, output, "
       "terminal, "
       "signals and exit code; a summary is printed on standard error when it has ended, and the run is kept in the ledger. "
       "Put -- "
       "before CMD when CMD's own name begins with a dash.",
       {{"project", 0, "NAME", "project that this run belongs to", false},
        {"stage", 0, "NAME", "stage of the project: data, train, tune, infer, ...", false},
        {"name", 0, "NAME", "name of this run", false},
        {"tag", 0, "K=V", "a tag of this run; may be given several times", true},
        {"zone", 0, "ZONE", "grid zone, such as DE or US-CAL-CISO", false},
        {"place", 0, "WHERE", "where it is: \"23917, US\", Germany, Texas; in place of --zone", false},
        {"lat", 0, "DEG", "latitude, with --lon: the grid zone there, in place of --zone", false},
        {"lon", 0, "DEG", "longitude, east positive", false},
        {"pue", 0, "X", "power usage effectiveness of the building, 1.0 or more", false},
        {"interval", 0, "D", "time between samples (default 100ms with sensors or --trace, else 1s)", false},
        {"trace", 0, "FILE", "write power and carbon intensity over time as CSV", false},
        {"record", 0, "FILE", "keep every raw reading, for gramwatt replay", false},
        {"require", 0, "measured", "refuse to run (exit 125) when no sensor can be read", false},
        {"idle-owner", 0, "OWNER", "who pays for the idle part of the machine: job or host", false},
        {"machine", 0, "KIND", "shared, owned or rented (default: rented in a guest, else owned)", false},
        {"budget", 0, "AMOUNT",
         "end it when it has used so much: 500g, 2kWh, or 3EUR with a price; said at 80 %, asked to end at 100 %, never killed",
         false},
        {"electricity-price", 0, "P", "of a kWh, for budgets in money: 0.25/kWh, 0.25EUR/kWh", false},
        {"repeat", 0, "N",
         "run CMD N times against the phases of the power sensor and account for the mean of one (32 or more; a failure ends "
         "the series)",
         false},
        {"wait-all", 0, "", "count until every descendant has ended, not only CMD", false},
        {"live", 0, "WHERE", "live line: auto, line (on standard error), title or off (default auto)", false},
        {"no-ledger", 0, "", "keep no record of this run", false},
        {"dry-run", 0, "", "say how it would be measured, and run nothing", false}},
       1,
       SIZE_MAX,
       true,
       {"gramwatt run -- python train.py --lr 0.1", "gramwatt run --project mnist --zone DE -- make train",
        "gramwatt run --json - -q -- ./job > run.json"}},
      {"attach",
       "[OPTIONS] PID... | --cgroup PATH",
       "measure processes that already run",
       "Counts the energy of the processes with these numbers and of everything that they start, from now until they have "
       "ended, or until Ctrl-C, which ends the measuring and leaves them untouched. With --cgroup, of everything in a cgroup: "
       "a "
       "folder below /sys/fs/cgroup, or a path as /proc/PID/cgroup tells it. The account is printed on standard error and kept "
       "in the ledger, as for run.",
       {{"cgroup", 0, "PATH", "measure this cgroup: a container, a service, a job", false},
        {"project", 0, "NAME", "project that this run belongs to", false},
        {"stage", 0, "NAME", "stage of the project: data, train, tune, infer, ...", false},
        {"name", 0, "NAME", "name of this run", false},
        {"tag", 0, "K=V", "a tag of this run; may be given several times", true},
        {"zone", 0, "ZONE", "grid zone, such as DE or US-CAL-CISO", false},
        {"place", 0, "WHERE", "where it is: \"23917, US\", Germany, Texas; in place of --zone", false},
        {"lat", 0, "DEG", "latitude, with --lon: the grid zone there, in place of --zone", false},
        {"lon", 0, "DEG", "longitude, east positive", false},
        {"pue", 0, "X", "power usage effectiveness of the building, 1.0 or more", false},
        {"interval", 0, "D", "time between samples (default 100ms with sensors or --trace, else 1s)", false},
        {"trace", 0, "FILE", "write power and carbon intensity over time as CSV", false},
        {"record", 0, "FILE", "keep every raw reading, for gramwatt replay", false},
        {"idle-owner", 0, "OWNER", "who pays for the idle part of the machine: job or host", false},
        {"machine", 0, "KIND", "shared, owned or rented (default: rented in a guest, else owned)", false},
        {"live", 0, "WHERE", "live line: auto, line (on standard error), title or off (default auto)", false},
        {"no-ledger", 0, "", "keep no record of this run", false}},
       0,
       SIZE_MAX,
       false,
       {"gramwatt attach $(pgrep -o postgres)", "gramwatt attach --cgroup /system.slice/nginx.service --name nginx"}},
      {"top",
       "[OPTIONS]",
       "show live what the machine draws and who makes it",
       "Power of the machine with its interval, what it draws at rest, its devices, and its processes by their part of the "
       "active power, grouped into trees (sessions) or cgroups: containers, services, Slurm jobs. Keys: arrows or j and k "
       "move, "
       "Enter opens a group, s sorts, t groups, + and - change the interval, space holds the picture, h helps, q quits. Where "
       "the output is no terminal, or with --json, it is written once an interval.",
       {{"interval", 0, "D", "time between looks, 1s or more (default 2s)", false},
        {"times", 'n', "N", "end after N looks", false},
        {"sort", 0, "ORDER", "power, energy, cpu or pid (default power)", false},
        {"group", 0, "HOW", "tree, cgroup or flat (default tree)", false},
        {"zone", 0, "ZONE", "grid zone, such as DE or US-CAL-CISO", false},
        {"place", 0, "WHERE", "where it is: \"23917, US\", Germany, Texas; in place of --zone", false},
        {"lat", 0, "DEG", "latitude, with --lon: the grid zone there, in place of --zone", false},
        {"lon", 0, "DEG", "longitude, east positive", false},
        {"pue", 0, "X", "power usage effectiveness of the building, 1.0 or more", false}},
       0,
       0,
       false,
       {"gramwatt top", "gramwatt top --group cgroup", "gramwatt top -n 1 | head -20",
        "gramwatt top --json - -n 3 --interval 1s > top.jsonl"}},
      {"runs",
       "[OPTIONS]",
       "list the runs in the ledger",
       "Lists runs, newest first. Nested runs are indented below the run that contains them and left out of the sum.",
       {{"project", 0, "NAME", "only this project", false},
        {"stage", 0, "NAME", "only this stage", false},
        {"name", 0, "NAME", "only runs of this name", false},
        {"tag", 0, "K=V", "only runs with this tag", true},
        {"since", 0, "D", "only runs that started within this time, such as 7d", false},
        {"limit", 'n', "N", "at most N runs (default 20; 0 = all)", false}},
       0,
       0,
       false,
       {"gramwatt runs --project mnist --since 30d"}},
      {"show",
       "[OPTIONS] RUN",
       "show one run",
       "RUN is an id, the beginning or the end of one, or last, @1 (newest), @2, ... --explain derives every figure: formula, "
       "inputs, "
       "tables with year, error budget.",
       {{"explain", 0, "", "derive every figure", false}},
       0,
       1,
       false,
       {"gramwatt show last --explain"}},
      {"compare",
       "[OPTIONS] RUN RUN...",
       "compare runs with the first one",
       "Differences and ratios with intervals in which errors that the runs share cancel.",
       {},
       2,
       SIZE_MAX,
       false,
       {"gramwatt compare @2 @1"}},
      {"tag",
       "RUN K=V...",
       "add or change tags of a run",
       "An empty value (K=) removes the tag.",
       {},
       2,
       SIZE_MAX,
       false,
       {"gramwatt tag last dataset=digits"}},
      {"rm", "RUN...", "remove runs from the ledger", "", {}, 1, SIZE_MAX, false, {"gramwatt rm @1"}},
      {"estimate",
       "[OPTIONS]",
       "what hardware would use, without a run",
       "Energy and carbon of this machine, of a server with the CPU that --cpu names, or of a cloud's instance type, at a load "
       "and "
       "for some hours. The model is the one that measures runs on machines without sensors: wall power of the whole machine, "
       "memory included; GPUs by their TDP and utilisation, lifted to the plug.",
       {{"cpu", 0, "NAME", "processor of the server, such as \"AMD EPYC 9654\" (default: this machine)", false},
        {"sockets", 0, "N", "processors (default: what is usual for that CPU)", false},
        {"threads", 0, "N", "hardware threads of all of them (default: what that CPU has)", false},
        {"memory-gb", 0, "N", "memory of the machine", false},
        {"instance", 0, "PROVIDER/TYPE", "a cloud's instance type, such as aws/m5.large, in place of --cpu", false},
        {"load", 0, "L", "share of its capacity in use, 0 to 1 (default: 0.5, with an interval that says so)", false},
        {"load-kind", 0, "KIND", "even: over all threads (default for a server named by --cpu); busy-cores: some wholly busy",
         false},
        {"gpu", 0, "NAME[:N]", "GPUs beside, such as \"A100 SXM 80GB\" or h100:8", true},
        {"gpu-load", 0, "L", "share of time in which kernels run on them, 0 to 1 (default: 0.5, likewise)", false},
        {"hours", 0, "H", "how long (default 1)", false},
        {"zone", 0, "ZONE", "grid zone, such as DE or US-CAL-CISO", false},
        {"place", 0, "WHERE", "where it is: \"23917, US\", Germany, Texas; in place of --zone", false},
        {"lat", 0, "DEG", "latitude, with --lon: the grid zone there, in place of --zone", false},
        {"lon", 0, "DEG", "longitude, east positive", false},
        {"pue", 0, "X", "power usage effectiveness of the building, 1.0 or more", false}},
       0,
       0,
       false,
       {"gramwatt estimate --cpu \"AMD EPYC 9654\" --load 0.7 --hours 24 --zone DE",
        "gramwatt estimate --instance aws/p4d.24xlarge --load 0.3 --gpu-load 0.9 --hours 24",
        "gramwatt estimate --load 1 --hours 8"}},
      {"calibrate",
       "--reference meter|node|rapl | --replay FILE | --show | --forget",
       "learn what this machine draws from a reference",
       "Loads the machine at several levels in random order and notes what a reference says: a plug meter whose readings you "
       "type "
       "(meter), a sensor of the whole machine such as a BMC's (node), or the processor's own counters (rapl). Idle power, a "
       "curve "
       "by load, and, where chips and plug were both seen, what lies between them are kept and used by later runs and "
       "estimates "
       "on this machine, with an interval from the fit and the reference's accuracy. Takes two to three minutes; the machine "
       "should do nothing else.",
       {{"reference", 0, "KIND", "meter, node or rapl", false},
        {"meter-accuracy", 0, "A", "of the plug meter, by its data sheet (default 2%)", false},
        {"seconds", 0, "S", "how long a level is measured, after 0.3 times that to settle (default 10, after 3)", false},
        {"replay", 0, "FILE", "fit the trace of a calibration file again, and print what it gives", false},
        {"show", 0, "", "print the calibration that is in use", false},
        {"forget", 0, "", "remove it", false}},
       0,
       0,
       false,
       {"gramwatt calibrate --reference meter --meter-accuracy 1%", "gramwatt calibrate --reference node",
        "gramwatt calibrate --show"}},
      {"replay",
       "[OPTIONS] FILE",
       "make the account of a recorded run again",
       "FILE is what run --record wrote: every raw reading of the sensors and of the machine's CPU time. They go through the "
       "same "
       "decoders, meter and account again, with the arithmetic and, if told so, the tables of this version.",
       {{"zone", 0, "ZONE", "weigh with the intensity of this grid zone instead of the recorded one", false},
        {"pue", 0, "X", "weigh with this power usage effectiveness", false},
        {"remodel", 0, "", "take the power model of this version for what was modelled", false}},
       1,
       1,
       false,
       {"gramwatt run --record run.jsonl -- make train", "gramwatt replay run.jsonl --zone FR"}},
      {"reweigh",
       "RUN... | --all",
       "weigh runs again with what is known of the grid by now",
       "Energy stays as it was measured; carbon is made anew from the intensity of each moment, as imported series and "
       "providers know it now. What was there before stays in the record.",
       {{"all", 0, "", "every run in the ledger that has ended", false},
        {"zone", 0, "ZONE", "weigh as if the run had taken place there", false}},
       0,
       SIZE_MAX,
       false,
       {"gramwatt reweigh last", "gramwatt reweigh --all"}},
      {"doctor",
       "[OPTIONS]",
       "say what can be measured here, how well, and what blocks the rest",
       "Lists the sensors that work, those that do not and the command that unblocks each, the model that stands in, the "
       "place, and the ledger.",
       {{"zone", 0, "ZONE", "as for run", false},
        {"place", 0, "WHERE", "as for run", false},
        {"lat", 0, "DEG", "as for run", false},
        {"lon", 0, "DEG", "as for run", false}},
       0,
       0,
       false,
       {"gramwatt doctor"}},
      {"config",
       "get [KEY] | set KEY VALUE | path",
       "read or change the configuration",
       "Keys: zone, place, lat, lon, pue, machine, idle-owner, project, stage, interval, ledger, network; and for the power of "
       "the whole node "
       "from its management controller: redfish (its address, https://BMC), redfish-user, redfish-password, and "
       "redfish-fingerprint (SHA-256 of its certificate, where nobody else has signed it); in a guest: rapl-tree, a folder of "
       "RAPL zones that its host writes. For carbon intensity: grid-providers (names in order of trust, as "
       "`gramwatt grid providers` lists them; imports may be named too) and what they need: watttime-user, watttime-password, "
       "electricitymaps-token, entsoe-token, eia-key, carbonawaresdk-url.",

       {},
       1,
       3,
       false,
       {"gramwatt config set zone DE", "gramwatt config get"}},
      {"completion",
       "bash|zsh|fish",
       "print a shell completion script",
       "",
       {},
       1,
       1,
       false,
       {"gramwatt completion bash > ~/.local/share/bash-completion/completions/gramwatt"}},
      {"help", "[COMMAND]", "show help", "", {{"man", 0, "", "print the manual page (roff)", false}}, 0, 2, false, {}},
      {"version", "", "print the version", "", {}, 0, 0, false, {}},
  };
}

std::vector<Command> all_commands() {
  std::vector<Command> table = main_commands();
  const auto before_calibrate = [&table] {
    return std::find_if(table.begin(), table.end(), [](const Command& c) { return c.name == "calibrate"; });
  };
  table.insert(before_calibrate(), plan_command());
  for (Command& c : table) {
    if (c.name != "run") continue;
    for (const Option& o : schedule_options()) c.options.push_back(o);
    c.examples.emplace_back("gramwatt run --within 12h --duration 3h --pausable -- python train.py");
  }
  for (std::vector<Command> group : {jobs_commands(), grid_commands(), study_commands(), study_jobs_commands()})
    table.insert(before_calibrate(), std::make_move_iterator(group.begin()), std::make_move_iterator(group.end()));
  return table;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> table = all_commands();
  return table;
}

const Command* find_command(std::string_view name) {
  const auto& table = commands();
  const auto it = std::find_if(table.begin(), table.end(), [&](const Command& c) { return c.name == name; });
  return it == table.end() ? nullptr : &*it;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& c : commands()) {
    if (c.name.find(' ') == std::string_view::npos) names.emplace_back(c.name);
  }
  return names;
}

std::vector<std::string> members(std::string_view group) {
  std::vector<std::string> names;
  for (const Command& c : commands()) {
    if (c.name.size() > group.size() && c.name.starts_with(group) && c.name[group.size()] == ' ')
      names.emplace_back(c.name.substr(group.size() + 1));
  }
  return names;
}

std::optional<std::string> Invocation::get(std::string_view option) const {
  const auto it = values.find(option);
  if (it == values.end() || it->second.empty()) return std::nullopt;
  return it->second.back();
}

std::vector<std::string> Invocation::all(std::string_view option) const {
  const auto it = values.find(option);
  return it == values.end() ? std::vector<std::string>{} : it->second;
}

}  // namespace gramwatt::cli
