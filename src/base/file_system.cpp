// Which folders several machines share.

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/file.hpp"

namespace gramwatt {
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

}  // namespace gramwatt
