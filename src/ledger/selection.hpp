#pragma once
// Which run is meant by what somebody typed.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace gramwatt::ledger {

/// The id meant by `word` among `ids` (newest first): "last" or "@1" the newest, "@2" the one before …, a whole id, the
/// beginning of one id, or its last four or more characters (ids begin with their time, so runs of one day differ at the end).
/// Case does not matter. Kind `missing` with near matches as the remedy, kind `usage` where several fit.
[[nodiscard]] Result<std::string> select_run(std::string_view word, const std::vector<std::string>& ids);

}  // namespace gramwatt::ledger
