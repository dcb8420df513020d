// Where a ledger may be written ahead.
//
// SQLite's write-ahead log needs memory that all writers of a file share, so all of them must be on one machine; on NFS or
// Lustre two nodes would corrupt the file without noticing. Cluster homes are exactly that. There every host writes a file of
// its own, with a rollback journal, and readers read all of them: ids are globally unique, so nothing has to be coordinated.

#include "ledger/location.hpp"

#include <algorithm>
#include <cctype>

namespace gramwatt::ledger {
std::filesystem::path path_of_host(const std::filesystem::path& ledger, std::string_view host) {
  std::string name = ledger.stem().string() + "-";
  for (const char c : host) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    name += plain ? c : '_';
  }
  return ledger.parent_path() / (name + ledger.extension().string());
}

std::vector<std::filesystem::path> paths_of_other_hosts(const std::filesystem::path& ledger, const std::filesystem::path& own) {
  std::vector<std::filesystem::path> found;
  const std::string stem = ledger.stem().string();
  const auto folder = ledger.has_parent_path() ? ledger.parent_path() : std::filesystem::path(".");
  std::error_code ec;
  for (std::filesystem::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    const auto name = it->path().filename();
    const std::string s = name.stem().string();
    const bool ours = s == stem || s.starts_with(stem + "-");
    if (ours && name.extension() == ledger.extension() && name != own.filename()) found.push_back(ledger.parent_path() / name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace gramwatt::ledger
