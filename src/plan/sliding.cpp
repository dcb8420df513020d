#include "plan/sliding.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace gramwatt::plan {
namespace {

constexpr std::size_t kBits = 64;

/// A set of numbers below a bound, with the neighbours of a member. One bit a number, one bit a word of those that is not
/// empty.
class RankSet {
 public:
  explicit RankSet(std::size_t bound) : words_(bound / kBits + 1), groups_(words_.size() / kBits + 1) {}

  void insert(std::size_t i) {
    words_[i / kBits] |= bit(i);
    groups_[i / kBits / kBits] |= bit(i / kBits);
  }
  void erase(std::size_t i) {
    const std::uint64_t word = words_[i / kBits] &= ~bit(i);
    groups_[i / kBits / kBits] &= ~(std::uint64_t{word == 0} << (i / kBits % kBits));
  }
  /// The next member above `i`; there must be one.
  [[nodiscard]] std::size_t above(std::size_t i) const {
    std::size_t w = i / kBits;
    std::uint64_t word = words_[w] & above_bit(i);
    if (word == 0) {
      std::size_t g = w / kBits;
      std::uint64_t group = groups_[g] & above_bit(w);
      while (group == 0) group = groups_[++g];
      w = g * kBits + static_cast<std::size_t>(std::countr_zero(group));
      word = words_[w];
    }
    return w * kBits + static_cast<std::size_t>(std::countr_zero(word));
  }
  /// The next member below `i`; there must be one.
  [[nodiscard]] std::size_t below(std::size_t i) const {
    std::size_t w = i / kBits;
    std::uint64_t word = words_[w] & (bit(i) - 1);
    if (word == 0) {
      std::size_t g = w / kBits;
      std::uint64_t group = groups_[g] & (bit(w) - 1);
      while (group == 0) group = groups_[--g];
      w = g * kBits + last(group);
      word = words_[w];
    }
    return w * kBits + last(word);
  }

 private:
  static constexpr std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << (i % kBits); }
  static constexpr std::uint64_t above_bit(std::size_t i) { return ~(bit(i) | (bit(i) - 1)); }
  static constexpr std::size_t last(std::uint64_t word) { return kBits - 1 - static_cast<std::size_t>(std::countl_zero(word)); }

  std::vector<std::uint64_t> words_, groups_;
};

/// The slots that were chosen, by time. Moved up by one, so that each slot has a neighbour on both sides.
class TimeSet {
 public:
  explicit TimeSet(std::size_t slots) : words_((slots + 2) / kBits + 1) {}
  void insert(std::size_t slot) { words_[(slot + 1) / kBits] |= bit(slot + 1); }
  void erase(std::size_t slot) { words_[(slot + 1) / kBits] &= ~bit(slot + 1); }
  [[nodiscard]] bool before(std::size_t slot) const { return ((words_[slot / kBits] >> (slot % kBits)) & 1) != 0; }
  [[nodiscard]] bool after(std::size_t slot) const { return before(slot + 2); }
  /// The first member from `slot` on, the last one up to `slot`; there must be one.
  [[nodiscard]] std::size_t first_from(std::size_t slot) const {
    std::size_t w = (slot + 1) / kBits;
    std::uint64_t word = words_[w] & ~(bit(slot + 1) - 1);
    while (word == 0) word = words_[++w];
    return w * kBits + static_cast<std::size_t>(std::countr_zero(word)) - 1;
  }
  [[nodiscard]] std::size_t last_to(std::size_t slot) const {
    std::size_t w = (slot + 1) / kBits;
    std::uint64_t word = words_[w] & (bit(slot + 1) | (bit(slot + 1) - 1));
    while (word == 0) word = words_[--w];
    return w * kBits + kBits - 2 - static_cast<std::size_t>(std::countl_zero(word));
  }

 private:
  static constexpr std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << (i % kBits); }
  std::vector<std::uint64_t> words_;
};

}  // namespace

Sliding::Sliding(std::span<const MilligramsPerKwh> intensity, std::span<const MilligramsPerKwh> judged)
    : judged_(judged.empty() ? intensity : judged), prefix_(intensity.size() + 1) {
  assert(judged_.size() == intensity.size());
  const std::size_t n = intensity.size();
  ranked_.resize(n);
  rank_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    prefix_[i + 1] = prefix_[i] + judged_[i];
    ranked_[i] = {intensity[i], static_cast<std::uint32_t>(i)};
  }
  if (!judged.empty()) {
    chosen_by_.resize(n + 1);
    for (std::size_t i = 0; i < n; ++i) chosen_by_[i + 1] = chosen_by_[i] + intensity[i];
  }
  std::sort(ranked_.begin(), ranked_.end(),
            [](const Ranked& a, const Ranked& b) { return a.value != b.value ? a.value < b.value : a.slot < b.slot; });
  for (std::size_t r = 0; r < n; ++r) rank_[ranked_[r].slot] = static_cast<std::uint32_t>(r);
}

std::size_t Sliding::starts(int window) const {
  const auto w = static_cast<std::size_t>(window);
  return window < 1 || w > judged_.size() ? 0 : judged_.size() - w + 1;
}

const Sliding::FlexibleStart& Sliding::flexible_start(int length, int window) {
  assert(1 <= length && length <= window);
  const std::size_t count = starts(window), k = static_cast<std::size_t>(length);
  const std::size_t width = static_cast<std::size_t>(window - length) + 1;  // runs to choose from
  flexible_.sum.resize(count);
  flexible_.chosen.resize(count);
  suffix_.resize(width);
  suffix_at_.resize(width);
  // Local pointers: what is written through one never makes the compiler read another's anew.
  const Sum* const prefix = chosen_by_.empty() ? prefix_.data() : chosen_by_.data();
  Sum* const suffix = suffix_.data();
  std::uint32_t* const suffix_at = suffix_at_.data();
  Sum* const sum = flexible_.sum.data();
  std::uint32_t* const chosen = flexible_.chosen.data();
  for (std::size_t block = 0; block < count; block += width) {
    Sum best = prefix[block + width - 1 + k] - prefix[block + width - 1];
    std::size_t at = block + width - 1;
    for (std::size_t j = width; j-- > 0;) {
      const Sum run = prefix[block + j + k] - prefix[block + j];
      at = run <= best ? block + j : at;
      best = std::min(run, best);
      suffix[j] = best;
      suffix_at[j] = static_cast<std::uint32_t>(at);
    }
    sum[block] = suffix[0];
    chosen[block] = suffix_at[0];
    const std::size_t here = std::min(width, count - block);
    if (here == 1) continue;
    best = prefix[block + width + k] - prefix[block + width];
    at = block + width;
    for (std::size_t j = 1; j < here; ++j) {  // the end of this block from j on, the beginning of the next up to j - 1
      const std::size_t i = block + width + j - 1;
      const Sum run = prefix[i + k] - prefix[i];
      at = run < best ? i : at;
      best = std::min(run, best);
      const bool early = suffix[j] <= best;
      sum[block + j] = early ? suffix[j] : best;
      chosen[block + j] = early ? suffix_at[j] : static_cast<std::uint32_t>(at);
    }
  }
  if (!chosen_by_.empty()) {
    for (std::size_t i = 0; i < count; ++i) sum[i] = this->run(chosen[i], length);
  }
  return flexible_;
}

/// The window over the series that slides.
template <bool kCosts>
class Sliding::Window {
 public:
  Window(const Sliding& all, std::size_t length, std::size_t window)
      : all_(&all), window_(window), present_(all.rank_.size()), chosen_(all.rank_.size()) {
    std::vector<std::uint32_t> ranks(all.rank_.begin(), all.rank_.begin() + static_cast<std::ptrdiff_t>(window));
    for (const std::uint32_t r : ranks) present_.insert(r);
    const auto kth = ranks.begin() + static_cast<std::ptrdiff_t>(length) - 1;
    std::nth_element(ranks.begin(), kth, ranks.end());
    threshold_ = *kth;
    for (std::size_t slot = 0; slot < window; ++slot) {
      if (all.rank_[slot] <= threshold_) choose(slot);
    }
  }

  /// From [start, start + window) to the next.
  void slide() {
    const std::size_t leaving = all_->rank_[start_], coming = all_->rank_[start_ + window_];
    present_.erase(leaving);
    present_.insert(coming);
    const bool was_chosen = leaving <= threshold_, is_low = coming < threshold_;
    if (was_chosen) drop(start_);
    if (is_low) choose(start_ + window_);
    if (was_chosen && !is_low) {  // one too few
      threshold_ = present_.above(threshold_);
      choose(all_->ranked_[threshold_].slot);
    } else if (!was_chosen && is_low) {  // one too many
      drop(all_->ranked_[threshold_].slot);
      threshold_ = present_.below(threshold_);
    } else if (leaving == threshold_) {
      threshold_ = present_.below(threshold_);
    }
    ++start_;
  }

  void write(PauseResume& out) const {
    out.sum[start_] = sum_;
    out.runs[start_] = runs_;
    if constexpr (kCosts) {
      const std::size_t first = chosen_.first_from(start_), last = chosen_.last_to(start_ + window_ - 1);
      out.restarted[start_] = begun_ - all_->judged_[first];
      out.paused[start_] = all_->prefix_[last + 1] - all_->prefix_[first] - sum_;
      out.waited[start_] = all_->prefix_[first] - all_->prefix_[start_];
    }
  }

 private:
  void choose(std::size_t slot) {
    const bool before = chosen_.before(slot), after = chosen_.after(slot);
    chosen_.insert(slot);
    sum_ += all_->judged_[slot];
    runs_ += 1 - unsigned{before} - unsigned{after};
    if constexpr (kCosts) begun_ += (before ? 0 : all_->judged_[slot]) - (after ? all_->judged_[slot + 1] : 0);
  }
  void drop(std::size_t slot) {
    const bool before = chosen_.before(slot), after = chosen_.after(slot);
    chosen_.erase(slot);
    sum_ -= all_->judged_[slot];
    runs_ -= 1 - unsigned{before} - unsigned{after};
    if constexpr (kCosts) begun_ -= (before ? 0 : all_->judged_[slot]) - (after ? all_->judged_[slot + 1] : 0);
  }

  const Sliding* all_;
  std::size_t window_, start_ = 0, threshold_ = 0;
  RankSet present_;
  TimeSet chosen_;
  Sum sum_ = 0, begun_ = 0;  ///< begun: the first slots of all runs
  std::uint32_t runs_ = 0;
};

const Sliding::PauseResume& Sliding::pause_resume(int length, int window, bool with_costs) {
  assert(1 <= length && length <= window);
  const std::size_t count = starts(window);
  paused_.sum.resize(count);
  paused_.runs.resize(count);
  paused_.restarted.resize(with_costs ? count : 0);
  paused_.paused.resize(with_costs ? count : 0);
  paused_.waited.resize(with_costs ? count : 0);
  if (count == 0) return paused_;
  const auto walk = [&](auto slider) {
    slider.write(paused_);
    for (std::size_t i = 1; i < count; ++i) {
      slider.slide();
      slider.write(paused_);
    }
  };
  const auto k = static_cast<std::size_t>(length), w = static_cast<std::size_t>(window);
  if (with_costs) walk(Window<true>(*this, k, w));
  else walk(Window<false>(*this, k, w));
  return paused_;
}

}  // namespace gramwatt::plan
