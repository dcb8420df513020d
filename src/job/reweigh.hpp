#pragma once
// A run weighed again, with what is known of the grid now.

#include <functional>
#include <string>

#include "footprint/footprint.hpp"
#include "grid/intensity.hpp"
#include "ledger/ledger.hpp"

namespace gramwatt::job {

/// What is known of the intensity at a run's place over its time.
using Knowledge = std::function<Result<grid::Intensities>(const ledger::RunRecord&, grid::Window)>;

/// Energy stays; carbon and intensity are made anew from the ledger's intervals, each met by the intensity of its own time. The
/// figures before are kept in `record.earlier`. False: nothing changed. Kind usage for a run that still goes on, missing for
/// one without intervals.
[[nodiscard]] Result<bool> reweigh(ledger::Ledger& ledger, ledger::RunRecord& record, const Knowledge& knowledge,
                                   Nanoseconds now_utc);

/// Energy of a run over time, as its intervals tell.
[[nodiscard]] std::vector<footprint::Slice> slices_of(const std::vector<Interval>& intervals);

}  // namespace gramwatt::job
