#pragma once
// What `gramwatt run --within … --pausable` is asked: the time a job has, what is known of its length and power, and how it may
// be paused.

#include <optional>

#include "cli/context.hpp"
#include "job/scheduled_run.hpp"

namespace gramwatt::cli {

/// Is this run to be moved in time?
[[nodiscard]] bool is_scheduled(const Invocation& invocation);

/// How long it is thought to run: as was said, or as earlier runs of this command did.
[[nodiscard]] std::optional<Nanoseconds> known_duration(const Invocation& invocation, const Settings& settings);

/// An Error (usage) when a run that is not to be moved is told how.
[[nodiscard]] Result<void> check_unscheduled(const Invocation& invocation);

/// `probe` and `on_change` are the caller's to fill in. Kind usage where the options do not say enough; kind missing where
/// nobody knows how long the job takes.
[[nodiscard]] Result<job::ScheduleOptions> schedule_request(const Invocation& invocation, const Settings& settings,
                                                            const Surroundings& surroundings, const job::Machine& machine,
                                                            Nanoseconds now);

}  // namespace gramwatt::cli
