// Scripts that keep time from outside: Slurm, a cloud's virtual machine, a Kubernetes Job.

#include <fmt/format.h>

#include "report/plan_emit.hpp"

namespace gramwatt::report {
namespace {

constexpr std::string_view kUntil =
    R"SH(# Waits for a time in seconds since 1970 UTC; in short naps, because clocks are set and machines sleep.
until_time() {
  while left=$(($1 - $(date +%s))) && [ "$left" -gt 0 ]; do
    [ "$left" -le 60 ] || left=60
    sleep "$left"
  done
}

)SH";

constexpr std::string_view kSlurm = R"SH(
# What may be paused still exists; Slurm would requeue a job that has ended, too.
state() { squeue --noheader --jobs="$job" --format=%T 2>/dev/null || true; }

# Out of its allocation, and kept in the queue: SIGTERM, and after KillWait SIGKILL.
stop() {
  case $(state) in
    '') exit 0 ;; # it has ended
    PENDING*) scontrol hold "$job" ;;
    *) scontrol requeuehold "$job" ;;
  esac
  paused='scontrol release'
}
resume() {
  scontrol release "$job"
  paused=''
}

# In place: it keeps its allocation and its memory.
hold() {
  [ -n "$(state)" ] || exit 0
  scancel --full --signal=STOP "$job"
  paused='scancel --full --signal=CONT'
}
go_on() {
  scancel --full --signal=CONT "$job"
  paused=''
}

# Never left paused: who ends this script lets the job go on.
paused=''
trap '[ -z "$paused" ] || $paused "$job"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

)SH";

std::string emit_sbatch(const std::vector<EmitRun>& runs, const EmitRequest& request) {
  const bool pauses = runs.size() > 1 || !runs.front().holds.empty();
  std::string out = shell_comment(
      "Hands the job to Slurm and prints its number. Options of sbatch can be given by its environment (SBATCH_PARTITION, "
      "…).");
  if (pauses)
    out += shell_comment(
        "It then stays to pause and release the job: run it in the background or in tmux. At a pause the job gets SIGTERM\n"
        "(Slurm kills it after KillWait) and is requeued; it must save its checkpoint then, and go on from it when it is\n"
        "started again.");
  const std::string name = request.resource.empty() ? "" : " --job-name=" + shell_quote(request.resource);
  out += "\nset -eu\n" + (pauses ? std::string(kUntil) : "");
  out += fmt::format("delay=$(({} - $(date +%s)))\n[ \"$delay\" -gt 0 ] || delay=0\n", epoch(runs.front().begin));
  out += fmt::format("job=$(sbatch --parsable --requeue --open-mode=append --begin=\"now+$delay\"{} --wrap={})\n", name,
                     shell_quote("exec " + shell_quote(request.command)));
  out += "job=${job%%;*} # without the cluster's name\necho \"$job\"\n";
  if (!pauses) return out;
  out += kSlurm;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i > 0) out += fmt::format("until_time {}\nresume\n", epoch(runs[i].begin));
    for (const EmitRun::Hold& h : runs[i].holds)
      out += fmt::format("until_time {}\nhold\nuntil_time {}\ngo_on\n", epoch(h.from), epoch(h.to));
    if (runs[i].stop) out += fmt::format("until_time {}\nstop\n", epoch(*runs[i].stop));
  }
  return out;
}

/// How a machine or Job is started and stopped.
struct Verbs {
  std::string start, stop, note;
};

/// "a/b" as two words.
std::pair<std::string, std::string> halves(const std::string& resource) {
  const auto slash = resource.find('/');
  if (slash == std::string::npos) return {"", resource};
  return {resource.substr(0, slash), resource.substr(slash + 1)};
}

Verbs azure(const EmitRequest& request, const PlannedPlace& place) {
  const auto [group, name] = halves(request.resource);
  const std::string which = request.resource.starts_with('/')
                                ? "--ids " + shell_quote(request.resource)
                                : "--resource-group " + shell_quote(group) + " --name " + shell_quote(name);
  return {"az vm start " + which, "az vm deallocate " + which,
          place.region.empty() ? "" : "The machine must be one in " + place.region + ".\n"};
}

Verbs amazon(const EmitRequest& request, const PlannedPlace& place) {
  const std::string region = place.region.empty() ? "" : "--region " + shell_quote(place.region) + " ",
                    which = region + "--instance-ids " + shell_quote(request.resource);
  return {"aws ec2 start-instances " + which, "aws ec2 stop-instances " + which,
          region.empty() ? "The region is the one that the aws command is set to.\n" : ""};
}

Verbs google(const EmitRequest& request) {
  const auto [zone, name] = halves(request.resource);
  const std::string which = shell_quote(name) + " --zone=" + shell_quote(zone);
  return {"gcloud compute instances start " + which, "gcloud compute instances stop " + which, ""};
}

Verbs kubernetes(const EmitRequest& request) {
  const auto [space, name] = halves(request.resource);
  const auto patch = [&](const char* suspend) {
    return fmt::format("kubectl patch job {}{} --type=merge --patch='{{\"spec\":{{\"suspend\":{}}}}}'", shell_quote(name),
                       space.empty() ? "" : " --namespace=" + shell_quote(space), suspend);
  };
  return {patch("false"), patch("true"), ""};
}

Verbs verbs_of(const EmitRequest& request, const PlannedPlace& place) {
  switch (request.form) {
    case EmitForm::az: return azure(request, place);
    case EmitForm::aws: return amazon(request, place);
    case EmitForm::gcloud: return google(request);
    default: return kubernetes(request);
  }
}

}  // namespace

std::string emit_remote(const std::vector<EmitRun>& runs, const EmitRequest& request, const PlannedPlace& place) {
  if (request.form == EmitForm::sbatch) return emit_sbatch(runs, request);
  const bool job = request.form == EmitForm::k8s;
  const Verbs verbs = verbs_of(request, place);
  std::string out = shell_comment(
      verbs.note +
      (job ? "A shell script of kubectl commands. The Job is suspended at once and resumed at the start of each run; "
             "suspending\n"
             "ends its Pods with SIGTERM, so what it runs must go on from its checkpoint. The script waits between: run it in\n"
             "the background or in tmux."
           : "Starts and stops the machine by the plan, and waits between: run it in the background or in tmux. What the "
             "machine\n"
             "runs must start when it boots, save its checkpoint when the machine stops (SIGTERM), and go on from it."));
  out += "\nset -eu\n" + std::string(kUntil);
  out += fmt::format("start() {{ {}; }}\nstop() {{ {}; }}\n\n", verbs.start, verbs.stop);
  if (job) out += fmt::format("[ \"$(date +%s)\" -ge {} ] || stop\n", epoch(runs.front().begin));
  for (const EmitRun& run : runs) {
    out += fmt::format("until_time {}\nstart\n", epoch(run.begin));
    if (run.stop) out += fmt::format("until_time {}\nstop\n", epoch(*run.stop));
  }
  if (!job && runs.size() == 1) out += "# When the job has ended: " + verbs.stop + "\n";
  if (!job && runs.size() > 1) out += "# When the job has ended, stop the machine for good: the function stop above.\n";
  return out;
}

}  // namespace gramwatt::report
