#pragma once
// The best plan there is: when to run, when to pause and how, with everything charged.
//
// A job needs k slots of running in a window of L. Its state after a slot is how far it is (j steps) and whether it is running,
// held or off; the least carbon of each state follows from the states of the slots before:
//
//     on[i][j]   = e[j]·c[i] + min( on[i-1][j-1], hold[i-1][j-1], off[i-1-w][j-1] + R·c[i-w] + P·(c[i-w] + … + c[i-1]) )
//     off[i][j]  = min( off[i-1][j],  on[i-1][j] ) + W·c[i]
//     hold[i][j] = min( hold[i-1][j], on[i-1][j] ) + H·c[i]
//
// with energies e of a step, R and P (w slots long) of a restart, W of a machine that is kept, H of a job that is held. Only
// j ≥ k − (slots left) can still finish, which is the deadline; so there are k × slack cells. Shortest runs of m slots enter
// `on` at i with m steps done at once; shortest pauses of p slots leave `on` p slots before; a limit of N restarts takes N + 1
// copies of the table. docs/planning.md has the proof and the complexity.
//
// Carbon is in whole numbers below 2^51, kept in doubles: additions are exact in any order, and vector units have a minimum
// for doubles where they have none for 64-bit integers. To find the plan back, rows are kept every so many slots and the few
// cells that lie behind it are computed again, so that nothing but minima is computed on the way forward.
//
// Pure functions.

#include "plan/problem.hpp"

namespace gramwatt::plan {

/// Where a job stands at the start of the window: replanning goes on from there.
struct Standing {
  enum class State : std::uint8_t { fresh, running, held, off };  ///< held: paused in place; off: paused by exit

  State state = State::fresh;
  int done = 0;           ///< steps of progress
  int since = 1'000'000;  ///< slots in this run or pause so far
};

/// The schedule with the least carbon of all that keep the problem's rules, the earliest finish of several. Never worse than
/// any other policy's. Kind missing where no schedule keeps the rules: what would be possible is in the remedy; kind usage for
/// numbers that are out of range.
[[nodiscard]] Result<Schedule> exact(const Problem& problem, const Standing& standing = {});

}  // namespace gramwatt::plan
