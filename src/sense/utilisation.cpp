#include "sense/utilisation.hpp"

#include <cmath>

#include <fmt/format.h>

#include "sense/power_integral.hpp"

namespace gramwatt::sense {
namespace {

class UtilisationDecoder final : public Decoder {
 public:
  explicit UtilisationDecoder(const DecoderSpec& s) : idle_(s.number("idle_w", 0)), full_(s.number("full_w", 0)) {}
  [[nodiscard]] Result<Reading> decode(const RawSample& sample) override {
    if (!sample.has(0)) return fail("no value");
    if (sample.values[0] > 100) return fail(fmt::format("{} % of the device is no utilisation", sample.values[0]));
    const bool joined = integral_.add(idle_ + (full_ - idle_) * (static_cast<double>(sample.values[0]) / 100), sample.at);
    return Reading{integral_.energy(), sample.at, !joined};
  }

 private:
  Watts idle_, full_;
  PowerIntegral integral_;
};

}  // namespace

DecoderSpec utilisation_spec(Watts idle, Watts full) {
  return {"utilisation", {{"idle_w", idle.value()}, {"full_w", full.value()}}};
}

Result<std::unique_ptr<Decoder>> make_utilisation_decoder(const DecoderSpec& s) {
  const double idle = s.number("idle_w", 0), full = s.number("full_w", 0);
  const bool sane = idle >= 0 && full >= idle && full < 1e5;  // false for NaN
  if (!sane) return fail("constants that make no sense", s.kind);
  return std::make_unique<UtilisationDecoder>(s);
}

DecoderSpec by_utilisation(const GpuModel& model, Description& d) {
  d.method = Method::modelled;
  d.source = "utilisation × " + model.source;
  d.terms = model.active_terms;
  d.idle_power = model.idle_power;
  d.idle_terms = model.idle_terms;
  const std::string why = d.device + ": neither energy nor power is shown here; modelled from its utilisation";
  d.note = d.note.empty() ? why : d.note + "; " + why;
  return utilisation_spec(model.idle_power, model.idle_power + model.busy_power);
}

}  // namespace gramwatt::sense
