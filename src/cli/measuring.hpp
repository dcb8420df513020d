#pragma once
// What `run` and `attach` have in common on the command line: options, live line, trace, recording, and the summary at the end.

#include <cstdio>
#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/live.hpp"
#include "job/recording.hpp"
#include "job/session.hpp"

namespace gramwatt::cli {

/// Options that name and time a measurement.
[[nodiscard]] Result<void> session_options(const Invocation& invocation, const Settings& settings, job::SessionOptions& into);
/// GRAMWATT_TREE, for tests.
[[nodiscard]] meter::TreeMechanism tree_mechanism();

/// Options and configuration of the place are checked before anything starts; the cloud is asked later.
[[nodiscard]] Result<void> check_place(const Surroundings& surroundings, const Settings& settings);

/// Live line, trace and recording of one measurement. Outlives it; stays where it is.
class Watcher {
 public:
  Watcher() = default;
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Opens what the invocation asks for and hangs it into `options`.
  [[nodiscard]] Result<void> open(const Invocation& invocation, const Settings& settings, job::SessionOptions& options);
  /// Takes the live line away until it is drawn again: somebody else writes.
  void clear();
  /// Takes the live line away and closes the files.
  void end();

 private:
  void tick(const job::Progress& p);
  void trace(const job::Progress& p);

  std::optional<LiveLine> live_;
  std::FILE* trace_ = nullptr;
  std::string trace_path_;
  std::unique_ptr<job::Recorder> recorder_;
  bool headed_ = false;
};

/// Summary, JSON and warnings.
void tell_result(const Invocation& invocation, const Settings& settings, const ledger::RunRecord& record,
                 const std::optional<Error>& ledger_error, const std::optional<Error>& record_error);

}  // namespace gramwatt::cli
