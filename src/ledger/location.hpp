#pragma once
// Which files a ledger lives in: one on a local disk, one a host on a network file system.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gramwatt::ledger {

/// Is `folder` (or, where it does not exist yet, the nearest folder above it) on a file system that several machines share?
[[nodiscard]] bool is_network_folder(const std::filesystem::path& folder);

/// "…/ledger.db" on host "node7" → "…/ledger-node7.db".
[[nodiscard]] std::filesystem::path path_of_host(const std::filesystem::path& ledger, std::string_view host);

/// The files of all hosts beside `ledger` ("ledger.db", "ledger-*.db"), sorted, without `own`.
[[nodiscard]] std::vector<std::filesystem::path> paths_of_other_hosts(const std::filesystem::path& ledger,
                                                                      const std::filesystem::path& own);

}  // namespace gramwatt::ledger
