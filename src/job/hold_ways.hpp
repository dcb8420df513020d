#pragma once
// The three ways, for hold.cpp.

#include "job/hold.hpp"

namespace gramwatt::job {

/// Each: an Error says why the way cannot work here.
[[nodiscard]] Result<std::unique_ptr<Hold>> make_freeze_hold(const HoldScope& scope, Guardian& guardian);
[[nodiscard]] Result<std::unique_ptr<Hold>> make_trace_hold(const HoldScope& scope, Guardian& guardian);
[[nodiscard]] Result<std::unique_ptr<Hold>> make_stop_hold(const HoldScope& scope, Guardian& guardian);

/// What all ways say when the lease ran out before they were done. No reason to take another way.
constexpr const char* kInterrupted = "gramwatt was stopped while it stopped the program";

/// The kernel gets a program to rest in microseconds, unless a thread sleeps on a disk or a network file system that does not
/// answer. How long it is given.
constexpr Nanoseconds kRestWithin = std::chrono::seconds(2);
/// From when on a thread in an uninterruptible sleep, told to stop, counts as held.
constexpr Nanoseconds kSleepersAfter = std::chrono::milliseconds(50);

}  // namespace gramwatt::job
