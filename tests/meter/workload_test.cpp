#include "meter/workload.hpp"

#include <gtest/gtest.h>

namespace gramwatt::meter {
namespace {

const std::string kId = "4f2a90c1d7e3b5a6978812345678abcdef0123456789abcdef0123456789abcd";
using Kind = Workload::Kind;

Workload of(const std::string& text) { return workload_from(text); }

TEST(Workload, ContainersOfEveryRuntime) {
  for (const auto& [path, label] : std::vector<std::pair<std::string, std::string>>{
           {"0::/system.slice/docker-" + kId + ".scope", "docker 4f2a90c1d7e3"},
           {"4:memory:/docker/" + kId + "\n0::/\n", "docker 4f2a90c1d7e3"},
           {"0::/machine.slice/libpod-" + kId + ".scope/container", "podman 4f2a90c1d7e3"},
           {"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope", "podman 4f2a90c1d7e3"},
           {"0::/libpod_parent/libpod-" + kId, "podman 4f2a90c1d7e3"},
           {"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice/"
            "cri-containerd-" +
                kId + ".scope",
            "containerd 4f2a90c1d7e3"},
           {"0::/kubepods.slice/crio-" + kId + ".scope", "cri-o 4f2a90c1d7e3"}}) {
    const Workload w = of(path);
    EXPECT_EQ(w.kind, Kind::container) << path;
    EXPECT_EQ(w.label, label) << path;
    EXPECT_EQ(w.id, kId) << path;
  }
}

TEST(Workload, PodsInBothSpellings) {
  const std::string uid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
  EXPECT_EQ(of("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice/"
               "cri-containerd-" +
               kId + ".scope")
                .pod,
            uid);
  const Workload w = of("11:cpuacct:/kubepods/besteffort/pod" + uid + "/" + kId + "\n");
  EXPECT_EQ(w.pod, uid);
  EXPECT_EQ(w.label, "pod container 4f2a90c1d7e3");
  EXPECT_EQ(of("0::/system.slice/containerd.service/kubepods-burstable-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice:cri-"
               "containerd:" +
               kId)
                .pod,
            uid);
}

TEST(Workload, AContainersOwnHelpersAreNotTheContainer) {
  EXPECT_NE(of("0::/machine.slice/libpod-conmon-" + kId + ".scope").kind, Kind::container);
  EXPECT_NE(of("0::/kubepods.slice/crio-conmon-" + kId + ".scope").kind, Kind::container);
}

TEST(Workload, SlurmJobsAndTheirSteps) {
  const Workload v2 = of("0::/system.slice/slurmstepd.scope/job_123/step_0/user/task_0");
  EXPECT_EQ(v2.label, "job 123 step 0");
  EXPECT_EQ(v2.id, "123.0");
  EXPECT_EQ(of("5:cpuacct:/slurm/uid_1000/job_77/step_batch\n0::/").label, "job 77 step batch");
  EXPECT_EQ(of("0::/job_x/step_1").kind, Kind::none);
}

TEST(Workload, UnitsAndSessionsOfSystemd) {
  EXPECT_EQ(of("0::/system.slice/nginx.service").label, "nginx.service");
  EXPECT_EQ(of("0::/system.slice/system-getty.slice/getty\\x2dtest@tty1.service").label, "getty-test@tty1.service");
  EXPECT_EQ(of("0::/user.slice/user-1000.slice/session-2.scope").label, "session 2 of user 1000");
  EXPECT_EQ(of("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-editor.service").label, "app-editor.service");
  EXPECT_EQ(of("0::/machine.slice/machine-web.scope").label, "machine web");
  EXPECT_EQ(of("3:devices:/lxc/db\n0::/").label, "machine db");
}

TEST(Workload, NothingInParticularKeepsItsPath) {
  EXPECT_EQ(of("").path, "/");
  EXPECT_EQ(of("0::/").path, "/");
  const Workload w = of("9:name=systemd:/\n4:memory:/process_api/0123\n0::/\n");
  EXPECT_EQ(w.kind, Kind::none);
  EXPECT_EQ(w.path, "/process_api/0123");
}

TEST(Workload, OfTwoHierarchiesTheOneThatSaysMoreCounts) {
  EXPECT_EQ(of("4:cpu:/docker/" + kId + "\n0::/system.slice/containerd.service\n").label, "docker 4f2a90c1d7e3");
  EXPECT_EQ(of("1:name=systemd:/a.service\n0::/b.service\n").label, "b.service");
}

}  // namespace
}  // namespace gramwatt::meter
