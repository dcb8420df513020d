// study facct22: the published study on the regions that are asked for, each on a processor of its own.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/study_request.hpp"
#include "plan/known.hpp"
#include "report/study.hpp"

namespace gramwatt::cli {
namespace {

namespace facct22 = plan::facct22;

/// How far all regions are, on the terminal; nothing elsewhere. Any thread may tell.
class Bar {
 public:
  Bar(std::size_t regions, bool quiet) : done_(regions), shown_(!quiet && ::isatty(STDERR_FILENO) == 1) {}
  ~Bar() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  [[nodiscard]] std::function<void(Ratio)> of(std::size_t region) {
    if (!shown_) return {};
    return [this, region](Ratio done) { tell(region, done); };
  }

 private:
  void tell(std::size_t region, Ratio done) {
    constexpr std::size_t kWidth = 30, kMille = 1000;
    const std::lock_guard lock(mutex_);
    done_[region] = done.value();
    const double share = std::accumulate(done_.begin(), done_.end(), 0.0) / static_cast<double>(done_.size());
    const auto now = static_cast<std::size_t>(share * kMille);
    if (now == last_) return;
    last_ = now;
    const auto full = std::min(kWidth, static_cast<std::size_t>(share * kWidth));
    std::fputs(
        fmt::format("\r[{}{}] {:3.0f} %\x1b[K", std::string(full, '#'), std::string(kWidth - full, ' '), 100 * share).c_str(),
        stderr);
  }

  std::mutex mutex_;
  std::vector<double> done_;
  std::size_t last_ = SIZE_MAX;
  bool shown_;
};

/// Where both are known: what is planned by, and what it is weighed with.
Result<std::vector<facct22::Stretch>> stretches(const AskedRegion& region, const std::optional<grid::Series>& judge,
                                                Nanoseconds slot) {
  const grid::Window window = with_windows(region.time);
  const grid::Ladder ladder{{region.series}, {}};
  std::vector<grid::Window> known = plan::known_time(ladder, window);
  if (judge) known = plan::common(known, plan::known_time({{*judge}, {}}, window));
  auto slots = plan::known_slots(ladder, known, window.start, slot);
  if (!slots) return tl::unexpected(slots.error());
  std::vector<facct22::Stretch> out;
  for (plan::Slots& s : *slots) out.push_back({std::move(s), {}});
  if (!judge) return out;
  auto judged = plan::known_slots({{*judge}, {}}, known, window.start, slot);
  if (!judged) return tl::unexpected(judged.error());
  for (std::size_t i = 0; i < out.size(); ++i) out[i].judges = std::move((*judged)[i].intensity);
  return out;
}

/// The part of a task's progress that begins at `from` of it and takes `share`.
std::function<void(Ratio)> part(const std::function<void(Ratio)>& progress, double from, double share) {
  if (!progress) return {};
  return [=](Ratio done) { progress(Ratio(from + share * done.value())); };
}

/// The judge's own plans, weighed with itself.
std::vector<facct22::Stretch> by_judge(const std::vector<facct22::Stretch>& known) {
  std::vector<facct22::Stretch> out;
  for (const facct22::Stretch& s : known) out.push_back({{s.slots.start, s.slots.length, s.judges}, {}});
  return out;
}

Result<report::StudyRegion> studied(AskedRegion region, const StudyAsked& a, const std::optional<grid::Series>& judge,
                                    const std::function<void(Ratio)>& progress) {
  const facct22::Asked asked{region.time, a.slot, a.starts};
  const auto known = stretches(region, judge, a.slot);
  if (!known) return tl::unexpected(known.error());
  report::StudyRegion out{std::move(region.name),
                          region.series.signal,
                          region.series.resolution,
                          part_known(region.series, region.time),
                          region.series.mean(region.time.start, region.time.end).value,
                          asked,
                          {},
                          {},
                          {}};
  const double each = 1 / static_cast<double>(1 + a.forecasts.size());
  const auto foresight = part(progress, 0, each);
  out.cells = facct22::study(*known, asked, a.exact ? std::function<void(Ratio)>{} : foresight);
  if (a.exact) facct22::add_exact(out.cells, *known, asked, a.restart, a.idle, foresight);
  if (judge) out.by_judge = facct22::study(by_judge(*known), asked);
  const auto paid = a.exact ? std::optional(facct22::Paid{a.restart, a.idle, report::kForecastPayments}) : std::nullopt;
  for (const grid::Model model : a.forecasts) {
    const double from = each * static_cast<double>(1 + out.forecasts.size());
    out.forecasts.push_back(
        facct22::study_forecasts(out.cells, *known, asked, region.series, model, paid, part(progress, from, each)));
  }
  return out;
}

Result<std::vector<report::StudyRegion>> study_all(std::vector<AskedRegion> regions, const StudyAsked& a,
                                                   const std::optional<grid::Series>& judge, bool quiet) {
  std::vector<Result<report::StudyRegion>> results(regions.size());
  {
    Bar bar(regions.size(), quiet);
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < regions.size(); i = next++)
        results[i] = studied(std::move(regions[i]), a, judge, bar.of(i));
    };
    std::vector<std::jthread> others(std::min<std::size_t>(regions.size(), std::max(1U, std::thread::hardware_concurrency())) -
                                     1);
    for (std::jthread& t : others) t = std::jthread(work);
    work();
  }
  std::vector<report::StudyRegion> out;
  for (auto& result : results) {
    if (!result) return tl::unexpected(result.error());
    out.push_back(std::move(*result));
  }
  return out;
}

int show(const report::StudyView& view, const Invocation& invocation, const Settings& settings) {
  if (const auto file = invocation.get("html")) {
    const auto written = write_output(*file, report::study_html(view));
    if (!written) return complain(written.error());
    if (*file == "-") return 0;
  }
  if (settings.json) {
    const auto written = write_output(*settings.json, report::study_json(view) + "\n");
    return written ? 0 : complain(written.error());
  }
  if (invocation.has("csv")) return print(report::study_csv(view));
  if (settings.quiet) return 0;
  return print(report::study_table(view, style_for(STDOUT_FILENO), width_of(STDOUT_FILENO)));
}

}  // namespace

int command_study(const Invocation& invocation, const Settings& settings) {
  if (invocation.command->name == "study") return print(help_text(*invocation.command));
  const auto a = study_asked(invocation);
  if (!a) return complain(a.error());
  report::StudyView view{{}, a->restart, a->idle, {}, {}};
  auto regions = study_regions(invocation, settings, *a, view.notes);
  if (!regions) return complain(regions.error());
  const auto judge = study_judge(invocation, *a);
  if (!judge) return complain(judge.error());
  if (*judge) {
    view.judge = *invocation.get("judged-by");
    view.notes.push_back(
        fmt::format("planned by what each region knows, weighed with {}: savings may be below zero", view.judge));
  }
  auto studied = study_all(std::move(*regions), *a, *judge, settings.quiet);
  if (!studied) return complain(studied.error());
  view.regions = std::move(*studied);
  return show(view, invocation, settings);
}

}  // namespace gramwatt::cli
