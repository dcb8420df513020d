#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "ledger/channel_json.hpp"
#include "ledger/make.hpp"
#include "ledger/record.hpp"

namespace gramwatt::ledger {
namespace {

/// Valid UTF-8 with what JSON has to escape.
std::string text() {
  return *rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
          "a", "Z", "7", " ", "\"", "\\", "\n", std::string(1, '\0'), "\x7f", "ü", "€", "🔋", "/", "{", "]", "\xef\xbf\xbd")),
      [](const std::vector<std::string>& pieces) {
        std::string all;
        for (const auto& p : pieces) all += p;
        return all;
      });
}
std::string bytes() { return *rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }

double number() {
  const double v = *rc::gen::arbitrary<double>();
  return std::isfinite(v) ? v : 0.1;
}

using Text = std::string (*)();

template <class F>
auto maybe(F f) -> std::optional<decltype(f())> {
  if (*rc::gen::arbitrary<bool>()) return f();
  return std::nullopt;
}
template <class F>
auto some(F f) -> std::vector<decltype(f())> {
  std::vector<decltype(f())> all;
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) all.push_back(f());
  return all;
}

template <class Q>
Estimate<Q> estimate(Text t) {
  Estimate<Q> e;
  e.value = Q(number());
  e.method = *rc::gen::element(Method::measured, Method::modelled, Method::assumed, Method::mixed);
  e.source = t();
  e.boundary = maybe([] { return *rc::gen::element(Boundary::chip, Boundary::node, Boundary::facility); });
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) e.terms[t()] = {number(), number()};
  return e;
}

IntensityFacts intensity(Text t) {
  IntensityFacts i;
  i.value = estimate<GramsPerKwh>(t);
  i.signal = {*rc::gen::element(grid::SignalKind::average, grid::SignalKind::marginal),
              t(),
              t(),
              *rc::gen::arbitrary<bool>(),
              *rc::gen::arbitrary<int>(),
              t(),
              t(),
              t(),
              t(),
              some(t)};
  return i;
}

ComponentEnergy component(Text t) {
  return {*rc::gen::element(Component::cpu, Component::memory, Component::gpu, Component::platform, Component::other),
          t(),
          estimate<Joules>(t),
          estimate<Joules>(t),
          estimate<Joules>(t),
          estimate<Joules>(t)};
}

SavingFacts saving(Text t) {
  return {estimate<Grams>(t), estimate<Grams>(t), Ratio(number()), Ratio(number()), Ratio(number()), t(), t(), t()};
}

Receipt receipt(Text t) {
  const auto instant = [] { return Nanoseconds(*rc::gen::arbitrary<std::int64_t>()); };
  const auto ratio = [] { return Ratio(number()); };
  Receipt r;
  r.handed_in = instant();
  r.planned = {t(), t(), maybe(ratio), maybe(ratio)};
  r.stretches = some([&] {
    return Stretch{*rc::gen::element(Doing::running, Doing::checkpointing, Doing::held, Doing::off),
                   instant(),
                   instant(),
                   Seconds(number()),
                   Joules(number()),
                   Joules(number())};
  });
  r.restart_time = Seconds(number()), r.restart_energy = Joules(number()), r.waiting_power = estimate<Watts>(t);
  r.pauses = *rc::gen::arbitrary<int>(), r.restarts = *rc::gen::arbitrary<int>();
  r.waited = Seconds(number()), r.paused = Seconds(number());
  for (auto* e : {&r.running, &r.restarting, &r.checkpointing, &r.held, &r.off, &r.waiting, &r.waited_instead})
    *e = estimate<Joules>(t);
  r.average = saving(t);
  r.marginal = maybe([&] { return saving(t); });
  r.notes = some(t);
  return r;
}

/// Every field set, by whatever a type allows.
RunRecord record(Text t) {
  const auto whole = [] { return *rc::gen::arbitrary<int>(); };
  const auto instant = [] { return Nanoseconds(*rc::gen::arbitrary<std::int64_t>()); };
  RunRecord r;
  r.id = t();
  r.parent = maybe(t);
  r.state = *rc::gen::element(State::running, State::finished, State::interrupted);
  r.name = maybe(t), r.project = maybe(t), r.stage = maybe(t);
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) r.tags[t()] = t();
  r.command = some(t);
  r.exit_code = maybe(whole), r.signal = maybe(whole), r.stopped_by = maybe(t);
  r.start_utc = instant(), r.end_utc = instant();
  r.duration = Seconds(number()), r.waited = Seconds(number()), r.running = Seconds(number()), r.paused = Seconds(number());
  r.host = {t(), t(), whole(), number(), *rc::gen::arbitrary<bool>(), maybe(t), maybe(t), maybe(t), some(t), t()};
  r.place = {maybe(t), t(), t()};
  r.energy.total = estimate<Joules>(t), r.energy.active = estimate<Joules>(t), r.energy.idle = estimate<Joules>(t);
  r.energy.idle_owner = *rc::gen::element(IdleOwner::job, IdleOwner::host);
  r.energy.facility = estimate<Joules>(t), r.energy.pue = estimate<Ratio>(t);
  r.energy.components = some([&] { return component(t); });
  r.energy.machine = estimate<Joules>(t), r.energy.unattributed = estimate<Joules>(t);
  r.carbon.average = estimate<Grams>(t), r.carbon.embodied = estimate<Grams>(t), r.carbon.total = estimate<Grams>(t);
  r.carbon.marginal = maybe([&] { return estimate<Grams>(t); });
  r.average_intensity = maybe([&] { return intensity(t); });
  r.marginal_intensity = maybe([&] { return intensity(t); });
  r.embodied_per_hour = estimate<Grams>(t);
  r.regions = some([&] {
    return RegionEnergy{t(),
                        whole(),
                        Seconds(number()),
                        maybe([&] { return estimate<Joules>(t); }),
                        Seconds(number()),
                        Seconds(number()),
                        Seconds(number()),
                        maybe([&] { return NotAttributable{whole(), Seconds(number()), t()}; })};
  });
  r.marks =
      some([&] { return MarkEnergy{t(), whole(), Seconds(number()), maybe([&] { return estimate<Joules>(t); }), maybe(t)}; });
  r.receipt = maybe([&] { return receipt(t); });
  r.gaps = some([&] { return Gap{t(), Seconds(number()), t()}; });
  r.advice = some(t), r.notes = some(t);
  r.derivations = some([&] { return Derivation{t(), t(), t(), t()}; });
  r.version = t();
  r.own_cpu = Seconds(number()), r.own_max_rss_mb = number();
  return r;
}

RC_GTEST_PROP(RunJson, reading_gives_back_every_field_that_was_written, ()) {
  const RunRecord r = record(text);
  const auto back = from_json(to_json(r, *rc::gen::element(-1, 2)));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == r);
}

RC_GTEST_PROP(RunJson, bytes_that_are_not_utf8_are_replaced_once_and_for_all, ()) {
  const std::string once = to_json(record(bytes));
  const auto back = from_json(once);
  RC_ASSERT(back.has_value());
  const std::string twice = to_json(*back);
  const auto again = from_json(twice);
  RC_ASSERT(again.has_value());
  RC_ASSERT(to_json(*again) == twice);
}

TEST(RunJson, an_argument_that_is_not_utf8_leaves_the_rest_of_the_record_whole) {
  RunRecord r = make::run("x");
  r.command = {"cat", "caf\xe9", "na\xc3\xafve"};
  const auto back = from_json(to_json(r));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->command, (std::vector<std::string>{"cat", "caf\xef\xbf\xbd", "na\xc3\xafve"}));
}

RC_GTEST_PROP(RunJson, cut_text_is_an_error, ()) {
  const std::string whole = to_json(make::run("x"), -1);
  const auto length = *rc::gen::inRange<std::size_t>(0, whole.size());
  RC_ASSERT(!from_json(std::string_view(whole).substr(0, length)));
}

RC_GTEST_PROP(RunJson, damaged_text_never_throws, ()) {
  std::string damaged = to_json(record(text), -1);
  for (int n = *rc::gen::inRange(1, 5); n > 0; --n)
    damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] = *rc::gen::arbitrary<char>();
  (void)from_json(damaged);
}

TEST(RunJson, anything_else_is_an_error) {
  for (const char* other : {"", "null", "7", "[]", "\"x\"", "{}", "{\"schema\":\"gramwatt.run/2\"}", "\xff\xfe", "1e999"}) {
    EXPECT_FALSE(from_json(other)) << other;
  }
  EXPECT_FALSE(from_json(std::string(100'000, '[')));
}

/// The text of a record with one piece of it replaced.
std::string altered(const std::string& from, const std::string& to) {
  std::string json = to_json(make::run("x"), -1);
  const auto at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) json.replace(at, from.size(), to);
  return json;
}

TEST(RunJson, a_wrong_field_is_named) {
  const auto error = [](const std::string& from, const std::string& to) {
    const auto r = from_json(altered(from, to));
    return r ? std::string("accepted") : r.error().what;
  };
  EXPECT_EQ(error("\"cpus\":0", "\"cpus\":\"two\""), "host.cpus is no whole number");
  EXPECT_EQ(error("\"cpus\":0", "\"cpus\":99999999999"), "host.cpus is out of range");
  EXPECT_EQ(error("\"idle_owner\":\"job\"", "\"idle_owner\":\"me\""), "energy.idle_owner has an unknown value");
  EXPECT_EQ(error("\"exit_code\"", "\"exit\""), "exit_code is missing");
  EXPECT_EQ(error("12:00:00.000Z", "25:00:00.000Z"), "start is no UTC time");
}

TEST(RunJson, has_the_contracts_keys_in_its_order_even_when_nothing_is_known) {
  const std::string json = to_json(make::run("x"), -1);
  std::size_t at = 0;
  for (const char* key : {"{\"schema\":\"gramwatt.run/1\",",
                          "\"id\":\"x\",",
                          "\"name\":null,",
                          "\"project\":null,",
                          "\"stage\":null,",
                          "\"tags\":{},",
                          "\"command\":[",
                          "\"exit_code\":null,",
                          "\"signal\":null,",
                          "\"stopped_by\":null,",
                          "\"start\":\"2026-11-23T12:00:00.000Z\",",
                          "\"end\":null,",
                          "\"duration_s\":0.0,",
                          "\"waited_s\":0.0,",
                          "\"running_s\":",
                          "\"paused_s\":",
                          "\"host\":{\"hostname\":",
                          "\"cpu\":",
                          "\"cpus\":",
                          "\"memory_gb\":",
                          "\"virtual\":",
                          "\"cloud\":null,",
                          "\"gpus\":[]",
                          "\"machine\":",
                          "\"place\":{\"zone\":null,",
                          "\"how\":",
                          "\"name\":",
                          "\"energy\":{\"total\":{\"value\":0.0,",
                          "\"low\":",
                          "\"high\":",
                          "\"unit\":\"J\",",
                          "\"method\":\"assumed\",",
                          "\"source\":",
                          "\"terms\":{}",
                          "\"active\":",
                          "\"idle\":",
                          "\"idle_owner\":",
                          "\"facility\":",
                          "\"pue\":",
                          "\"components\":[]",
                          "\"machine\":",
                          "\"unattributed\":",
                          "\"carbon\":{\"average\":",
                          "\"marginal\":null",
                          "\"embodied\":",
                          "\"total\":",
                          "\"intensity\":{\"average\":null,\"marginal\":null}",
                          "\"sci\":null,",
                          "\"gaps\":[],",
                          "\"gramwatt\":{\"version\":",
                          "\"cpu_s\":",
                          "\"max_rss_mb\":"}) {
    const auto found = json.find(key, at);
    ASSERT_NE(found, std::string::npos) << key << " after " << json.substr(0, at);
    at = found + 1;
  }
}

TEST(RunJson, an_estimate_has_its_interval_and_the_size_of_each_term) {
  RunRecord r = make::run("x");
  r.energy.total = {Joules(100), Method::modelled, "SPECpower 2024", Boundary::node, {{"turbo", {-0.1, 0.2}}}};
  const std::string json = to_json(r, -1);
  EXPECT_TRUE(contains(json,
                       R"("total":{"value":100.0,"low":90.0,"high":120.0,"unit":"J","method":"modelled",)"
                       R"("source":"SPECpower 2024","boundary":"node","terms":{"turbo":0.2},"shifts":{"turbo":[-0.1,0.2]}})"))
      << json;
}

TEST(RunJson, where_a_source_knows_co2_only_the_units_say_so) {
  RunRecord r = make::run("x");
  r.average_intensity.emplace().signal.gas = "CO2";
  const std::string json = to_json(r, -1);
  EXPECT_TRUE(contains(json, "\"unit\":\"gCO2/kWh\""));
  EXPECT_TRUE(contains(json, "\"unit\":\"gCO2\""));
}

TEST(RunJson, a_record_of_the_contract_alone_is_read_with_symmetric_terms) {
  RunRecord r = make::run("x", std::chrono::milliseconds(250));
  r.energy.total = {Joules(100), Method::measured, "RAPL", Boundary::node, {{"gain", Shift::symmetric(0.05)}}};
  std::string json = to_json(r, -1);
  // Take away all that the contract does not have.
  for (std::size_t at; (at = json.find(",\"shifts\":{")) != std::string::npos;) json.erase(at, json.find('}', at) + 1 - at);
  json.erase(json.find(",\"parent\":"));
  json += "}";
  const auto back = from_json(json);
  ASSERT_TRUE(back.has_value()) << back.error().message();
  EXPECT_EQ(back->energy.total, r.energy.total);
  EXPECT_EQ(back->start_utc, r.start_utc);
  EXPECT_EQ(back->state, State::finished);
}

RC_GTEST_PROP(ChannelJson, reading_gives_back_what_was_written, ()) {
  Channel c;
  c.component = *rc::gen::element(Component::cpu, Component::gpu, Component::platform);
  c.device = text();
  c.boundary = *rc::gen::element(Boundary::chip, Boundary::node);
  c.method = *rc::gen::element(Method::measured, Method::modelled);
  c.source = text();
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) c.active_terms[text()] = {number(), number()};
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) c.idle_terms[text()] = {number(), number()};
  const auto back = channel_from_json(channel_to_json(c));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == c);
}

RC_GTEST_PROP(Iso8601, reading_gives_back_the_millisecond, ()) {
  const auto ms = std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(-9'200'000'000'000, 9'200'000'000'000));
  RC_ASSERT(parse_iso8601(iso8601(ms)) == Nanoseconds(ms));
}

}  // namespace
}  // namespace gramwatt::ledger
