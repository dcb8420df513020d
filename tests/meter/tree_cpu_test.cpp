#include "meter/tree_cpu.hpp"

#include <gtest/gtest.h>

namespace gramwatt::meter {
namespace {

constexpr const char* kUnified =
    "25 1 0:22 / /sys rw - sysfs sysfs rw\n35 25 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
constexpr const char* kHybrid =
    "41 30 0:36 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n48 30 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

TEST(Cgroup2Folder, IsTheMountPlusTheOwnPath) {
  EXPECT_EQ(*cgroup2_folder_from(kUnified, "0::/user.slice/user-1000.slice/session-2.scope\n"),
            "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope");
  EXPECT_EQ(*cgroup2_folder_from(kHybrid, "9:name=systemd:/x\n4:memory:/y\n0::/\n"), "/sys/fs/cgroup/unified");
}

TEST(Cgroup2Folder, InAContainerTheMountsRootIsTakenOff) {
  EXPECT_EQ(*cgroup2_folder_from("35 25 0:30 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "0::/docker/abc/sub\n"),
            "/sys/fs/cgroup/sub");
}

TEST(Cgroup2Folder, VersionOneAloneIsAnErrorThatSaysSo) {
  EXPECT_FALSE(cgroup2_folder_from("41 30 0:36 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "3:cpu:/\n"));
  EXPECT_FALSE(cgroup2_folder_from("41 30 0:36 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "0::/\n"));
  EXPECT_FALSE(cgroup2_folder_from("", ""));
}

}  // namespace
}  // namespace gramwatt::meter
