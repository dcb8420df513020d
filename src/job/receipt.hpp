#pragma once
// What a run that was started late, or paused, saved: planned against actual. See receipt.cpp.

#include <span>
#include <vector>

#include "footprint/footprint.hpp"
#include "grid/intensity.hpp"
#include "ledger/record.hpp"

namespace gramwatt::job {

/// What the loop that steered the run knows of it beside what was metered.
struct ReceiptTerms {
  Nanoseconds handed_in{};  ///< UTC; of a run that was not made to wait: its start
  ledger::Expectation planned;
  Nanoseconds restart_time{};     ///< --restart-time
  Joules restart_energy;          ///< --restart-energy, boundary node
  Estimate<Watts> waiting_power;  ///< boundary node; 0 where waiting costs this run nothing
};

/// The facts of a receipt; nothing is weighed yet.
[[nodiscard]] ledger::Receipt begin_receipt(const ReceiptTerms& terms, std::vector<ledger::Stretch> stretches);

/// Makes anew what follows from the facts of `record.receipt` (which is there): parts of the energy, actual and counterfactual
/// by both signals, savings. `slices`: energy of the run over time, as the session or the ledger has it; the ladders cover all
/// time. The record's energy has been made before.
void settle_receipt(std::span<const footprint::Slice> slices, const grid::Ladder& average,
                    const std::optional<grid::Ladder>& marginal, ledger::RunRecord& record);

/// When a receipt needs intensities: from being handed in to the run's end. Without a receipt: `run`.
[[nodiscard]] grid::Window receipt_window(const ledger::RunRecord& record, grid::Window run);

}  // namespace gramwatt::job
