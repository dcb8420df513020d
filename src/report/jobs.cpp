#include "report/jobs.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "report/summary.hpp"

namespace gramwatt::report {
namespace {

using Json = nlohmann::json;
using ledger::JobRecord;
using ledger::JobState;

/// "in 3 h 12 min", "12 min ago".
std::string distance(Nanoseconds t, Nanoseconds now) {
  const std::string length = human_duration(seconds(t > now ? t - now : now - t));
  return t > now ? "in " + length : length + " ago";
}

std::string state_of(const JobRecord& job) {
  if (job.state == JobState::ended || job.alive) return std::string(to_string(job.state));
  return "lost";  // whoever steered it is gone
}

std::string line(const JobRecord& job, Nanoseconds now, const Style& style, std::size_t width) {
  const std::string next = job.until > now ? distance(job.until, now) : "";
  const std::string what = job.name ? *job.name : command_line(job.command, 40, style);
  const double share = job.duration > Nanoseconds{0}
                           ? 100.0 * static_cast<double>(job.done.count()) / static_cast<double>(job.duration.count())
                           : 0;
  std::string text = fmt::format("{}  {:<8} {:>4}  {:<16} {:<8} {}", short_id(job.id), state_of(job),
                                 fmt::format("{:.0f} %", std::min(share, 100.0)), next,
                                 job.resource.empty() ? std::string(style.dash()) : job.resource, what);
  text = cut(text, width, style) + "\n";
  const std::string why = state_of(job) == "lost" ? "its gramwatt is gone: gramwatt recover " + short_id(job.id) : job.why;
  return text + (why.empty() ? "" : style.dim(cut("          " + why, width, style)) + "\n");
}

Json time_or_null(Nanoseconds t) { return t == Nanoseconds{0} ? Json(nullptr) : Json(time_text(t)); }

Json json_of(const JobRecord& job) {
  Json runs = Json::array();
  for (const grid::Window& w : job.runs) runs.push_back({{"start", time_text(w.start)}, {"end", time_text(w.end)}});
  return {{"id", job.id},
          {"state", to_string(job.state)},
          {"alive", job.alive},
          {"name", job.name ? Json(*job.name) : Json(nullptr)},
          {"project", job.project ? Json(*job.project) : Json(nullptr)},
          {"resource", job.resource.empty() ? Json(nullptr) : Json(job.resource)},
          {"command", job.command},
          {"resume", job.resume},
          {"folder", job.folder},
          {"created", time_text(job.created)},
          {"since", time_text(job.since)},
          {"until", time_or_null(job.until)},
          {"latest_start", time_or_null(job.latest_start)},
          {"runs", runs},
          {"why", job.why},
          {"saving", job.saving ? Json(*job.saving) : Json(nullptr)},
          {"duration_s", seconds(job.duration).value()},
          {"done_s", seconds(job.done).value()},
          {"pid", job.alive ? Json(job.owner.pid) : Json(nullptr)}};
}

}  // namespace

std::string jobs_table(const std::vector<JobRecord>& jobs, Nanoseconds now, const Style& style, std::size_t width) {
  std::string out =
      style.dim(fmt::format("{:<8}  {:<8} {:>4}  {:<16} {:<8} {}", "job", "state", "done", "next", "resource", "what")) + "\n";
  for (const JobRecord& job : jobs) out += line(job, now, style, std::max<std::size_t>(60, width));
  return out;
}

std::string jobs_json(const std::vector<JobRecord>& jobs) {
  Json list = Json::array();
  for (const JobRecord& job : jobs) list.push_back(json_of(job));
  return Json{{"schema", "gramwatt.jobs/1"}, {"jobs", list}}.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string story(const std::vector<ledger::JobEvent>& events) {
  std::string out;
  for (const ledger::JobEvent& e : events) out += fmt::format("  {}  {:<14} {}\n", iso8601(e.utc).substr(0, 19), e.what, e.why);
  return out.empty() ? out : "story (UTC)\n" + out;
}

}  // namespace gramwatt::report
