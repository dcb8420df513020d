// gramwatt top: looks at the whole machine until it is told to stop. On a terminal it takes the screen; into a file or a pipe
// it writes a table, or with --json one object a line, every interval.

#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <future>
#include <map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/measuring.hpp"
#include "cli/redfish.hpp"
#include "cli/terminal.hpp"
#include "job/machine_watch.hpp"
#include "report/top.hpp"

namespace gramwatt::cli {
namespace {

using std::chrono::seconds;
constexpr Nanoseconds kDefaultInterval = seconds(2);
constexpr std::array<int, 7> kIntervals{1, 2, 3, 5, 10, 30, 60};  // seconds; what + and - go through

struct TopOptions {
  Nanoseconds interval = kDefaultInterval;
  std::optional<std::uint64_t> times;
  report::TopView view;
};

Result<TopOptions> options_of(const Invocation& invocation) {
  TopOptions o;
  if (const auto text = invocation.get("interval")) {
    const auto interval = check_interval(*text);
    if (!interval) return tl::unexpected(interval.error());
    if (*interval < seconds(1)) {
      return fail("processes are looked at once a second at most", "--interval", "1s to 1min", Error::Kind::usage);
    }
    o.interval = *interval;
  }
  if (const auto text = invocation.get("times")) {
    o.times = parse_number<std::uint64_t>(*text);
    if (!o.times || *o.times == 0)
      return fail(fmt::format("\"{}\" is no number of times", *text), "--times", {}, Error::Kind::usage);
  }
  if (const auto text = invocation.get("sort")) {
    const auto known = {report::TopSort::power, report::TopSort::energy, report::TopSort::cpu, report::TopSort::pid};
    const auto* const at = std::find_if(known.begin(), known.end(), [&](report::TopSort s) { return to_string(s) == *text; });
    if (at == known.end())
      return fail(fmt::format("\"{}\" is no order", *text), "--sort", "power, energy, cpu or pid", Error::Kind::usage);
    o.view.sort = *at;
  }
  if (const auto text = invocation.get("group")) {
    const auto known = {report::TopGrouping::tree, report::TopGrouping::cgroup, report::TopGrouping::flat};
    const auto* const at =
        std::find_if(known.begin(), known.end(), [&](report::TopGrouping g) { return to_string(g) == *text; });
    if (at == known.end())
      return fail(fmt::format("\"{}\" is no grouping", *text), "--group", "tree, cgroup or flat", Error::Kind::usage);
    o.view.grouping = *at;
  }
  return o;
}

/// Place and intensity, found out in a thread of its own: it may ask a cloud's metadata. No signal goes there: those that end
/// top must come to the terminal's loop, which gives the screen back.
std::shared_future<job::Context> find_context(const Surroundings& surroundings, const Settings& settings, job::Machine facts) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto found = std::async(std::launch::async, [&surroundings, &settings, machine = std::move(facts)] {
    return make_context(surroundings, settings, machine);
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return found;
}

/// From what was measured to what is shown.
class Model {
 public:
  Model(const Surroundings& surroundings, const Settings& settings, job::Machine facts)
      : context_(find_context(surroundings, settings, std::move(facts))) {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) == 0) host_ = name.data();
  }

  report::TopState state(const job::MachineLook& look, const meter::ProcessShare& share) {
    report::TopState s;
    s.host = host_;
    s.at_utc = look.at.utc;
    s.elapsed = look.elapsed;
    s.interval = look.length;
    s.machine = look.power;
    s.active = look.active;
    s.idle = look.idle;
    s.energy = look.total.joules();
    for (const auto& d : look.devices)
      s.devices.push_back({d.channel->component, d.channel->device, d.channel->method, d.active, d.idle});
    for (const meter::ProcessUse* p : share.processes()) s.processes.push_back(process(*p, look.length));
    s.gpu = look.gpu.joules() / look.length;
    s.unattributed = look.unattributed.joules() / look.length;
    s.ended = share.ended().joules();
    s.gpu_energy = look.total_gpu.joules();
    s.unattributed_energy = share.unattributed().joules();
    s.idle_energy = look.total_idle.joules();
    place(s);
    return s;
  }

  /// For output that nobody looks at twice: waits until the place is known.
  void await_place() const { context_.wait(); }

 private:
  report::TopProcess process(const meter::ProcessUse& p, Seconds length) {
    return {p.look.pid,
            p.look.parent,
            p.look.session,
            p.name,
            p.command,
            user(p.user),
            p.workload.label,
            p.workload.path,
            gramwatt::seconds(p.cpu) / length,
            p.energy.joules() / length,
            p.total.joules()};
  }

  const std::string& user(uid_t uid) {
    const auto [at, fresh] = users_.try_emplace(uid);
    if (fresh) {
      const passwd* entry = getpwuid(uid);
      at->second = entry != nullptr ? entry->pw_name : fmt::format("{}", uid);
    }
    return at->second;
  }

  void place(report::TopState& s) {
    if (!known_ && context_.wait_for(seconds(0)) == std::future_status::ready) known_ = context_.get();
    if (!known_) return;
    s.place = known_->place.name;
    s.zone = known_->place.zone;
    s.pue = known_->weights.pue;
    const std::array now{footprint::Slice{s.at_utc, s.at_utc, {}}};
    s.intensity = footprint::mean_intensity(now, known_->weights.average).value;
  }

  std::shared_future<job::Context> context_;
  std::optional<job::Context> known_;
  std::string host_;
  std::map<uid_t, std::string> users_;
};

/// Half a second of slack: intervals close at about whole seconds.
bool is_due(const job::MachineWatch& watch, Nanoseconds interval) {
  return watch.waiting() > Nanoseconds{0} && watch.waiting() + seconds(1) / 2 >= interval;
}

int print_all(const TopOptions& options, const Settings& settings, job::MachineWatch& watch, Model& model) {
  const std::size_t width = ::isatty(STDOUT_FILENO) == 1 ? width_of(STDOUT_FILENO) : 120;
  report::Style style = style_for(STDOUT_FILENO);
  style.colour = false;
  for (std::uint64_t n = 0; !options.times || n < *options.times;) {
    pollfd due{watch.timer().get(), POLLIN, 0};
    if (::poll(&due, 1, -1) < 0) continue;
    watch.tick();
    if (!is_due(watch, options.interval)) continue;
    model.await_place();
    const report::TopState state = model.state(watch.look(), watch.processes());
    const std::string text = settings.json
                                 ? report::top_json(state) + "\n"
                                 : (n > 0 ? "\n" : "") + report::top_table(state, options.view, width, SIZE_MAX, style);
    if (const auto written = write_output("-", text); !written) return complain(written.error());
    ++n;
  }
  return 0;
}

/// The screen and the keys.
class Screen {
 public:
  Screen(const TopOptions& options, job::MachineWatch& watch, Model& model)
      : interval_(options.interval),
        times_(options.times),
        view_(options.view),
        watch_(watch),
        model_(model),
        style_(style_for(STDOUT_FILENO)) {}

  void run() {
    draw();
    while (!done_) {
      const Terminal::Event event = terminal_.wait(watch_.timer().get());
      if (event.end) return;
      for (const KeyPress& key : event.keys) press(key);
      if (event.other) watch_.tick();
      const bool looked = event.other && look();
      if (looked || event.resized || !event.keys.empty()) draw();
    }
  }

 private:
  bool look() {
    if (!is_due(watch_, state_ ? interval_ : Nanoseconds(seconds(1)))) return false;
    auto fresh = model_.state(watch_.look(), watch_.processes());
    if (times_ && ++looks_ >= *times_) done_ = true;
    if (view_.paused && state_) return false;
    state_ = std::move(fresh);
    return true;
  }

  void draw() {
    const Terminal::Size size = terminal_.size();
    if (!state_) {
      terminal_.draw({"gramwatt top: measuring, the first second ..."});
      return;
    }
    top_move(top_rows(*state_, view_), view_, 0, report::top_room(*state_, size.width, size.height));
    terminal_.draw(report::top_frame(*state_, view_, size.width, size.height, style_));
  }

  void move(long by) {
    if (!state_) return;
    const Terminal::Size size = terminal_.size();
    top_move(top_rows(*state_, view_), view_, by, report::top_room(*state_, size.width, size.height));
  }

  void page(long direction) {
    if (!state_) return;
    const Terminal::Size size = terminal_.size();
    move(direction * static_cast<long>(std::max<std::size_t>(1, report::top_room(*state_, size.width, size.height))));
  }

  /// Opens or closes the group that the mark is on.
  void fold(std::optional<bool> open) {
    if (!state_) return;
    const auto rows = top_rows(*state_, view_);
    if (view_.selected.empty() && !rows.empty()) view_.selected = rows.front().key;
    const auto at = std::find_if(rows.begin(), rows.end(), [&](const report::TopRow& r) { return r.key == view_.selected; });
    if (at == rows.end() || !at->group) return;
    if (open.value_or(!at->open)) view_.open.insert(at->key);
    else view_.open.erase(at->key);
  }

  void change_interval(bool longer) {
    const auto now = std::chrono::round<seconds>(interval_).count();
    if (longer) {
      const auto* const next = std::find_if(kIntervals.begin(), kIntervals.end(), [&](int s) { return s > now; });
      if (next != kIntervals.end()) interval_ = seconds(*next);
    } else {
      const auto next = std::find_if(kIntervals.rbegin(), kIntervals.rend(), [&](int s) { return s < now; });
      if (next != kIntervals.rend()) interval_ = seconds(*next);
    }
  }

  void press(const KeyPress& key) {
    if (view_.help && (key.key != Key::character || key.character != 'q')) {
      view_.help = false;  // any key goes back
      return;
    }
    switch (key.key) {
      case Key::up: return move(-1);
      case Key::down: return move(1);
      case Key::page_up: return page(-1);
      case Key::page_down: return page(1);
      case Key::home: return move(-1'000'000);
      case Key::end: return move(1'000'000);
      case Key::enter: return fold(std::nullopt);
      case Key::right: return fold(true);
      case Key::left: return fold(false);
      case Key::character: return press(key.character);
      case Key::escape:
      case Key::none: break;
    }
  }

  void press(char c) {
    switch (c) {
      case 'q': done_ = true; break;
      case 'k': move(-1); break;
      case 'j': move(1); break;
      case 's': view_.sort = static_cast<report::TopSort>((static_cast<int>(view_.sort) + 1) % 4); break;
      case 't':
        view_.grouping = static_cast<report::TopGrouping>((static_cast<int>(view_.grouping) + 1) % 3);
        view_.selected.clear();
        view_.first = 0;
        break;
      case ' ': view_.paused = !view_.paused; break;
      case '+': change_interval(true); break;
      case '-': change_interval(false); break;
      case 'h':
      case '?': view_.help = true; break;
      default: break;
    }
  }

  Nanoseconds interval_;
  std::optional<std::uint64_t> times_;
  report::TopView view_;
  job::MachineWatch& watch_;
  Model& model_;
  report::Style style_;
  Terminal terminal_;
  std::optional<report::TopState> state_;
  std::uint64_t looks_ = 0;
  bool done_ = false;
};

}  // namespace

int command_top(const Invocation& invocation, const Settings& settings) {
  const auto options = options_of(invocation);
  if (!options) return complain(options.error());
  if (settings.json && *settings.json != "-")
    return complain({"top writes to standard output only", "--json", "--json - > FILE", Error::Kind::usage});
  const auto surroundings = surroundings_of(invocation, settings.config);
  if (!surroundings) return complain(surroundings.error());
  if (const auto place = check_place(*surroundings, settings); !place) return complain(place.error());

  const SystemClock clock;
  const Roots roots = Roots::from_environment();
  job::Machine machine = job::probe_machine(roots, clock, machine_options(settings));
  job::Machine facts;  // the sensors are the watch's
  facts.cpu = machine.cpu;
  facts.model = machine.model;
  const auto watch = job::MachineWatch::begin(roots, std::move(machine), clock);
  if (!watch) return complain(watch.error());
  Model model(*surroundings, settings, std::move(facts));
  if (settings.json || !Terminal::usable()) return print_all(*options, settings, **watch, model);
  Screen(*options, **watch, model).run();
  return 0;
}

}  // namespace gramwatt::cli
