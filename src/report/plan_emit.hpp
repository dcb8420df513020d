#pragma once
// A plan as commands: a shell script that starts, pauses and resumes a job at the times of a plan, for whoever schedules there.
//
// What every script keeps to: POSIX sh; all times are seconds since 1970 UTC, so that no time zone can move them; every word
// of the user's (command, name of a machine) is quoted, so that the shell takes it as it stands; comments hold no line that
// could run. A script that pauses a process resumes it even when the script itself is ended.
//
// Options are those of: at(1) of POSIX.1-2017 (-t, and that it keeps folder and environment); sbatch(1), scontrol(1),
// scancel(1) of Slurm 23.02; `az vm start|deallocate`; `aws ec2 start-instances|stop-instances`; `gcloud compute instances
// start|stop`; Kubernetes' Job `.spec.suspend` (stable since 1.24; suspending ends the Pods with SIGTERM).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "report/plan.hpp"

namespace gramwatt::report {

enum class EmitForm : std::uint8_t { sh, at, sbatch, az, aws, gcloud, k8s };
[[nodiscard]] std::string_view to_string(EmitForm form);
[[nodiscard]] std::optional<EmitForm> parse_emit_form(std::string_view text);

struct EmitRequest {
  EmitForm form = EmitForm::sh;
  std::string resource;              ///< machine, instance or job that the commands speak of
  std::vector<std::string> command;  ///< sh, at, sbatch: what is run; else only told in a comment
};

/// What can be said before there is a plan: is anything missing that this form needs? Kind usage.
[[nodiscard]] Result<void> check(const EmitRequest& request);

/// The script for the option that was chosen. Kind usage where the form cannot carry it out (another cloud was chosen, or the
/// plan holds a job in place and the form can only stop it).
[[nodiscard]] Result<std::string> plan_commands(const PlanView& view, const EmitRequest& request);

/// A word as the shell takes it literally.
[[nodiscard]] std::string shell_quote(std::string_view word);
[[nodiscard]] std::string shell_quote(const std::vector<std::string>& words);

/// From one start to the next exit of the process.
struct EmitRun {
  struct Hold {
    Nanoseconds from{}, to{};
  };
  Nanoseconds begin{};
  std::vector<Hold> holds;
  std::optional<Nanoseconds> stop;  ///< nothing: runs to the end of the job
};
[[nodiscard]] std::vector<EmitRun> emit_runs(const plan::Schedule& schedule, const plan::Slots& slots);

/// Comment lines, whatever `text` holds.
[[nodiscard]] std::string shell_comment(std::string_view text);
/// "1764079200": seconds since 1970, up to the next whole one.
[[nodiscard]] std::string epoch(Nanoseconds t);

// The forms by who keeps time: the script itself beside the process, or from outside.
[[nodiscard]] std::string emit_local(const std::vector<EmitRun>& runs, const EmitRequest& request);
[[nodiscard]] std::string emit_remote(const std::vector<EmitRun>& runs, const EmitRequest& request, const PlannedPlace& place);

}  // namespace gramwatt::report
