// Compiled with vectors on (CMakeLists.txt): twice, for the vector units of every x86-64 and for AVX2, which is taken where the
// machine has it. Rows hold no NaN and no infinity (an unreachable state is a large whole number), so that a minimum is one
// instruction.

#include "plan/exact_kernel.hpp"

#include <algorithm>

namespace gramwatt::plan::kernel {
namespace {

[[gnu::always_inline]] inline void run_loop(const RunRow& r, int begin, int end) {
  double* __restrict to = r.to;
  for (int j = begin; j < end; ++j)
    to[j] = std::min(std::min(r.running[j - 1], r.held[j - 1]), r.off[j - 1] + r.restart) + r.step[j - 1] * r.intensity;
}

[[gnu::always_inline]] inline void pause_loop(const PauseRow& r, int begin, int end) {
  double* __restrict to = r.to;
  for (int j = begin; j < end; ++j) to[j] = std::min(r.before[j] + r.a_slot, r.running[j] + r.all);
}

[[gnu::always_inline]] inline void chunk_loop(const ChunkRow& r, int begin, int end) {
  double* __restrict to = r.to;
  for (int j = begin; j < end; ++j)
    to[j] = std::min(r.running[j - 1] + r.step[j - 1] * r.intensity,
                     std::min(r.held[j - r.m], r.off[j - r.m] + r.restart) + r.chunk[j]);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void run_avx2(const RunRow& r, int begin, int end) { run_loop(r, begin, end); }
[[gnu::target("avx2")]] void pause_avx2(const PauseRow& r, int begin, int end) { pause_loop(r, begin, end); }
[[gnu::target("avx2")]] void chunk_avx2(const ChunkRow& r, int begin, int end) { chunk_loop(r, begin, end); }

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

}  // namespace

#if defined(__x86_64__)
void run(const RunRow& row, int begin, int end) { return has_avx2() ? run_avx2(row, begin, end) : run_loop(row, begin, end); }
void pause(const PauseRow& row, int begin, int end) {
  return has_avx2() ? pause_avx2(row, begin, end) : pause_loop(row, begin, end);
}
void run_chunk(const ChunkRow& row, int begin, int end) {
  return has_avx2() ? chunk_avx2(row, begin, end) : chunk_loop(row, begin, end);
}
#else
void run(const RunRow& row, int begin, int end) { run_loop(row, begin, end); }
void pause(const PauseRow& row, int begin, int end) { pause_loop(row, begin, end); }
void run_chunk(const ChunkRow& row, int begin, int end) { chunk_loop(row, begin, end); }
#endif

}  // namespace gramwatt::plan::kernel
