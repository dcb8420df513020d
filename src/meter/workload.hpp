#pragma once
// Which container, pod, Slurm job or systemd unit a process is part of: told by the names of its cgroups, which every runtime
// builds in its own way. No daemon is asked.
//
//   docker       /system.slice/docker-HEX64.scope, /docker/HEX64                       (moby: daemon/oci_linux.go)
//   podman       /machine.slice/libpod-HEX64.scope, /libpod_parent/libpod-HEX64        (libpod/container.go)
//   containerd   …/cri-containerd-HEX64.scope, …:cri-containerd:HEX64                  (Kubernetes' CRI)
//   CRI-O        …/crio-HEX64.scope
//   Kubernetes   /kubepods/…/podUID/HEX64, /kubepods.slice/…-podUID_WITH_UNDERSCORES.slice/…
//   Slurm        …/job_123/step_0/… (cgroup/v1: /slurm/uid_1000/job_123, cgroup/v2: …/slurmstepd.scope/job_123)
//   LXC, nspawn  /lxc/NAME, /lxc.payload.NAME, machine-NAME.scope
//   systemd      NAME.service, /user.slice/user-UID.slice/session-N.scope               (systemd.special(7))

#include <string>
#include <string_view>

namespace gramwatt::meter {

struct Workload {
  enum class Kind { none, container, slurm, service, session, machine };
  Kind kind = Kind::none;
  std::string label;  ///< for people: "docker 4f2a90c1d7e3", "job 123 step 0", "nginx.service", "session 2 of user 1000"
  std::string id;     ///< the container's 64 hex digits, "123.0", the unit's whole name
  std::string pod;    ///< UID of the Kubernetes pod; else empty
  std::string path;   ///< the cgroup that told it, as in /proc/PID/cgroup; "/" when in none but the root
};

/// `cgroup`: text of /proc/PID/cgroup, any version. Never fails: what is not recognised has kind none and its path.
[[nodiscard]] Workload workload_from(std::string_view cgroup);

}  // namespace gramwatt::meter
