// Scripts that stand beside the process: sh, and at.
//
// One part of the script only waits for the command and passes on how it ended. Another, the conductor, keeps time and sends
// the signals. So the script can never miss an end while it watches the clock, and a process that is held is resumed even if
// the script itself is killed: the conductor lives on. The command has a session of its own (setsid, where there is one), so
// that its children pause with it.

#include <fmt/format.h>

#include "base/clock.hpp"
#include "report/plan_emit.hpp"

namespace gramwatt::report {
namespace {

constexpr std::string_view kConductor = R"SH(set -u
child='' conductor='' nap='' ended='' again=''
exec 3<&0

# Waits for a time in seconds since 1970 UTC; in short naps, because clocks are set and machines sleep.
until_time() {
  while left=$(($1 - $(date +%s))) && [ "$left" -gt 0 ]; do
    [ "$left" -le 60 ] || left=60
    sleep "$left" 3<&- &
    nap=$!
    wait "$nap"
  done
  nap=''
}

# A signal to the command and its children.
tell() { kill -s "$1" -- "-$child" 2>/dev/null || kill -s "$1" "$child" 2>/dev/null; }

# Keeps time: holds, then the stop. Succeeds only if it has stopped the command.
conduct() {
  stop=$1
  shift
  trap '[ -z "$nap" ] || kill "$nap" 2>/dev/null; exit 1' TERM
  trap '' HUP INT
  while [ $# -gt 0 ]; do
    until_time "$1"
    tell STOP
    until_time "$2"
    tell CONT
    shift 2
  done
  [ "$stop" != - ] || exit 1
  until_time "$stop"
  trap '' TERM
  tell TERM || exit 1
  exit 0
}

# run START STOP [HOLD RESUME]...: returns where the plan has stopped the command, else ends with its exit code.
run() {
  begin=$1 last=$2
  shift 2
  until_time "$begin"
  [ "$last" = - ] || [ "$(date +%s)" -lt "$last" ] || return 0 # the script came too late for this run
  job <&3 3<&- &
  child=$!
  conduct "$last" "$@" </dev/null >/dev/null 2>&1 3<&- &
  conductor=$!
  again=1
  while [ -n "$again" ]; do
    again=''
    wait "$child"
    status=$?
  done
  kill "$conductor" 2>/dev/null
  wait "$conductor"
  acted=$?
  child='' conductor=''
  if [ -n "$ended" ] || [ "$acted" -ne 0 ]; then finish "$status"; fi
}

# The script itself is told to end: so is the command, and it is never left paused.
end() {
  ended=1 again=1
  [ -z "$conductor" ] || kill "$conductor" 2>/dev/null
  if [ -n "$child" ]; then
    tell "$1"
    tell CONT
  else
    [ -z "$nap" ] || kill "$nap" 2>/dev/null
    exit "$2"
  fi
}
trap 'end TERM 130' INT
trap 'end TERM 143' TERM
trap 'end HUP 129' HUP

)SH";

std::string job_function(const EmitRequest& request) {
  const std::string command = shell_quote(request.command);
  return fmt::format("job() {{\n  if command -v setsid >/dev/null 2>&1; then\n    exec setsid {0}\n  fi\n  exec {0}\n}}\n",
                     command);
}

std::string arguments(const EmitRun& run) {
  std::string out = epoch(run.begin) + " " + (run.stop ? epoch(*run.stop) : "-");
  for (const EmitRun::Hold& hold : run.holds) out += " " + epoch(hold.from) + " " + epoch(hold.to);
  return out;
}

std::string pauses(const std::vector<EmitRun>& runs) {
  std::string out;
  if (runs.size() > 1)
    out += shell_comment(
        "At a pause the command gets SIGTERM and is waited for; it must save its checkpoint then, and go on from it "
        "when it is\nstarted again.");
  for (const EmitRun& r : runs) {
    if (r.holds.empty()) continue;
    out += shell_comment("Where the plan holds it, the command gets SIGSTOP, and SIGCONT at the end of the pause.");
    break;
  }
  return out;
}

std::string emit_sh(const std::vector<EmitRun>& runs, const EmitRequest& request) {
  std::string out =
      shell_comment("Run it in the background or in tmux: it waits for the start, and ends with the exit code of the command.");
  out += pauses(runs) + "\n" + std::string(kConductor) + job_function(request) + "finish() { exit \"$1\"; }\n\n";
  for (const EmitRun& r : runs) out += "run " + arguments(r) + "\n";
  return out;
}

/// "202611251400": the minute in which a run starts; at knows no seconds.
std::string minute(Nanoseconds t) {
  std::string out;
  for (const char c : iso8601(t).substr(0, 16)) {
    if (c >= '0' && c <= '9') out += c;
  }
  return out;
}

/// A line that the text does not hold.
std::string delimiter(const std::string& text) {
  std::string word = "END_OF_PLAN";
  while (text.find(word) != std::string::npos) word += "_";
  return word;
}

std::string emit_at(const std::vector<EmitRun>& runs, const EmitRequest& request) {
  std::string inner = R"SH(#!/bin/sh
case ${GRAMWATT_PLAN_TZ-} in # the jobs were handed in with UTC; the command keeps its own zone
  =*) TZ=${GRAMWATT_PLAN_TZ#=} && export TZ ;;
  *) unset TZ ;;
esac
state=$GRAMWATT_PLAN
unset GRAMWATT_PLAN GRAMWATT_PLAN_TZ
if command -v flock >/dev/null 2>&1; then
  exec 9>"$state/lock" && flock 9 # the run before may still be saving its checkpoint
fi
[ ! -e "$state/exit-code" ] || exit 0 # it has ended by itself

)SH";
  inner += std::string(kConductor) + job_function(request) +
           "finish() {\n  echo \"$1\" >\"$state/exit-code\"\n  exit \"$1\"\n}\n\nrun \"$@\" 9>&-\n";
  const std::string end = delimiter(inner);
  std::string out = shell_comment(
      "Hands one job a run to at(1) and returns. at starts jobs by the minute; the job waits for its second. The exit code\n"
      "of the command is kept in the folder that is printed; `atrm` takes a job back.");
  out += pauses(runs) + R"SH(
set -eu
GRAMWATT_PLAN=${XDG_STATE_HOME:-$HOME/.local/state}/gramwatt/plan-$(date +%s)-$$
export GRAMWATT_PLAN
GRAMWATT_PLAN_TZ=${TZ+=$TZ}
export GRAMWATT_PLAN_TZ
mkdir -p "$GRAMWATT_PLAN"
)SH";
  out += fmt::format("cat >\"$GRAMWATT_PLAN/run\" <<'{0}'\n{1}{0}\n", end, inner);
  out += R"SH(
# submit EPOCH YYYYMMDDhhmm ARGUMENT...
submit() {
  epoch=$1 stamp=$2
  shift 2
  if [ "$(date +%s)" -ge $((epoch / 60 * 60)) ]; then
    printf 'exec sh "$GRAMWATT_PLAN/run" %s\n' "$*" | at now
  else
    printf 'exec sh "$GRAMWATT_PLAN/run" %s\n' "$*" | TZ=UTC at -t "$stamp"
  fi
}

)SH";
  for (const EmitRun& r : runs) out += fmt::format("submit {} {} {}\n", epoch(r.begin), minute(r.begin), arguments(r));
  return out + "echo \"$GRAMWATT_PLAN\"\n";
}

}  // namespace

std::string emit_local(const std::vector<EmitRun>& runs, const EmitRequest& request) {
  return request.form == EmitForm::at ? emit_at(runs, request) : emit_sh(runs, request);
}

}  // namespace gramwatt::report
