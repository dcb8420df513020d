// Reading one board.
//
// Energy: field 83 or nvmlDeviceGetTotalEnergyConsumption, whichever is cheaper here (the call took 2.4 ms on one driver where
// a power field took 0.5 µs, and the other way round through another binding: nobody can know beforehand).
// Power: fields 186 (instantaneous) and 185 (one-second average) in one call, scope GPU; boards of a Grace module that refuse
// that scope are asked for the module. Older drivers have nvmlDeviceGetPowerUsage only, which is the one or the other by
// generation. Each field carries its own return code and type, and both are checked: a value beside an error is garbage.

#include "sense/nvml_board.hpp"

#include <algorithm>
#include <array>

namespace gramwatt::sense {
namespace {

constexpr int kTimedCalls = 3;
constexpr double kMostOverLimit = 2;  // a board passes its limit for milliseconds only
constexpr Watts kMostOfAnyBoard{4000};

}  // namespace

NvmlReturn NvmlBoard::read_counter(Counter how, std::uint64_t& mj) const {
  if (how == Counter::call) {
    if (library_->total_energy == nullptr) return kNvmlNotSupported;
    unsigned long long value = 0;
    const NvmlReturn code = library_->total_energy(device_, &value);
    mj = value;
    return code;
  }
  if (library_->field_values == nullptr) return kNvmlNotSupported;
  NvmlFieldValue field;
  field.field = kNvmlFieldEnergy;
  const NvmlReturn code = library_->field_values(device_, 1, &field);
  if (code != kNvmlSuccess) return code;
  const auto value = field.number();
  if (value) mj = *value;
  return value ? kNvmlSuccess : field.code != kNvmlSuccess ? field.code : kNvmlNotSupported;
}

NvmlReturn NvmlBoard::read_power(RawSample& sample) const {
  if (uses_power_usage_) {
    unsigned mw = 0;
    const NvmlReturn code = library_->power_usage(device_, &mw);
    if (code == kNvmlSuccess) sample.values[generation.power_usage_is_average ? kNvidiaAverage : kNvidiaInstant] = mw;
    return code;
  }
  std::array<NvmlFieldValue, 2> fields;
  int count = 0;
  if (has_instant_) fields.at(count++).field = kNvmlFieldInstantPower;
  if (has_average_) fields.at(count++).field = kNvmlFieldAveragePower;
  for (NvmlFieldValue& f : fields) f.scope = scope_;
  NvmlReturn code = library_->field_values(device_, count, fields.data());
  if (code != kNvmlSuccess) return code;
  bool any = false;
  for (int i = 0; i < count; ++i) {
    const NvmlFieldValue& f = fields.at(i);
    const auto mw = f.number();
    if (!mw) {
      code = f.code != kNvmlSuccess ? f.code : kNvmlNotSupported;
      continue;
    }
    sample.values[f.field == kNvmlFieldInstantPower ? kNvidiaInstant : kNvidiaAverage] = *mw;
    any = true;
  }
  return any ? kNvmlSuccess : code;
}

Nanoseconds NvmlBoard::cost_of(const Clock& clock, const std::function<void()>& call) const {
  std::array<Nanoseconds, kTimedCalls> costs;
  for (Nanoseconds& c : costs) {
    const Instant before = clock.now();
    call();
    c = elapsed(before, clock.now());
  }
  std::sort(costs.begin(), costs.end());
  return costs[kTimedCalls / 2];
}

void NvmlBoard::find_power(const Clock& clock) {
  const auto field_works = [&](unsigned field, unsigned scope) {
    NvmlFieldValue f;
    f.field = field;
    f.scope = scope;
    return library_->field_values != nullptr && library_->field_values(device_, 1, &f) == kNvmlSuccess && f.number();
  };
  for (const unsigned scope : {kNvmlScopeGpu, kNvmlScopeModule}) {
    has_instant_ = field_works(kNvmlFieldInstantPower, scope);
    has_average_ = field_works(kNvmlFieldAveragePower, scope);
    scope_ = scope;
    if (has_instant_ || has_average_) break;
  }
  if (!has_instant_ && !has_average_) {
    scope_ = kNvmlScopeGpu;
    unsigned mw = 0;
    const NvmlReturn code = library_->power_usage != nullptr ? library_->power_usage(device_, &mw) : kNvmlNotSupported;
    uses_power_usage_ = code == kNvmlSuccess;
    lost_ = lost_ || code == kNvmlGpuIsLost;
    if (!uses_power_usage_) {
      why_not_ += " and no power reading (" + library_->describe(code) + ")";
      return;
    }
  }
  RawSample sample;
  power_cost_ = cost_of(clock, [&] { (void)read_power(sample); });
}

void NvmlBoard::find_counter(const Clock& clock) {
  std::uint64_t mj = 0;
  const NvmlReturn by_call = read_counter(Counter::call, mj);
  const NvmlReturn by_field = read_counter(Counter::field, mj);
  lost_ = by_call == kNvmlGpuIsLost;
  if (by_call != kNvmlSuccess && by_field != kNvmlSuccess) {
    why_not_ = "no energy counter (" + library_->describe(by_call) + ")";
    return;
  }
  const auto cost = [&](Counter how, NvmlReturn code) {
    return code == kNvmlSuccess ? cost_of(clock, [&] { (void)read_counter(how, mj); }) : Nanoseconds::max();
  };
  const Nanoseconds call_cost = cost(Counter::call, by_call);
  const Nanoseconds field_cost = cost(Counter::field, by_field);
  counter_ = field_cost < call_cost ? Counter::field : Counter::call;
  counter_cost_ = std::min(field_cost, call_cost);
}

bool NvmlBoard::look_what_answers(const Clock& clock) {
  find_counter(clock);
  find_power(clock);
  return has_counter() || has_power();
}

std::optional<Watts> NvmlBoard::power_now() const {
  if (!has_power()) return std::nullopt;
  RawSample s;
  s.values.fill(RawSample::kAbsent);
  s.count = 3;
  if (read_power(s) != kNvmlSuccess) return std::nullopt;
  const std::uint64_t mw = s.has(kNvidiaAverage) ? s.values[kNvidiaAverage] : s.values[kNvidiaInstant];
  return mw > 0 ? std::optional(Watts(static_cast<double>(mw) * 1e-3)) : std::nullopt;
}

std::optional<Watts> NvmlBoard::power_limit() const {
  unsigned mw = 0;
  if (library_->power_limit == nullptr || library_->power_limit(device_, &mw) != kNvmlSuccess || mw == 0) return std::nullopt;
  return Watts(mw * 1e-3);
}

NvidiaShapes NvmlBoard::shapes() const {
  NvidiaShapes s;
  s.instant = generation.instant;
  s.has_counter = has_counter();
  const auto limit = power_limit();
  s.power_limit = limit ? std::clamp(*limit * kMostOverLimit, Watts(100), kMostOfAnyBoard) : kMostOfAnyBoard;
  if (reads_module()) s.power_limit = kMostOfAnyBoard;
  return s;
}

BoardReader NvmlBoard::reader() const {
  BoardReader r;
  r.counter_cost = counter_cost_;
  r.power_cost = power_cost_;
  // The reader outlives this object's place in memory: it holds a copy.
  const auto board = std::make_shared<const NvmlBoard>(*this);
  const auto failed = [](const NvmlBoard& b, NvmlReturn code) {
    return fail(b.library_->describe(code), b.name, code == kNvmlGpuIsLost ? "reset the GPU or reboot" : "");
  };
  if (has_counter()) {
    r.counter = [board, failed](RawSample& sample) -> Result<void> {
      std::uint64_t mj = 0;
      const NvmlReturn code = board->read_counter(board->counter_, mj);
      if (code != kNvmlSuccess) return failed(*board, code);
      sample.values[kNvidiaEnergy] = mj;
      return {};
    };
  }
  if (has_power()) {
    r.power = [board, failed](RawSample& sample) -> Result<void> {
      if (const NvmlReturn code = board->read_power(sample); code != kNvmlSuccess) return failed(*board, code);
      return {};
    };
  }
  return r;
}

}  // namespace gramwatt::sense
