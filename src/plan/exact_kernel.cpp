// Compiled with vectors on (CMakeLists.txt): twice, for the vector units of every x86-64 and for AVX2, which is taken where the
// machine has it. Rows hold no NaN and no infinity (an unreachable state is a large whole number), so that a minimum is one
// instruction.

#include "plan/exact_kernel.hpp"

#include <algorithm>

namespace gramwatt::plan::kernel {
namespace {

[[gnu::always_inline]] inline void run_loop(const RunRow r, int begin, int end) {
  double* __restrict to = r.to;
  if (r.held == nullptr) {
    for (int j = begin; j < end; ++j)
      to[j] = std::min(r.running[j - 1], r.off[j - 1] + r.restart) + r.step[j - 1] * r.intensity;
    return;
  }
  for (int j = begin; j < end; ++j)
    to[j] = std::min(std::min(r.running[j - 1], r.held[j - 1]), r.off[j - 1] + r.restart) + r.step[j - 1] * r.intensity;
}

/// Several doubles; the compiler makes more than one of it where the machine has no such unit.
template <int N>
using Pack [[gnu::vector_size(N * sizeof(double))]] = double;

template <int N, bool kHeld, bool kSame>
[[gnu::always_inline]] inline void both_loop(const BothRows r, int begin, int end) {  // by value: rows do not lie in it
  const auto load = [](Pack<N>& pack, const double* from)
                        __attribute__((always_inline)) { __builtin_memcpy(&pack, from, sizeof pack); };
  const double a_step = r.step[0] * r.intensity;
  int j = end;
  for (; j - N >= begin; j -= N) {  // from above, so that what is read is still of the slot before
    const int at = j - N;
    Pack<N> running, off, enter, out;
    load(running, r.running + at);
    load(off, r.off + at);
    load(enter, r.running + at - 1);
    load(out, r.off + at - 1);
    out += r.restart;
    enter = enter < out ? enter : out;
    if constexpr (kHeld) {
      Pack<N> held, before;
      load(held, r.held + at);
      load(before, r.held + at - 1);
      enter = enter < before ? enter : before;
      held = (held < running ? held : running) + r.held_slot;
      __builtin_memcpy(r.held + at, &held, sizeof held);
    }
    if constexpr (kSame) {
      enter += a_step;
    } else {
      Pack<N> step;
      load(step, r.step + at - 1);
      enter += step * r.intensity;
    }
    off = (off < running ? off : running) + r.off_slot;
    __builtin_memcpy(r.running + at, &enter, sizeof enter);
    __builtin_memcpy(r.off + at, &off, sizeof off);
  }
  for (--j; j >= begin; --j) {
    const double running = r.running[j];
    double enter = std::min(r.running[j - 1], r.off[j - 1] + r.restart);
    if constexpr (kHeld) {
      enter = std::min(enter, r.held[j - 1]);
      r.held[j] = std::min(r.held[j], running) + r.held_slot;
    }
    r.running[j] = enter + r.step[j - 1] * r.intensity;
    r.off[j] = std::min(r.off[j], running) + r.off_slot;
  }
}

template <int N>
[[gnu::always_inline]] inline void both(const BothRows& r, int begin, int end) {
  if (r.same_step)
    return r.held != nullptr ? both_loop<N, true, true>(r, begin, end) : both_loop<N, false, true>(r, begin, end);
  return r.held != nullptr ? both_loop<N, true, false>(r, begin, end) : both_loop<N, false, false>(r, begin, end);
}

[[gnu::always_inline]] inline void pause_loop(const PauseRow r, int begin, int end) {
  double* __restrict to = r.to;
  for (int j = begin; j < end; ++j) to[j] = std::min(r.before[j] + r.a_slot, r.running[j] + r.all);
}

[[gnu::always_inline]] inline void chunk_loop(const ChunkRow r, int begin, int end) {
  double* __restrict to = r.to;
  for (int j = begin; j < end; ++j)
    to[j] = std::min(r.running[j - 1] + r.step[j - 1] * r.intensity,
                     std::min(r.held[j - r.m], r.off[j - r.m] + r.restart) + r.chunk[j]);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void run_avx2(const RunRow& r, int begin, int end) { run_loop(r, begin, end); }
[[gnu::target("avx2")]] void both_avx2(const BothRows& r, int begin, int end) { both<4>(r, begin, end); }
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
void run_and_pause(const BothRows& rows, int begin, int end) {
  return has_avx2() ? both_avx2(rows, begin, end) : both<2>(rows, begin, end);
}
void pause(const PauseRow& row, int begin, int end) {
  return has_avx2() ? pause_avx2(row, begin, end) : pause_loop(row, begin, end);
}
void run_chunk(const ChunkRow& row, int begin, int end) {
  return has_avx2() ? chunk_avx2(row, begin, end) : chunk_loop(row, begin, end);
}
#else
void run_and_pause(const BothRows& rows, int begin, int end) { both<2>(rows, begin, end); }
void run(const RunRow& row, int begin, int end) { run_loop(row, begin, end); }
void pause(const PauseRow& row, int begin, int end) { pause_loop(row, begin, end); }
void run_chunk(const ChunkRow& row, int begin, int end) { chunk_loop(row, begin, end); }
#endif

}  // namespace gramwatt::plan::kernel
