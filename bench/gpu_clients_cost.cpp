// CPU time of asking once who used a GPU (sense/gpu_clients.hpp), on this machine's /proc, in microseconds: the median of 200
// calls. One of ten processes counts as the job's.
// usage: gpu_clients_cost
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <vector>

#include "sense/gpu_clients.hpp"

int main() {
  using namespace gramwatt;
  sense::GpuClients clients{Roots{}};
  sense::GpuDevice gpu;
  gpu.driver = "amdgpu";
  gpu.address = "0000:c1:00.0";
  const auto cpu = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
  };
  std::vector<double> calls;
  for (int i = 0; i < 200; ++i) {
    const double before = cpu();
    (void)clients.share(gpu, [](pid_t pid) { return pid % 10 == 0; });
    calls.push_back(cpu() - before);
  }
  int processes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    processes += entry.path().filename().string().find_first_not_of("0123456789") == std::string::npos ? 1 : 0;
  }
  std::printf("first %.0f", calls.front());
  std::nth_element(calls.begin(), calls.begin() + 100, calls.end());
  std::printf(" median %.0f us, %d processes\n", calls[100], processes);
  return 0;
}
