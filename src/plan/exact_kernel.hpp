#pragma once
// The inner loops of the exact plan, on rows of doubles that hold whole numbers (exact.hpp). Inside plan/ only.

namespace gramwatt::plan::kernel {

/// to[j] = min(running[j-1], held[j-1], off[j-1] + restart) + step[j-1]·intensity, for j in [begin, end). `held` may be null.
struct RunRow {
  double* to;
  const double *running, *held, *off, *step;
  double restart, intensity;
};
void run(const RunRow& row, int begin, int end);

/// Both rows of a slot at once and in place, for j from end − 1 down to begin, where runs and pauses of one slot are allowed:
///     running[j] = min(running[j-1], held[j-1], off[j-1] + restart) + step[j-1]·intensity
///     off[j] = min(off[j], running[j] as it was) + off_slot, and held[j] alike. `held` may be null.
struct BothRows {
  double *running, *held, *off;
  const double* step;
  bool same_step;  ///< all are as step[0]
  double restart, intensity, off_slot, held_slot;
};
void run_and_pause(const BothRows& rows, int begin, int end);

/// to[j] = min(before[j] + a_slot, running[j] + all), for j in [begin, end).
struct PauseRow {
  double* to;
  const double *before, *running;
  double a_slot, all;
};
void pause(const PauseRow& row, int begin, int end);

/// to[j] = min(running[j-1] + step[j-1]·intensity, min(held[j-m], off[j-m] + restart) + chunk[j]), for j in [begin, end).
struct ChunkRow {
  double* to;
  const double *running, *held, *off, *step, *chunk;
  double restart, intensity;
  int m;
};
void run_chunk(const ChunkRow& row, int begin, int end);

}  // namespace gramwatt::plan::kernel
