#include "ledger/job_record.hpp"

#include <algorithm>
#include <array>

#include <SQLiteCpp/SQLiteCpp.h>
#include <nlohmann/json.hpp>

#include "ledger/database.hpp"

namespace gramwatt::ledger {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 5> kStates{"waiting", "running", "held", "off", "ended"};

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS jobs(
  id TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL, created_utc INTEGER NOT NULL, job TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events(
  run TEXT NOT NULL, seq INTEGER NOT NULL, utc INTEGER NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY(run, seq)) WITHOUT ROWID;
)";

bool have_tables(Database& db) {
  const auto s = db.statement("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('jobs', 'events')");
  return s->executeStep() && s->getColumn(0).getInt() == 2;
}

template <class T>
void put(Json& j, const char* key, const std::optional<T>& value) {
  if (value) j[key] = *value;
}

std::string to_text(const JobRecord& job) {
  Json j{{"resource", job.resource},
         {"command", job.command},
         {"resume", job.resume},
         {"options", job.options},
         {"folder", job.folder},
         {"since", job.since.count()},
         {"latest_start", job.latest_start.count()},
         {"until", job.until.count()},
         {"why", job.why},
         {"duration", job.duration.count()},
         {"done", job.done.count()},
         {"done_at", job.done_at.count()},
         {"power", job.power.value()},
         {"may_exit", job.may_exit},
         {"restart_energy", job.restart_energy.value()},
         {"restart_time", job.restart_time.count()},
         {"owner",
          {{"host", job.owner.host},
           {"boot", job.owner.boot_id},
           {"namespace", job.owner.pid_namespace},
           {"pid", job.owner.pid},
           {"start", job.owner.start_ticks}}}};
  put(j, "name", job.name);
  put(j, "project", job.project);
  put(j, "saving", job.saving);
  Json runs = Json::array();
  for (const grid::Window& w : job.runs) runs.push_back({w.start.count(), w.end.count()});
  j["runs"] = std::move(runs);
  // Command lines may hold any bytes.
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Nanoseconds time_at(const Json& j, const char* key) { return Nanoseconds(j.value(key, std::int64_t{0})); }

template <class T>
std::optional<T> maybe(const Json& j, const char* key) {
  return j.contains(key) ? std::optional(j.at(key).get<T>()) : std::nullopt;
}

/// Throws nlohmann's exceptions on damage: callers stand inside guarded().
void from_text(const std::string& text, JobRecord& job) {
  const Json j = Json::parse(text);
  job.resource = j.value("resource", "");
  job.command = j.value("command", std::vector<std::string>{});
  job.resume = j.value("resume", std::vector<std::string>{});
  job.options = j.value("options", std::vector<std::string>{});
  job.folder = j.value("folder", "");
  job.since = time_at(j, "since");
  job.latest_start = time_at(j, "latest_start");
  job.until = time_at(j, "until");
  job.why = j.value("why", "");
  job.duration = time_at(j, "duration");
  job.done = time_at(j, "done");
  job.done_at = time_at(j, "done_at");
  job.power = Watts(j.value("power", 0.0));
  job.may_exit = j.value("may_exit", false);
  job.restart_energy = Joules(j.value("restart_energy", 0.0));
  job.restart_time = time_at(j, "restart_time");
  job.name = maybe<std::string>(j, "name");
  job.project = maybe<std::string>(j, "project");
  job.saving = maybe<double>(j, "saving");
  for (const Json& w : j.value("runs", Json::array()))
    job.runs.push_back({Nanoseconds(w.at(0).get<std::int64_t>()), Nanoseconds(w.at(1).get<std::int64_t>())});
  const Json owner = j.value("owner", Json::object());
  job.owner = {owner.value("host", ""), owner.value("boot", ""), owner.value("namespace", ""), owner.value("pid", 0),
               owner.value("start", std::int64_t{0})};
}

}  // namespace

std::string_view to_string(JobState state) { return kStates[static_cast<std::size_t>(state)]; }

std::optional<JobState> parse_job_state(std::string_view text) {
  const auto* const it = std::find(kStates.begin(), kStates.end(), text);
  return it == kStates.end() ? std::nullopt : std::optional(static_cast<JobState>(it - kStates.begin()));
}

Result<void> write_job(Database& db, const JobRecord& job, const JobEvent& event) {
  return guarded(db.path(), [&]() -> Result<void> {
    const auto transaction = db.begin_write();
    if (!have_tables(db)) db.sqlite().exec(kTables);
    {
      const auto s = db.statement(
          "INSERT INTO jobs(id, state, created_utc, job) VALUES(?1, ?2, ?3, ?4) "
          "ON CONFLICT(id) DO UPDATE SET state = ?2, job = ?4");
      s->bindNoCopy(1, job.id);
      s->bind(2, std::string(to_string(job.state)));
      s->bind(3, static_cast<std::int64_t>(job.created.count()));
      s->bind(4, to_text(job));
      s->exec();
    }
    if (!event.what.empty()) {
      const auto s = db.statement(
          "INSERT INTO events(run, seq, utc, what, why) "
          "VALUES(?1, (SELECT coalesce(max(seq) + 1, 0) FROM events WHERE run = ?1), ?2, ?3, ?4)");
      s->bindNoCopy(1, job.id);
      s->bind(2, static_cast<std::int64_t>(event.utc.count()));
      s->bindNoCopy(3, event.what);
      s->bindNoCopy(4, event.why);
      s->exec();
    }
    transaction->commit();
    return {};
  });
}

Result<std::vector<JobRecord>> read_jobs(Database& db) {
  return guarded(db.path(), [&]() -> Result<std::vector<JobRecord>> {
    std::vector<JobRecord> jobs;
    if (!have_tables(db)) return jobs;
    const auto s = db.statement("SELECT id, state, created_utc, job FROM jobs ORDER BY created_utc, id");
    while (s->executeStep()) {
      JobRecord job;
      job.id = s->getColumn(0).getString();
      job.state = parse_job_state(s->getColumn(1).getString()).value_or(JobState::ended);
      job.created = Nanoseconds(s->getColumn(2).getInt64());
      from_text(s->getColumn(3).getString(), job);
      jobs.push_back(std::move(job));
    }
    return jobs;
  });
}

Result<std::vector<JobEvent>> read_events(Database& db, const std::string& id) {
  return guarded(db.path(), [&]() -> Result<std::vector<JobEvent>> {
    std::vector<JobEvent> events;
    if (!have_tables(db)) return events;
    const auto s = db.statement("SELECT utc, what, why FROM events WHERE run = ? ORDER BY seq");
    s->bindNoCopy(1, id);
    while (s->executeStep())
      events.push_back({Nanoseconds(s->getColumn(0).getInt64()), s->getColumn(1).getString(), s->getColumn(2).getString()});
    return events;
  });
}

Result<void> delete_job(Database& db, const std::string& id) {
  return guarded(db.path(), [&]() -> Result<void> {
    if (!have_tables(db)) return {};
    for (const char* sql : {"DELETE FROM events WHERE run = ?", "DELETE FROM jobs WHERE id = ?"}) {
      const auto s = db.statement(sql);
      s->bindNoCopy(1, id);
      s->exec();
    }
    return {};
  });
}

}  // namespace gramwatt::ledger
