#pragma once
// The story of one job, written into the ledger as it goes: what is about to be done, before it is done.
//
// A book that cannot be written (a full disk, a ledger that is locked) never keeps a program from running on: the first failure
// is remembered and told at the end, and each later entry is tried again.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ledger/ledger.hpp"

namespace gramwatt::job {

class JobBook {
 public:
  /// No path: nothing is kept.
  JobBook(std::optional<std::filesystem::path> path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  /// The row as it stands; entries write it.
  ledger::JobRecord job;

  /// False: it could not be written.
  bool enter(ledger::JobState state, std::string what, std::string why);

  /// The row as it stands, without anything having happened; what cannot be written is written with the next entry.
  void update();
  /// Other jobs that are there and have not ended, as the ledger knows them.
  [[nodiscard]] std::vector<ledger::JobRecord> others() const;

  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

 private:
  bool write(const ledger::JobEvent& event);

  std::optional<std::filesystem::path> path_;
  const Clock& clock_;
  std::optional<ledger::Ledger> ledger_;
  std::optional<Error> problem_;
};

}  // namespace gramwatt::job
