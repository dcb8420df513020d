#pragma once
// A source that takes long to answer (a BMC: 10 ms to a second), asked from a thread of its own. See polled.cpp.

#include <functional>
#include <memory>

#include "sense/raw.hpp"

namespace gramwatt::sense {

/// How often a slow source is asked.
struct Pace {
  /// Asking takes no more than this part of the time: a question costs CPU time in the kernel (IPMI over KCS) or at the BMC.
  double most_of_the_time = 0.01;
  Nanoseconds shortest = std::chrono::seconds(1);
  Nanoseconds longest = std::chrono::seconds(5);
  /// At the end of a run: how long a last answer is waited for.
  Nanoseconds patience = std::chrono::milliseconds(300);
};

/// One question; blocks until it is answered. Called by one thread at a time, not always the same.
using SlowRead = std::function<Result<std::uint64_t>()>;

/// The first call of `samples` asks in the calling thread, once: so a probe learns whether it works. The second one starts the
/// thread. From then on `samples` never waits; it gives what has come in since, and an Error when the last question failed and
/// nothing came. `samples_until_now` waits a little for an answer of this moment; what does not come in time is taken to be as
/// it was last. The clock of the first call must outlive the input.
[[nodiscard]] std::unique_ptr<RawInput> polled(SlowRead read, const Pace& pace = {});

}  // namespace gramwatt::sense
