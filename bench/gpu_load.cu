// A load with a beat: busy for half of PERIOD_MS and waiting for the other half, for SECONDS. usage: gpu_load SECONDS PERIOD_MS
// (PERIOD_MS 0: busy all the time; -1: holds a context and does nothing)
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

__global__ void spin(float* out, int n) {
  float x = threadIdx.x;
  for (int i = 0; i < n; ++i) x = x * 1.0000001f + 0.5f;
  if (x == 0) *out = x;
}

int main(int argc, char** argv) {
  using clock = std::chrono::steady_clock;
  const double length = argc > 1 ? atof(argv[1]) : 5, period = argc > 2 ? atof(argv[2]) : 0;
  float* out = nullptr;
  if (cudaMalloc(&out, 4) != cudaSuccess) return 1;
  const auto begin = clock::now();
  const auto since = [&] { return std::chrono::duration<double>(clock::now() - begin).count(); };
  if (period < 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(length));
    return 0;
  }
  while (since() < length) {
    const double part = period > 0 ? fmod(since() * 1e3, period) / period : 0;
    if (part < 0.5) {
      spin<<<1024, 256>>>(out, 20000);
      cudaDeviceSynchronize();
    } else {
      std::this_thread::sleep_for(std::chrono::duration<double>((1 - part) * period * 1e-3));
    }
  }
  return 0;
}
