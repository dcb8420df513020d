#pragma once
// Which files a ledger lives in: one on a local disk, one a host on a network file system.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"

namespace gramwatt::ledger {

using gramwatt::is_network_folder;

/// "…/ledger.db" on host "node7" → "…/ledger-node7.db".
[[nodiscard]] std::filesystem::path path_of_host(const std::filesystem::path& ledger, std::string_view host);

/// The files of all hosts beside `ledger` ("ledger.db", "ledger-*.db"), sorted, without `own`.
[[nodiscard]] std::vector<std::filesystem::path> paths_of_other_hosts(const std::filesystem::path& ledger,
                                                                      const std::filesystem::path& own);

}  // namespace gramwatt::ledger
