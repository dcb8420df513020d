#pragma once
// One function a command: parse, call, print. They return the exit code.

#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "report/format.hpp"

namespace gramwatt::cli {

[[nodiscard]] int command_run(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_attach(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_top(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_runs(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_show(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_compare(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_tag(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_rm(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_jobs(const Invocation& invocation, const Settings& settings);
/// pause, resume, now, cancel.
[[nodiscard]] int command_steer(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_recover(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_progress(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_grid(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_grid_import(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_study_jobs(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_plan(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_study(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_reweigh(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_doctor(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_estimate(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_calibrate(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_replay(const Invocation& invocation, const Settings& settings);
[[nodiscard]] int command_config(const Invocation& invocation, const Settings& settings);

/// "gramwatt: error: …" on standard error; the exit code of its kind (contract: 1 failed, 2 usage, 3 missing, 4 unavailable).
int complain(const Error& error);
void warn(const std::string& text);

/// Text to standard output; 0, or complains.
[[nodiscard]] int print(const std::string& text);

/// Colour and width for standard output (1) or standard error (2).
[[nodiscard]] report::Style style_for(int fd);
[[nodiscard]] std::size_t width_of(int fd);

/// "k=v" words; usage error otherwise.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_tags(const std::vector<std::string>& words, bool may_be_empty);

}  // namespace gramwatt::cli
