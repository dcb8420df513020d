// Recordings: what was measured is measured again, to the last microjoule; what is damaged is named.
#include "job/recording.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "job/replay.hpp"
#include "meter/bench.hpp"

namespace gramwatt::job {
namespace {

using std::chrono::milliseconds;

/// One recorded run on virtual time: a RAPL package that wraps, fails and is reset, a GPU that is shared.
class RecordedRunTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kRange = 1'000'000'000;  // a wrap about every 8 s

  void add_sensors(meter::Setup& setup) {
    sense::Description cpu;
    cpu.id = "rapl";
    cpu.component = Component::cpu;
    cpu.device = "package-0";
    cpu.source = "RAPL";
    cpu.terms["rapl-package-gain"] = Shift::symmetric(0.05);
    cpu.idle_power = Watts(30);
    cpu.resolution = milliseconds(1);
    setup.sensors.push_back(std::make_unique<sense::RawSensor>(cpu, sense::number_from([this]() -> Result<std::uint64_t> {
                                                                 if (failing_) return fail("Input/output error");
                                                                 return package_ % (kRange + 1);
                                                               }),
                                                               sense::counter_spec(1, kRange, Watts(500))));
    sense::Description gpu;
    gpu.id = "gpu";
    gpu.component = Component::gpu;
    gpu.device = "GPU";
    gpu.source = "power readings";
    gpu.resolution = milliseconds(100);
    setup.sensors.push_back(std::make_unique<sense::RawSensor>(
        gpu, sense::number_from([this]() -> Result<std::uint64_t> { return gpu_milliwatts_; }),
        sense::power_spec(1e-3, Watts(1000))));
  }

  /// Runs and records; the account of the meter, by channel.
  std::vector<Flow> record(const std::string& file, bool whole = true) {
    auto recorder = Recorder::create(file);
    EXPECT_TRUE(recorder);
    meter::Setup setup = bench_.setup();
    setup.detailed_ticks = false;
    add_sensors(setup);
    EXPECT_TRUE((*recorder)->begin(setup, "9.9", "RUN", "cgroup"));
    meter::Meter meter(std::move(setup));
    meter.start(bench_.job);
    for (int tick = 0; tick < 300; ++tick) {
      package_ += 11'000'000 + 4'000'000 * (tick % 3);
      gpu_milliwatts_ = 90'000 + 1000 * (tick % 50);
      failing_ = tick > 100 && tick < 120;
      if (tick == 200) package_ = 5;  // a reset
      bench_.run(milliseconds(100), 1.5, 0.25);
      meter.sample([this] { return bench_.job; }, 1 + tick / 150);
    }
    bench_.run(milliseconds(70), 1);
    meter.finish(bench_.job, 2);
    if (whole) {
      EXPECT_TRUE((*recorder)->end(account(meter)));
    }
    return meter.totals();
  }

  ledger::RunRecord account(const meter::Meter& meter) {
    ledger::RunRecord r;
    r.id = "RUN";
    r.state = ledger::State::finished;
    r.command = {"train"};
    r.exit_code = 0;
    r.host.machine = "owned";
    r.place.how = "unknown";
    Weights w;
    w.pue = {Ratio(1.5), Method::assumed, "test", std::nullopt, {}};
    w.average = grid::one_value(GramsPerKwh(400));
    w.embodied_per_hour = {Grams(3), Method::modelled, "test", std::nullopt, {}};
    set_weights(w, r);
    Measured m;
    m.channels = meter.channels();
    m.totals = meter.totals();
    m.duration = Seconds(30.07);
    fill_account(m, w, r);
    return r;
  }

  Result<Replay> replayed(const std::string& text) {
    std::istringstream in(text);
    ReplayOptions options;
    options.context = [](const sense::CpuIdentity&, const sense::PowerModel&) {
      Context c;
      c.weights.pue = {Ratio(1), Method::assumed, "test", std::nullopt, {}};
      c.weights.average = grid::one_value(GramsPerKwh(100));
      return c;
    };
    return replay(in, options);
  }
  static std::string text_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  meter::testing_bench::Bench bench_;
  std::uint64_t package_ = 999'000'000, gpu_milliwatts_ = 90'000;
  bool failing_ = false;
  const std::string file_ = bench_.tree / "recording.jsonl";
};

TEST_F(RecordedRunTest, ReplaysToTheLastMicrojoule) {
  const std::vector<Flow> then = record(file_);
  // tests/golden/rapl_and_gpu.jsonl was made so.
  if (const char* keep = std::getenv("GRAMWATT_KEEP_RECORDING")) std::filesystem::copy_file(file_, keep);
  const auto again = replayed(text_of(file_));
  ASSERT_TRUE(again) << again.error().message();
  ASSERT_TRUE(again->recorded);
  const auto& components = again->record.energy.components;
  ASSERT_EQ(components.size(), then.size());
  for (std::size_t c = 0; c < then.size(); ++c) {
    EXPECT_DOUBLE_EQ(components[c].active.value.value(), then[c].job_active.joules().value()) << components[c].device;
    EXPECT_DOUBLE_EQ(components[c].idle.value.value(), then[c].job_idle.joules().value()) << components[c].device;
    EXPECT_DOUBLE_EQ(components[c].machine.value.value(), then[c].machine.joules().value()) << components[c].device;
  }
  EXPECT_EQ(again->record.command, std::vector<std::string>{"train"});
  EXPECT_FALSE(again->record.gaps.empty());  // the reset is a gap then and now
}

TEST_F(RecordedRunTest, OneThatWasCutOffReplaysAsFarAsItGoes) {
  record(file_, /*whole=*/false);
  const std::string all = text_of(file_);
  double last = 0;
  for (const double part : {0.3, 0.6, 0.9}) {
    const auto cut = replayed(all.substr(0, static_cast<std::size_t>(part * static_cast<double>(all.size()))));
    ASSERT_TRUE(cut) << cut.error().message();
    EXPECT_FALSE(cut->recorded);
    EXPECT_EQ(cut->record.state, ledger::State::interrupted);
    EXPECT_GT(cut->record.energy.total.value.value(), last);
    last = cut->record.energy.total.value.value();
    EXPECT_NE(cut->record.gaps.back().why.find("cut off"), std::string::npos);
  }
}

TEST_F(RecordedRunTest, ADamagedLineIsNamed) {
  record(file_);
  std::string text = text_of(file_);
  text.insert(text.find("[\"tick\",\"tick\""), "[\"s\",7,1,2]\n");
  const auto bad = replayed(text);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().where.find("line 7"), std::string::npos) << bad.error().message();
}

TEST_F(RecordedRunTest, WhatIsNoRecordingIsSaidToBeNone) {
  for (const char* text : {"", "hello\n", "{}\n", "{\"schema\":\"gramwatt.recording/9\"}\n"}) {
    const auto none = replayed(text);
    ASSERT_FALSE(none) << text;
    EXPECT_NE(none.error().remedy.find("--record"), std::string::npos) << text;
  }
}

TEST(Recording, AValueThatALookDidNotGiveStaysAbsent) {
  const auto line = parse_recorded_line(R"(["s",0,5,null,7])", 1);
  ASSERT_TRUE(line);
  const auto& sample = std::get<RecordedSample>(*line).sample;
  EXPECT_FALSE(sample.has(0));
  ASSERT_TRUE(sample.has(1));
  EXPECT_EQ(sample.values[1], 7U);
}

RC_GTEST_PROP(RecordingProperty, AHeadIsReadBackAsItWasWritten, ()) {
  RecordingHeader h;
  h.version = "1";
  h.run = "R";
  h.tree = "cgroup";
  h.cpu.name = *rc::gen::string<std::string>();
  h.cpu.threads = *rc::gen::inRange(1, 64);
  h.cpu.core_of_thread = {0, -1};
  h.model.fixed.value = Watts(*rc::gen::inRange(0, 1000) * 0.1);
  h.model.active_terms["spec-spread"] = {-0.1, 0.25};
  RecordedSensor s;
  s.description.id = "x";
  s.description.idle_terms["y"] = {-0.5, 1};
  s.decoder = sense::counter_spec(15.2588, 65'712'999'613, Watts(700));
  h.sensors = {s};
  const std::string text = to_json(h);
  const auto back = parse_recording_header(text);
  RC_ASSERT(back);
  RC_ASSERT(to_json(*back) == text);
}

}  // namespace
}  // namespace gramwatt::job
