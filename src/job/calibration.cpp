#include "job/calibration.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/system.hpp"

namespace gramwatt::job {
namespace {

using Json = nlohmann::ordered_json;
using sense::CalibratedCurve;
using sense::LoadKind;

constexpr const char* kSchema = "gramwatt.calibration/1";

Json from(const CalibratedCurve& c) {
  Json active = Json::array();
  for (const Watts w : c.active) active.push_back(w.value());
  return {{"idle_w", c.idle.value()}, {"active_w", active}, {"error_w", c.error.value()}};
}

Json from(Shift s) { return {s.minus, s.plus}; }

CalibratedCurve curve_of(const Json& j) {
  CalibratedCurve c;
  c.idle = Watts(j.at("idle_w").get<double>());
  const auto active = j.at("active_w").get<std::array<double, 11>>();
  std::transform(active.begin(), active.end(), c.active.begin(), [](double w) { return Watts(w); });
  c.error = Watts(j.at("error_w").get<double>());
  return c;
}

Shift shift_of(const Json& j) { return {j.at(0).get<double>(), j.at(1).get<double>()}; }

Json from(const sense::CalibrationTrace& t) {
  Json levels = Json::array();
  for (const sense::CalibrationLevel& l : t.levels) {
    Json chips = Json::object();
    for (const auto& [id, watts] : l.chips) chips[id] = watts.value();
    levels.push_back({{"kind", l.kind == LoadKind::even ? "even" : "busy-cores"},
                      {"load", l.load},
                      {"capacity", l.capacity.value()},
                      {"reference_w", l.reference.value()},
                      {"seconds", l.length.value()},
                      {"chips_w", chips}});
  }
  return {{"reference", t.reference},
          {"source", t.source},
          {"boundary", to_string(t.boundary)},
          {"accuracy", t.accuracy},
          {"levels", levels}};
}

sense::CalibrationTrace trace_of(const Json& j) {
  sense::CalibrationTrace t;
  const Json& machine = j.at("machine");
  t.cpu = machine.at("cpu").get<std::string>();
  t.threads = machine.at("threads").get<int>();
  t.host = machine.at("host").get<std::string>();
  t.utc = parse_iso8601(j.at("date").get<std::string>()).value_or(Nanoseconds{});
  const Json& trace = j.at("trace");
  t.reference = trace.at("reference").get<std::string>();
  t.source = trace.at("source").get<std::string>();
  t.boundary = trace.at("boundary") == "chip" ? Boundary::chip : Boundary::node;
  t.accuracy = trace.at("accuracy").get<double>();
  for (const Json& l : trace.at("levels")) {
    sense::CalibrationLevel level{l.at("kind") == "even" ? LoadKind::even : LoadKind::busy_cores,
                                  l.at("load").get<double>(),
                                  Ratio(l.at("capacity").get<double>()),
                                  Watts(l.at("reference_w").get<double>()),
                                  Seconds(l.at("seconds").get<double>()),
                                  {}};
    for (const auto& [id, watts] : l.at("chips_w").items()) level.chips.emplace_back(id, Watts(watts.get<double>()));
    t.levels.push_back(std::move(level));
  }
  return t;
}

bool sensible(const CalibratedCurve& c) {
  const auto fine = [](Watts w) { return std::isfinite(w.value()) && w.value() >= -1e-6 && w.value() < 1e6; };
  return fine(c.idle) && fine(c.error) && std::all_of(c.active.begin(), c.active.end(), fine) &&
         std::is_sorted(c.active.begin(), c.active.end(), [](Watts a, Watts b) { return a.value() < b.value() - 1e-6; });
}

bool sensible(const StoredCalibration& s) {
  const auto& c = s.calibration;
  const bool platform = !c.platform || (c.platform->loss >= 0 && c.platform->loss <= 10 && c.platform->base.value() >= 0);
  return sensible(c.curve) && platform && s.trace.accuracy >= 0 && s.trace.accuracy <= 1 &&
         std::all_of(c.chips.begin(), c.chips.end(), [](const auto& chip) { return sensible(chip.second); });
}

/// A chip sensor whose idle power was measured here.
class CalibratedSensor final : public sense::Sensor {
 public:
  CalibratedSensor(std::unique_ptr<sense::Sensor> sensor, Watts idle, Shift error)
      : sensor_(std::move(sensor)), description_(sensor_->describe()) {
    description_.idle_power = idle;
    description_.idle_terms = {{"calibration-fit", error}};
  }
  [[nodiscard]] const sense::Description& describe() const override { return description_; }
  [[nodiscard]] Result<sense::Reading> read(const Clock& clock) override { return sensor_->read(clock); }
  [[nodiscard]] Result<sense::Reading> read_now(const Clock& clock) override { return sensor_->read_now(clock); }
  [[nodiscard]] std::optional<Ratio> activity_share(const std::function<bool(pid_t)>& is_job) override {
    return sensor_->activity_share(is_job);
  }
  [[nodiscard]] sense::Settled settled() const override { return sensor_->settled(); }
  [[nodiscard]] const sense::DecoderSpec* decoder() const override { return sensor_->decoder(); }
  void record_to(sense::RawTap* tap) override { sensor_->record_to(tap); }

 private:
  std::unique_ptr<sense::Sensor> sensor_;
  sense::Description description_;
};

void teach_sensors(const sense::Calibration& c, sense::Findings& findings) {
  for (const auto& [id, curve] : c.chips) {
    for (auto& sensor : findings.sensors) {
      if (sensor->describe().id != id || curve.idle.value() <= 0) continue;
      const double error = std::min(0.9, curve.error / curve.idle);
      sensor = std::make_unique<CalibratedSensor>(std::move(sensor), curve.idle, Shift::symmetric(error));
      break;
    }
  }
}

/// Chips only were seen: power supply, board and fans are modelled on top, as they are for chip sensors.
sense::PowerModel lifted(sense::PowerModel model, const meter::PlatformLift& lift) {
  const Terms loss{{"platform-loss",
                    {lift.loss_shift.minus * lift.loss / (1 + lift.loss), lift.loss_shift.plus * lift.loss / (1 + lift.loss)}}};
  model.fixed.boundary = Boundary::node;
  model.fixed.terms = product_terms(model.fixed.terms, loss);
  model.active_terms = product_terms(model.active_terms, loss);
  const Watts chips = model.fixed.value * (1 + lift.loss);
  model.fixed.terms = weighted_terms(model.fixed.terms, chips.value(), {{"platform-base", lift.base_shift}}, lift.base.value());
  model.fixed.value = chips + lift.base;
  for (Watts& w : model.active_at_load) w = w * (1 + lift.loss);
  model.source += "; to the plug " + lift.source;
  model.fixed.source = model.source;
  return model;
}

}  // namespace

std::filesystem::path calibration_path() { return xdg_data_home() / "gramwatt" / "calibration.json"; }

std::string to_json(const StoredCalibration& s) {
  Json chips = Json::object();
  for (const auto& [id, curve] : s.calibration.chips) chips[id] = from(curve);
  Json fit{{"curve", from(s.calibration.curve)}, {"chips", chips}, {"platform", nullptr}};
  if (const auto& p = s.calibration.platform) {
    fit["platform"] = {{"loss_w_per_chip_w", p->loss},
                       {"base_w", p->base.value()},
                       {"loss_shift", from(p->loss_shift)},
                       {"base_shift", from(p->base_shift)}};
  }
  const Json j{{"schema", kSchema},
               {"machine", {{"cpu", s.trace.cpu}, {"threads", s.trace.threads}, {"host", s.trace.host}}},
               {"date", iso8601(s.trace.utc)},
               {"fit", fit},
               {"trace", from(s.trace)}};
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<StoredCalibration> parse_calibration(const std::string& text) {
  try {
    const Json j = Json::parse(text);
    if (j.at("schema") != kSchema) return fail("not a calibration that this version knows", "calibration");
    StoredCalibration s;
    s.trace = trace_of(j);
    const Json& fit = j.at("fit");
    s.calibration.curve = curve_of(fit.at("curve"));
    for (const auto& [id, curve] : fit.at("chips").items()) s.calibration.chips.emplace_back(id, curve_of(curve));
    if (const Json& p = fit.at("platform"); !p.is_null()) {
      s.calibration.platform = {p.at("loss_w_per_chip_w").get<double>(), Watts(p.at("base_w").get<double>()),
                                shift_of(p.at("loss_shift")), shift_of(p.at("base_shift"))};
    }
    if (!sensible(s)) return fail("figures that no machine has", "calibration", "gramwatt calibrate --forget");
    return s;
  } catch (const nlohmann::json::exception& e) {
    return fail(fmt::format("not a calibration: {}", e.what()), "calibration", "gramwatt calibrate --forget");
  }
}

Result<void> save_calibration(const StoredCalibration& stored, const std::filesystem::path& path) {
  return write_file_atomically(path, to_json(stored));
}

Result<StoredCalibration> load_calibration(const std::filesystem::path& path) {
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) return fail("there is no calibration", path.string(), {}, Error::Kind::missing);
  const auto text = read_file(path, 1U << 20U);
  if (!text) return tl::unexpected(text.error());
  auto parsed = parse_calibration(*text);
  if (!parsed) parsed.error().where = path.string();
  return parsed;
}

std::string host_hash() {
  std::array<char, 256> name{};
  (void)gethostname(name.data(), name.size() - 1);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, 64 bits: to tell machines apart, not to hide a name
  for (const char* c = name.data(); *c != '\0'; ++c) hash = (hash ^ static_cast<unsigned char>(*c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

bool belongs_to(const sense::CalibrationTrace& trace, const sense::CpuIdentity& cpu) {
  return trace.cpu == cpu.name && trace.threads == cpu.threads && trace.host == host_hash();
}

void apply(const StoredCalibration& stored, Machine& machine) {
  const sense::CalibrationTrace& trace = stored.trace;
  machine.calibration = trace;
  if (const auto& p = stored.calibration.platform) {
    machine.platform = meter::PlatformLift{
        p->loss, p->loss_shift, p->base, p->base_shift,
        fmt::format("{}: {:.2f} W a chip watt, {:.0f} W at rest", calibrated_on(trace), p->loss, p->base.value())};
  }
  const int host_threads = machine.model.host_threads;  // a guest stays the same part of its host
  machine.model = sense::calibrated_model(trace, stored.calibration);
  machine.model.host_threads = host_threads;
  if (trace.boundary == Boundary::chip) {
    const Ratio share(host_threads > 0 ? std::min(1.0, static_cast<double>(machine.cpu.threads) / host_threads) : 1);
    machine.model =
        lifted(std::move(machine.model), meter::platform_lift(machine.cpu.machine_class, machine.cpu.packages, share, true));
  }
  teach_sensors(stored.calibration, machine.findings);
}

void apply_stored_calibration(Machine& machine) {
  const auto stored = load_calibration(calibration_path());
  if (!stored) {
    if (stored.error().kind != Error::Kind::missing) machine.calibration_note = stored.error().message();
    return;
  }
  if (!belongs_to(stored->trace, machine.cpu)) {
    machine.calibration_note = fmt::format("{} is another machine's ({}, {} threads): not used", calibration_path().string(),
                                           stored->trace.cpu, stored->trace.threads);
    return;
  }
  apply(*stored, machine);
}

}  // namespace gramwatt::job
