// Plans for people and as commands: figures over several places, what a script is made of, and that no word of the user's can
// be anything but a word.

#include "report/plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstdio>
#include <memory>

#include "report/plan_emit.hpp"

namespace gramwatt::report {
namespace {

using namespace std::chrono_literals;
using plan::Action;

constexpr Nanoseconds kStart = 1'767'225'600s;  // 2026-01-01T00:00Z

/// Four hours of work, one kWh each, in as many hours as there are values of g/kWh.
PlannedPlace place(const std::string& zone, const std::vector<double>& values, bool may_exit = true) {
  PlannedPlace p;
  p.zone = zone;
  p.slots = {kStart, 1h, {}};
  for (const double v : values) p.slots.intensity.push_back(plan::quantise(GramsPerKwh(v)));
  plan::Job job;
  job.steps.assign(4, Joules(3.6e6));
  job.may_exit = may_exit;
  p.problem = *plan::make_problem(job, p.slots);
  p.options = *plan::weigh_options(p.problem, {});
  return p;
}

PlanView view_of(std::vector<PlannedPlace> places) {
  PlanView view;
  view.places = std::move(places);
  view.job.steps.assign(4, Joules(3.6e6));
  view.chosen = choose(view);
  return view;
}

Estimate<Grams> moved(double grams) { return {Grams(grams), Method::assumed, "moved", std::nullopt, {}}; }

TEST(PlanFigures, MovingIsChargedWhereThePlaceIsChosen) {
  PlannedPlace there = place("FR", {100, 100, 100, 100});
  there.transfer = moved(1000);
  PlanView view = view_of({place("DE", {400, 400, 400, 400}), there});
  EXPECT_EQ(view.chosen.place, 1U);
  EXPECT_NEAR(carbon(view, view.chosen).value.value(), 1400, 1e-6);
  EXPECT_NEAR(saving(view, view.chosen).value(), 1 - 1400.0 / 1600, 1e-9);
  view.places[1].transfer = moved(1300);
  EXPECT_EQ(choose(view).place, 0U) << "300 g more than it saves";
  view.prices.a_gram = 2;
  EXPECT_NEAR(*cost(view, {1, 0}), 2 * 1700, 1e-6);
}

TEST(PlanFigures, MovingMakesAPlaceWorseInTheFuturesToo) {
  PlannedPlace home = place("DE", {400, 400, 400, 400}), there = place("FR", {100, 100, 100, 100});
  const plan::Futures futures{{400000, 400000, 400000, 400000}};
  home.options = *plan::weigh_options(home.problem, futures);
  there.options = *plan::weigh_options(there.problem, {{100000, 100000, 100000, 100000}});
  PlanView view = view_of({home, there});
  EXPECT_EQ(p_worse(view, {1, 0})->value(), 0);
  view.places[1].transfer = moved(1300);
  EXPECT_EQ(p_worse(view, {1, 0})->value(), 1);
}

TEST(PlanText, TellsHowManyPlacesItLeavesOut) {
  std::vector<PlannedPlace> places{place("HOME", {400, 400, 400, 400})};
  for (int i = 0; i < 20; ++i) places.push_back(place("Z" + std::to_string(i), {300.0 - i, 300, 300, 300}));
  const PlanView view = view_of(std::move(places));
  const std::string text = plan_text(view, Style{}, 80);
  EXPECT_NE(text.find("8 more places"), std::string::npos);
  EXPECT_NE(text.find("Z19"), std::string::npos) << "the cleanest is there";
  EXPECT_NE(plan_html(view).find("8 more places"), std::string::npos);
}

TEST(PlanHtml, ASeriesOfZerosIsDrawn) {
  const std::string page = plan_html(view_of({place("X", {0, 0, 0, 0, 0, 0})}));
  EXPECT_EQ(page.find("nan"), std::string::npos);
  EXPECT_EQ(page.find("inf"), std::string::npos);
}

TEST(EmitRuns, TellHoldsFromExits) {
  using enum Action;
  const plan::Slots slots{kStart, 1h, std::vector<plan::MilligramsPerKwh>(10, 1)};
  const auto runs = emit_runs({wait, run, hold, run, off, restart, run, hold, run, done}, slots);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].begin, kStart + 1h);
  ASSERT_EQ(runs[0].holds.size(), 1U);
  EXPECT_EQ(runs[0].holds[0].from, kStart + 2h);
  EXPECT_EQ(runs[0].holds[0].to, kStart + 3h);
  EXPECT_EQ(runs[0].stop, kStart + 4h);
  EXPECT_EQ(runs[1].begin, kStart + 5h) << "a restart is a start";
  EXPECT_EQ(runs[1].holds.size(), 1U);
  EXPECT_FALSE(runs[1].stop) << "the last run goes on until the job ends";
}

TEST(EmitRuns, TimesAreWholeSecondsAndNeverEarly) {
  EXPECT_EQ(epoch(kStart), "1767225600");
  EXPECT_EQ(epoch(kStart + 1ms), "1767225601");
}

/// What a shell makes of a line.
std::string shell(const std::string& line) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(line.c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 1; n > 0;) {
    n = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    out.append(buffer.data(), n);
  }
  return out;
}

RC_GTEST_PROP(ShellQuote, AnyWordReachesTheCommandAsItIs, (std::vector<std::string> words)) {
  RC_PRE(!words.empty());
  std::string expected;
  for (std::string& w : words) {
    std::erase(w, '\0');  // no argument can hold it
    expected += "[" + w + "]";
  }
  RC_ASSERT(shell("printf '[%s]' " + shell_quote(words)) == expected);
}

RC_GTEST_PROP(ShellComment, HoldsNoLineThatCouldRun, (std::string text)) {
  const std::string comment = shell_comment(text + "\necho ran\r\necho ran");
  for (std::size_t at = 0; at < comment.size(); at = comment.find('\n', at) + 1) {
    RC_ASSERT(comment.compare(at, 2, "# ") == 0);
    if (comment.find('\n', at) == std::string::npos) break;
  }
}

TEST(PlanCommands, ANameThatEndsTheHereDocumentIsKeptInside) {
  const PlanView view = view_of({place("DE", {500, 100, 100, 500, 500, 100, 100, 500})});
  const auto script = plan_commands(view, {EmitForm::at, "", {"echo", "x\nEND_OF_PLAN\nrm -rf y\n"}});
  ASSERT_TRUE(script);
  EXPECT_NE(script->find("<<'END_OF_PLAN_'"), std::string::npos);
}

TEST(PlanCommands, AnotherCloudThanTheChosenOneIsRefused) {
  PlannedPlace there = place("SE", {10, 10, 10, 10});
  there.provider = "aws";
  there.region = "eu-north-1";
  there.name = "aws eu-north-1";
  const PlanView view = view_of({place("DE", {400, 400, 400, 400}), there});
  const auto wrong = plan_commands(view, {EmitForm::gcloud, "europe-north1-a/x", {}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, Error::Kind::usage);
  const auto right = plan_commands(view, {EmitForm::aws, "i-0", {}});
  ASSERT_TRUE(right);
  EXPECT_NE(right->find("--region eu-north-1"), std::string::npos);
}

TEST(PlanCommands, CommandsOfRemoteFormsAreOnlyTold) {
  const PlanView view = view_of({place("DE", {500, 100, 100, 500})});
  const auto script = plan_commands(view, {EmitForm::k8s, "job", {"touch", "x\ntouch y"}});
  ASSERT_TRUE(script);
  EXPECT_NE(script->find("\n# what it must run: touch 'x\n# touch y'\n"), std::string::npos);
}

}  // namespace
}  // namespace gramwatt::report
