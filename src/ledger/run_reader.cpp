#include "ledger/run_reader.hpp"

#include <array>
#include <span>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>

#include "ledger/channel_json.hpp"
#include "ledger/interval_blob.hpp"
#include "ledger/job_record.hpp"
#include "ledger/run_writer.hpp"
#include "ledger/tail.hpp"

namespace gramwatt::ledger {
namespace {

void load_tags(Database& db, RunRecord& r) {
  const auto s = db.statement("SELECT key, value FROM tags WHERE run = ?");
  s->bindNoCopy(1, r.id);
  r.tags.clear();
  while (s->executeStep()) r.tags.emplace(s->getColumn(0).getString(), s->getColumn(1).getString());
}

/// The record of a row, with the tags that it has by now.
Result<RunRecord> record_of(Database& db, const std::string& id, const std::string& text) {
  auto record = from_json(text);
  if (!record) {
    record.error().where = db.path().string() + ", run " + id;
    record.error().remedy = "`gramwatt rm " + id + "` removes it";
    return record;
  }
  load_tags(db, *record);
  return record;
}

void add_condition(std::string& sql, const std::optional<std::string>& value, const char* column) {
  if (value) sql += std::string(" AND ") + column + " = ?";
}

}  // namespace

Result<std::vector<RunKey>> read_keys(Database& db) {
  return guarded(db.path(), [&]() -> Result<std::vector<RunKey>> {
    std::vector<RunKey> keys;
    const auto s = db.statement("SELECT start_utc, id FROM runs ORDER BY start_utc DESC, id DESC");
    while (s->executeStep()) keys.push_back({s->getColumn(0).getInt64(), s->getColumn(1).getString()});
    return keys;
  });
}

Result<std::vector<RunRecord>> read_records(Database& db, const Filter& f) {
  return guarded(db.path(), [&]() -> Result<std::vector<RunRecord>> {
    std::string sql = "SELECT id, record FROM runs WHERE 1";
    if (f.since.count() != 0) sql += " AND start_utc >= ?";
    add_condition(sql, f.project, "project");
    add_condition(sql, f.stage, "stage");
    add_condition(sql, f.name, "name");
    for (std::size_t i = 0; i < f.tags.size(); ++i) {
      sql += " AND EXISTS(SELECT 1 FROM tags WHERE run = id AND key = ? AND value = ?)";
    }
    sql += " ORDER BY start_utc DESC, id DESC";
    if (f.limit != 0) sql += " LIMIT " + std::to_string(f.limit);

    SQLite::Statement s(db.sqlite(), sql);
    int index = 0;
    if (f.since.count() != 0) s.bind(++index, static_cast<std::int64_t>(f.since.count()));
    for (const auto* wanted : {&f.project, &f.stage, &f.name}) {
      if (*wanted) s.bind(++index, **wanted);
    }
    for (const auto& [key, value] : f.tags) {
      s.bind(++index, key);
      s.bind(++index, value);
    }
    std::vector<RunRecord> records;
    while (s.executeStep()) {
      auto record = record_of(db, s.getColumn(0).getString(), s.getColumn(1).getString());
      if (!record) return tl::unexpected(std::move(record.error()));
      records.push_back(std::move(*record));
    }
    return records;
  });
}

Result<std::optional<RunRecord>> read_record(Database& db, const std::string& id) {
  return guarded(db.path(), [&]() -> Result<std::optional<RunRecord>> {
    const auto s = db.statement("SELECT record FROM runs WHERE id = ?");
    s->bindNoCopy(1, id);
    if (!s->executeStep()) return std::nullopt;
    auto record = record_of(db, id, s->getColumn(0).getString());
    if (!record) return tl::unexpected(std::move(record.error()));
    return std::optional<RunRecord>(std::move(*record));
  });
}

Result<bool> has_run(Database& db, const std::string& id) {
  return guarded(db.path(), [&]() -> Result<bool> {
    const auto s = db.statement("SELECT 1 FROM runs WHERE id = ?");
    s->bindNoCopy(1, id);
    return s->executeStep();
  });
}

Result<std::vector<Channel>> read_channels(Database& db, const std::string& id) {
  return guarded(db.path(), [&]() -> Result<std::vector<Channel>> {
    std::vector<Channel> channels;
    const auto s = db.statement("SELECT json FROM channels WHERE run = ? ORDER BY idx");
    s->bindNoCopy(1, id);
    while (s->executeStep()) {
      auto channel = channel_from_json(s->getColumn(0).getString());
      if (!channel) {
        channel.error().where = db.path().string() + ", run " + id;
        return tl::unexpected(std::move(channel.error()));
      }
      channels.push_back(std::move(*channel));
    }
    return channels;
  });
}

namespace {

Result<std::vector<Interval>> read_committed(Database& db, const std::string& id) {
  return guarded(db.path(), [&]() -> Result<std::vector<Interval>> {
    std::vector<Interval> all;
    const auto s = db.statement("SELECT data FROM blobs WHERE run = ? ORDER BY seq");
    s->bindNoCopy(1, id);
    while (s->executeStep()) {
      const SQLite::Column data = s->getColumn(0);
      const std::string_view bytes(static_cast<const char*>(data.getBlob()), static_cast<std::size_t>(data.getBytes()));
      if (auto done = unpack(bytes, all); !done) {
        done.error().where = db.path().string() + ", run " + id;
        return tl::unexpected(std::move(done.error()));
      }
    }
    return all;
  });
}

}  // namespace

Result<std::vector<Interval>> read_intervals(Database& db, const std::string& id) {
  const auto tail = read_tail(db.path(), id);
  auto committed = read_committed(db, id);
  if (!committed) return committed;
  return with_tail(std::move(*committed), tail);
}

Result<std::vector<RunningRow>> read_running(Database& db, const std::string& host) {
  return guarded(db.path(), [&]() -> Result<std::vector<RunningRow>> {
    std::vector<RunningRow> rows;
    const auto s = db.statement(
        "SELECT id, boot_id, pid_namespace, owner_pid, owner_start FROM runs WHERE state = 'running' AND owner_host = ?");
    s->bindNoCopy(1, host);
    while (s->executeStep()) {
      rows.push_back({s->getColumn(0).getString(),
                      {host, s->getColumn(1).getString(), s->getColumn(2).getString(),
                       static_cast<pid_t>(s->getColumn(3).getInt64()), s->getColumn(4).getInt64()}});
    }
    return rows;
  });
}

Result<void> write_interrupted(Database& db, const std::vector<std::string>& ids) {
  return guarded(db.path(), [&]() -> Result<void> {
    const auto transaction = db.begin_write();
    for (const std::string& id : ids) {
      auto record = read_record(db, id);
      if (!record) return tl::unexpected(std::move(record.error()));
      if (!*record || (*record)->state != State::running) continue;  // settled by another process just now
      const auto tail = read_tail(db.path(), id);
      auto measured = read_committed(db, id);
      if (!measured) return tl::unexpected(measured.error());
      const std::size_t committed = measured->size();
      measured = with_tail(std::move(*measured), tail);
      append_blobs(db, id, std::span(*measured).subspan(committed));
      RunRecord& r = **record;
      r.state = State::interrupted;
      r.end_utc = measured->empty() ? r.start_utc : measured->back().end.utc;
      // Durations are monotonic time; intervals need not join where the run was paused.
      Nanoseconds length{0};
      for (const Interval& i : *measured) length += elapsed(i.start, i.end);
      r.running = r.duration = seconds(length);
      update_row(db, r);
    }
    transaction->commit();
    for (const std::string& id : ids) remove_tail(db.path(), id);
    return {};
  });
}

Result<void> replace_tags(Database& db, const std::string& id, const std::map<std::string, std::string>& tags) {
  return guarded(db.path(), [&]() -> Result<void> {
    const auto transaction = db.begin_write();
    {
      const auto s = db.statement("DELETE FROM tags WHERE run = ?");
      s->bindNoCopy(1, id);
      s->exec();
    }
    for (const auto& [key, value] : tags) {
      const auto s = db.statement("INSERT INTO tags(run, key, value) VALUES(?, ?, ?)");
      s->bindNoCopy(1, id);
      s->bind(2, key);
      s->bind(3, value);
      s->exec();
    }
    transaction->commit();
    return {};
  });
}

Result<void> delete_run(Database& db, const std::string& id) {
  return guarded(db.path(), [&]() -> Result<void> {
    const auto transaction = db.begin_write();
    for (const char* sql : {"DELETE FROM blobs WHERE run = ?", "DELETE FROM channels WHERE run = ?",
                            "DELETE FROM tags WHERE run = ?", "DELETE FROM runs WHERE id = ?"}) {
      const auto s = db.statement(sql);
      s->bindNoCopy(1, id);
      s->exec();
    }
    if (const auto gone = delete_job(db, id); !gone) return gone;
    transaction->commit();
    remove_tail(db.path(), id);
    return {};
  });
}

}  // namespace gramwatt::ledger
