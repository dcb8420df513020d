#include "job/calibration.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "job/calibrate.hpp"

namespace gramwatt::job {
namespace {

sense::CpuIdentity some_cpu() {
  sense::CpuIdentity cpu;
  cpu.name = "Some CPU";
  cpu.threads = 8;
  cpu.cores = 4;
  return cpu;
}

StoredCalibration at_the_plug() {
  StoredCalibration s;
  s.trace.cpu = "Some CPU";
  s.trace.threads = 8;
  s.trace.host = host_hash();
  s.trace.utc = std::chrono::hours(24) * 20000;
  s.trace.reference = "meter";
  s.trace.source = "a plug meter";
  s.trace.accuracy = 0.02;
  for (const double x : {0.01, 0.26, 0.49, 0.77, 0.99}) {
    s.trace.levels.push_back({x < 0.4 ? sense::LoadKind::even : sense::LoadKind::busy_cores,
                              x,
                              Ratio(x),
                              Watts(30 + 1.2 * (20 + 100 * x) + x * (1 - x)),
                              Seconds(10),
                              {{"package", Watts(20 + 100 * x)}}});
  }
  s.calibration = *sense::fit(s.trace);
  return s;
}

class ConstantSensor final : public sense::Sensor {
 public:
  ConstantSensor() {
    d_.id = "package";
    d_.component = Component::cpu;
    d_.idle_power = Watts(5);
  }
  [[nodiscard]] const sense::Description& describe() const override { return d_; }
  [[nodiscard]] Result<sense::Reading> read(const Clock& clock) override {
    return sense::Reading{Microjoules(std::int64_t{42}), clock.now(), false};
  }

 private:
  sense::Description d_;
};

TEST(StoredCalibration, SurvivesItsFileToTheLastDigitAndIsFittedAgainAlike) {
  const StoredCalibration s = at_the_plug();
  const auto back = parse_calibration(to_json(s));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->trace, s.trace);
  EXPECT_EQ(to_json(*back), to_json(s));
  const auto again = refit(*back);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->same);
}

TEST(StoredCalibration, AnotherTraceIsNotTheSame) {
  StoredCalibration s = at_the_plug();
  s.trace.levels[2].reference = Watts(140);
  EXPECT_FALSE(refit(s)->same);
}

TEST(StoredCalibration, DamageIsRefused) {
  const std::string text = to_json(at_the_plug());
  EXPECT_FALSE(parse_calibration(""));
  EXPECT_FALSE(parse_calibration("[]"));
  EXPECT_FALSE(parse_calibration(text.substr(0, text.size() / 2)));
  StoredCalibration falls = at_the_plug();
  falls.calibration.curve.active[5] = Watts(1000);
  EXPECT_FALSE(parse_calibration(to_json(falls)));
}

TEST(StoredCalibration, ChangesModelPackagesAndPlatform) {
  Machine m;
  m.cpu = some_cpu();
  m.findings.sensors.push_back(std::make_unique<ConstantSensor>());
  apply(at_the_plug(), m);
  EXPECT_EQ(m.model.rung, sense::PowerModel::Rung::calibrated);
  EXPECT_EQ(m.model.fixed.boundary, Boundary::node);
  EXPECT_NEAR(m.model.fixed.value.value(), 54, 0.5);
  ASSERT_TRUE(m.platform);
  EXPECT_NEAR(m.platform->loss, 0.2, 0.01);
  EXPECT_NEAR(m.platform->base.value(), 30, 1);
  const auto& d = m.findings.sensors.front()->describe();
  EXPECT_NEAR(d.idle_power.value(), 20, 0.1);
  EXPECT_TRUE(d.idle_terms.contains("calibration-fit"));
  EXPECT_EQ(m.findings.sensors.front()->read(SystemClock())->energy, Microjoules(std::int64_t{42}));
}

TEST(StoredCalibration, ChipsAloneAreLiftedToThePlugAndTheIntervalGrows) {
  StoredCalibration s = at_the_plug();
  s.trace.reference = "rapl";
  s.trace.boundary = Boundary::chip;
  for (auto& level : s.trace.levels) level.reference = level.chips.front().second;
  s.calibration = *sense::fit(s.trace);
  Machine m;
  m.cpu = some_cpu();
  apply(s, m);
  const auto chips = sense::calibrated_model(s.trace, s.calibration);
  EXPECT_FALSE(m.platform);
  EXPECT_EQ(m.model.fixed.boundary, Boundary::node);
  EXPECT_NEAR(m.model.at_load(1).value.value(), 1.17 * 120 + 25, 2);
  EXPECT_GT(m.model.at_load(1).high() / m.model.at_load(1).value, chips.at_load(1).high() / chips.at_load(1).value);
}

TEST(StoredCalibration, BelongsToOneMachine) {
  const auto trace = at_the_plug().trace;
  EXPECT_TRUE(belongs_to(trace, some_cpu()));
  auto other = some_cpu();
  other.threads = 16;
  EXPECT_FALSE(belongs_to(trace, other));
  auto elsewhere = trace;
  elsewhere.host = "0123456789abcdef";
  EXPECT_FALSE(belongs_to(elsewhere, some_cpu()));
}

TEST(CalibrationLevels, ReachFromRestToFullInBothWays) {
  for (const int threads : {1, 2, 4, 8, 128}) {
    const auto levels = calibration_levels(threads);
    EXPECT_GE(levels.size(), 6U);
    EXPECT_EQ(std::count_if(levels.begin(), levels.end(), [](const LoadLevel& l) { return l.load == 0; }), 2);
    EXPECT_EQ(std::count_if(levels.begin(), levels.end(), [](const LoadLevel& l) { return l.load == 1; }), 1);
    for (const LoadLevel& l : levels) EXPECT_TRUE(l.load >= 0 && l.load <= 1);
  }
  EXPECT_EQ(describe({sense::LoadKind::busy_cores, 0.25}, 8), "2 of 8 threads wholly busy");
}

}  // namespace
}  // namespace gramwatt::job
