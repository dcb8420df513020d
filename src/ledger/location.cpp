// Where a ledger may be written ahead.
//
// SQLite's write-ahead log needs memory that all writers of a file share, so all of them must be on one machine; on NFS or
// Lustre two nodes would corrupt the file without noticing. Cluster homes are exactly that. There every host writes a file of
// its own, with a rollback journal, and readers read all of them: ids are globally unique, so nothing has to be coordinated.

#include "ledger/location.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace gramwatt::ledger {
namespace {

// f_type of statfs(2): from the kernel's include/uapi/linux/magic.h and, for those outside the kernel tree, coreutils'
// src/stat.c.
constexpr std::array<std::uint32_t, 15> kNetworkMagics{
    0x00006969,  // NFS
    0x0BD00BD0,  // Lustre
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB2
    0x0000517B,  // SMB
    0x19830326,  // BeeGFS
    0x47504653,  // GPFS
    0x65735546,  // FUSE: sshfs, glusterfs, virtiofs; also local ones (ntfs-3g), for which this is merely careful
    0x00C36400,  // Ceph
    0x5346414F,  // AFS
    0x6B414653,  // kAFS
    0x01021997,  // 9p
    0xAAD7AAEA,  // PanFS
    0x01161970,  // GFS2
    0x7461636F,  // OCFS2
};

}  // namespace

bool is_network_folder(const std::filesystem::path& folder) {
  std::error_code ec;
  std::filesystem::path at = std::filesystem::absolute(folder, ec);
  for (;;) {
    struct statfs info{};
    if (::statfs(at.c_str(), &info) == 0) {
      const auto magic = static_cast<std::uint32_t>(info.f_type);  // f_type is signed and wider: the magics are 32 bits
      return std::find(kNetworkMagics.begin(), kNetworkMagics.end(), magic) != kNetworkMagics.end();
    }
    if (at == at.parent_path()) return false;
    at = at.parent_path();
  }
}

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
