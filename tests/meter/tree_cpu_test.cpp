#include "meter/tree_cpu.hpp"

#include <gtest/gtest.h>

#include "meter/tree_watch.hpp"

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

constexpr const char* kBoth =
    "41 30 0:36 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n42 30 0:37 / /sys/fs/cgroup/memory rw - cgroup "
    "cgroup rw,memory\n48 30 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

std::vector<std::string> folders(const std::string& path, std::string_view mountinfo) {
  std::vector<std::string> all;
  for (const CgroupPlace& p : cgroup_places(path, mountinfo)) all.push_back((p.unified ? "2 " : "1 ") + p.folder);
  return all;
}

TEST(CgroupPlaces, APathAsInProcIsLookedForWhereCpuTimeIsKept) {
  EXPECT_EQ(folders("/a/b", kUnified), std::vector<std::string>{"2 /sys/fs/cgroup/a/b"});
  EXPECT_EQ(folders("a/b/", kUnified), std::vector<std::string>{"2 /sys/fs/cgroup/a/b"});
  EXPECT_EQ(folders("/a", kBoth), (std::vector<std::string>{"2 /sys/fs/cgroup/unified/a", "1 /sys/fs/cgroup/cpu,cpuacct/a"}));
}

TEST(CgroupPlaces, AFolderIsTakenAsItIs) {
  EXPECT_EQ(folders("/sys/fs/cgroup/a", kUnified), std::vector<std::string>{"2 /sys/fs/cgroup/a"});
  EXPECT_EQ(folders("/sys/fs/cgroup/cpu,cpuacct/a", kBoth), std::vector<std::string>{"1 /sys/fs/cgroup/cpu,cpuacct/a"});
}

TEST(CgroupPlaces, DotsDoNotLeadOut) {
  EXPECT_EQ(folders("/a/../../b", kUnified), std::vector<std::string>{"2 /sys/fs/cgroup/b"});
  EXPECT_TRUE(folders("/a", "").empty());
}

}  // namespace
}  // namespace gramwatt::meter
