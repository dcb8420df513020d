#pragma once
// Reads runs, and changes what may be changed of them afterwards, in one database.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/account.hpp"
#include "base/error.hpp"
#include "ledger/database.hpp"
#include "ledger/ledger.hpp"
#include "ledger/owner.hpp"
#include "ledger/record.hpp"

namespace gramwatt::ledger {

struct RunKey {
  std::int64_t start_utc = 0;
  std::string id;
  friend auto operator<=>(const RunKey&, const RunKey&) = default;
};

/// All runs, newest first.
[[nodiscard]] Result<std::vector<RunKey>> read_keys(Database& database);
[[nodiscard]] Result<std::vector<RunRecord>> read_records(Database& database, const Filter& filter);
/// Nothing when the run is not in this database.
[[nodiscard]] Result<std::optional<RunRecord>> read_record(Database& database, const std::string& id);
[[nodiscard]] Result<bool> has_run(Database& database, const std::string& id);
[[nodiscard]] Result<std::vector<Channel>> read_channels(Database& database, const std::string& id);
/// Every interval of a run, oldest first.
[[nodiscard]] Result<std::vector<Interval>> read_intervals(Database& database, const std::string& id);

/// A row that says "running", and who wrote that.
struct RunningRow {
  std::string id;
  Owner owner;
};
[[nodiscard]] Result<std::vector<RunningRow>> read_running(Database& database, const std::string& host);

[[nodiscard]] Result<void> write_interrupted(Database& database, const std::vector<std::string>& ids);
[[nodiscard]] Result<void> replace_tags(Database& database, const std::string& id,
                                        const std::map<std::string, std::string>& tags);
[[nodiscard]] Result<void> delete_run(Database& database, const std::string& id);

}  // namespace gramwatt::ledger
