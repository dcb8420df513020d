// The screen of `gramwatt top` as text: whole frames (80 × 24), the order and folding of rows, the mark.

#include "report/top.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include <fmt/format.h>

#include "base/text.hpp"

namespace gramwatt::report {
namespace {

TopProcess process(pid_t pid, pid_t parent, pid_t session, const char* command, double cores, double watts, double joules) {
  TopProcess p;
  p.pid = pid;
  p.parent = parent;
  p.session = session;
  p.command = p.name = command;
  p.user = session == 0 ? "root" : "ada";
  p.cgroup = "/";
  p.cores = cores;
  p.power = Watts(watts);
  p.energy = Joules(joules);
  return p;
}

TopState sample() {
  TopState s;
  s.host = "node7";
  s.at_utc = *parse_iso8601("2026-11-24T12:31:07Z");
  s.elapsed = Seconds(60);
  s.interval = Seconds(2);
  s.active = {Watts(120), Method::measured, "RAPL", Boundary::node, {{"a", Shift::symmetric(0.1)}}};
  s.idle = {Watts(80), Method::modelled, "curve", Boundary::node, {{"i", Shift::symmetric(0.2)}}};
  s.machine = s.active + s.idle;
  s.energy = Joules(12'000);
  s.devices = {{Component::cpu, "package-0", Method::measured, Watts(60), Watts(40)},
               {Component::gpu, "H100", Method::measured, Watts(50), Watts(30)},
               {Component::platform, "power supply, fans, board", Method::modelled, Watts(10), Watts(10)}};
  s.processes = {process(1, 0, 1, "/sbin/init", 0, 0, 0.5),
                 process(2, 0, 0, "[kthreadd]", 0, 0, 0),
                 process(9, 2, 0, "[kworker/0:1]", 0.01, 0.2, 3),
                 process(500, 1, 500, "-bash", 0, 0, 0.1),
                 process(501, 500, 500, "/usr/bin/python3 train.py --lr 0.1", 3.5, 55, 3000),
                 process(502, 501, 500, "/usr/bin/python3 loader.py", 0.5, 8, 400),
                 process(700, 1, 700, "nginx: master", 0.1, 1.5, 60),
                 process(701, 700, 700, "nginx: worker", 0.2, 3, 190)};
  for (TopProcess& p : s.processes) {
    if (p.session != 700) continue;
    p.part_of = "docker 4f2a90c1d7e3";
    p.cgroup = "/system.slice/docker-4f2a.scope";
    p.user = "www-data";
  }
  s.gpu = Watts(50);
  s.unattributed = Watts(2.3);
  s.gpu_energy = Joules(3000);
  s.unattributed_energy = Joules(140);
  s.idle_energy = Joules(4800);
  s.place = "Germany";
  s.zone = "DE";
  s.intensity = {GramsPerKwh(330), Method::modelled, "table", std::nullopt, {{"g", Shift::symmetric(0.1)}}};
  s.pue = {Ratio(1.2), Method::assumed, "", std::nullopt, {}};
  return s;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out = "\n";
  for (const std::string& line : lines) out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  return out;
}

std::vector<std::string> keys(const std::vector<TopRow>& rows) {
  std::vector<std::string> all;
  for (const TopRow& r : rows) all.push_back(r.key);
  return all;
}

TEST(TopFrame, Of80By24) {
  TopView view;
  view.open.insert("s500");
  view.selected = "p501";
  EXPECT_EQ(joined(top_frame(sample(), view, 80, 24, Style{false, true})), R"(
gramwatt top  node7  12:31:07 UTC                   every 2.00 s, 3.33 Wh so far
machine 200 W (180–220)   active 120 W (108–132)   idle 80 W (64–96)
grid    330 g/kWh (297–363)  Germany   79.2 g CO2e (68.0–90.4) an hour
  cpu         60.0 W active    40.0 W idle  measured: package-0
  gpu         50.0 W active    30.0 W idle  measured: H100
  platform    10.0 W active    10.0 W idle  modelled: power supply, fans, board
    PID USER      CPU %    POWER    ENERGY  PROCESS              PART OF
                          80.0 W   1.33 Wh  idle: the machine at rest
                          50.0 W  0.833 Wh  GPUs, by whatever process
                          2.30 W     140 J  active, of no known process
    500 ada       400.0   63.0 W  0.944 Wh  ▾ -bash (3)
    500 ada         0.0      0 W   0.100 J    -bash
>   501 ada       350.0   55.0 W  0.833 Wh      python3 train.p…
    502 ada        50.0   8.00 W  0.111 Wh        python3 loade…
    700 www-data   30.0   4.50 W     250 J  ▸ nginx: master (2)  docker 4f2a9…
      2 root        1.0   0.20 W    3.00 J  ▸ kernel threads (2)
      1 ada         0.0      0 W   0.500 J  init






q quit  Enter open  s sort: power  t group: tree  space hold  h help
)");
}

TEST(TopFrame, OfASmallTerminalKeepsWhatMattersMost) {
  EXPECT_EQ(joined(top_frame(sample(), {}, 40, 8, Style{false, false})), R"(
gramwatt top  node7  12:31:07 UTC
machine 200 W (180-220)
grid    330 g/kWh (297-363)  Germany
    PID    POWER  PROCESS
    500   63.0 W  + -bash (3)
    700   4.50 W  + nginx: master (2)
      2   0.20 W  + kernel threads (2)
q quit  Enter open  s sort: power  t gr~
)");
}

RC_GTEST_PROP(TopFrameProperty, fits_every_size, ()) {
  const std::size_t width = *rc::gen::inRange<std::size_t>(1, 200), height = *rc::gen::inRange<std::size_t>(1, 60);
  TopView view;
  view.help = *rc::gen::arbitrary<bool>();
  view.grouping = static_cast<TopGrouping>(*rc::gen::inRange(0, 3));
  view.first = *rc::gen::inRange<std::size_t>(0, 12);
  view.open = {"s500", "kernel", "c/"};
  const Style style{*rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
  const TopState state = sample();
  const auto lines = top_frame(state, view, width, height, style);
  RC_ASSERT(lines.size() == height);
  for (const std::string& line : lines) RC_ASSERT(columns(line) <= width);
}

TEST(TopFrame, WithoutColourHasNoEscapeSequenceAndStillShowsTheMark) {
  TopView view;
  view.selected = "s700";
  const std::string frame = joined(top_frame(sample(), view, 80, 24, Style{false, true}));
  EXPECT_EQ(frame.find('\x1b'), std::string::npos);
  EXPECT_NE(frame.find("\n>"), std::string::npos);
}

TEST(TopRows, TreesAreSessionsWithTheirSums) {
  const auto rows = top_rows(sample(), {});
  EXPECT_EQ(keys(rows), (std::vector<std::string>{"s500", "s700", "kernel", "s1"}));
  EXPECT_DOUBLE_EQ(rows[0].power.value(), 63);
  EXPECT_DOUBLE_EQ(rows[0].energy.value(), 3400.1);
  EXPECT_EQ(rows[0].count, 3U);
  EXPECT_EQ(rows[1].part_of, "docker 4f2a90c1d7e3");
}

TEST(TopRows, AnOpenTreeShowsChildrenBelowTheirParents) {
  TopView view;
  view.open.insert("s500");
  const auto rows = top_rows(sample(), view);
  EXPECT_EQ(keys(rows), (std::vector<std::string>{"s500", "p500", "p501", "p502", "s700", "kernel", "s1"}));
  EXPECT_EQ(rows[3].depth, 3);
  EXPECT_EQ(rows[2].what, "python3 train.py --lr 0.1");
}

TEST(TopRows, EveryOrder) {
  TopView view;
  view.grouping = TopGrouping::flat;
  view.sort = TopSort::pid;
  EXPECT_EQ(top_rows(sample(), view).front().pid, 1);
  view.sort = TopSort::cpu;
  EXPECT_EQ(top_rows(sample(), view).front().pid, 501);
  view.sort = TopSort::energy;
  EXPECT_EQ(top_rows(sample(), view)[1].pid, 502);
}

TEST(TopRows, CgroupsCarryTheNameOfWhatTheyAre) {
  TopView view;
  view.grouping = TopGrouping::cgroup;
  const auto rows = top_rows(sample(), view);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].what, "/");
  EXPECT_EQ(rows[0].user, "*");
  EXPECT_EQ(rows[1].what, "docker 4f2a90c1d7e3");
}

TEST(TopRows, TextOfAProcessCannotMoveTheCursor) {
  TopState s = sample();
  s.processes[4].command = "evil\x1b[2J\x07 \xc3\xa9";
  TopView view;
  view.grouping = TopGrouping::flat;
  for (const TopRow& r : top_rows(s, view)) {
    EXPECT_EQ(r.what.find_first_of("\x1b\x07\xc3"), std::string::npos) << r.what;
  }
}

RC_GTEST_PROP(TopRowsProperty, however_grouped_the_powers_are_those_of_the_processes, ()) {
  TopState s = sample();
  for (TopProcess& p : s.processes) {
    p.parent = *rc::gen::inRange(0, 800);  // cycles and strangers too
    p.session = *rc::gen::inRange(0, 4);
    p.power = Watts(*rc::gen::inRange(0, 100));
  }
  TopView view;
  view.grouping = static_cast<TopGrouping>(*rc::gen::inRange(0, 3));
  view.sort = static_cast<TopSort>(*rc::gen::inRange(0, 4));
  double all = 0, rows = 0;
  for (const TopProcess& p : s.processes) all += p.power.value();
  for (const TopRow& r : top_rows(s, view)) rows += r.power.value();
  RC_ASSERT(rows == all);
}

TEST(TopMove, KeepsTheMarkOnTheScreenAndWithItsProcess) {
  TopView view;
  view.grouping = TopGrouping::flat;
  TopState s = sample();
  auto rows = top_rows(s, view);
  top_move(rows, view, 0, 3);
  EXPECT_TRUE(view.selected.empty());
  top_move(rows, view, 4, 3);
  EXPECT_EQ(view.selected, rows[4].key);
  EXPECT_EQ(view.first, 2U);
  top_move(rows, view, 1000, 3);
  EXPECT_EQ(view.selected, rows.back().key);
  EXPECT_EQ(view.first, rows.size() - 3);
  top_move(rows, view, -1000, 3);
  EXPECT_EQ(view.first, 0U);
  const std::string marked = view.selected;
  s.processes[0].power = Watts(500);  // another is the first now: the mark stays with its own
  top_move(top_rows(s, view), view, 0, 3);
  EXPECT_EQ(view.selected, marked);
}

TEST(TopTable, IsPlainAndTellsEverything) {
  const std::string table = top_table(sample(), {}, 120, SIZE_MAX, Style{false, true});
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  for (const char* what : {"machine 200 W", "Germany", "package-0", "idle: the machine at rest", "GPUs", "docker 4f2a90c1d7e3",
                           "of no known process"})
    EXPECT_NE(table.find(what), std::string::npos) << what << " in\n" << table;
}

TEST(TopJson, IsOneLineAndSumsToTheMachine) {
  const std::string json = top_json(sample());
  EXPECT_EQ(json.find('\n'), std::string::npos);
  for (const char* what : {R"("schema":"gramwatt.top/1")", R"("pid":501)", R"("unattributed_w":2.3)", R"("zone":"DE")"})
    EXPECT_NE(json.find(what), std::string::npos) << what;
}

}  // namespace
}  // namespace gramwatt::report
