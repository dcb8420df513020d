// How a run is written while it goes on.
//
// Every append is one commit (no fsync, 12 to 16 µs of CPU time where nothing sleeps in between): the blob of the current
// minute is written anew with what has just closed, up to 3 KB. A run appends once a minute and keeps a tail in between
// (tail.cpp). After kIntervalsABlob intervals a new blob begins. Of what is old nobody needs the seconds, so every ten minutes
// the oldest blobs are merged: beyond one hour to UTC minutes, beyond one day to five minutes of UTC, which is the finest step
// in which grids publish carbon intensity. The sums stay exact (interval_blob.hpp). A run of thirty days is then about 13,000
// intervals, whatever its sampling rate: 0.5 MB with one channel, 1.7 MB with eight.
//
// A commit that fails (disk full for a while, another writer for too long) loses nothing: what was appended stays in memory and
// goes with the next one.

#include "ledger/run_writer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <stdexcept>

#include <SQLiteCpp/SQLiteCpp.h>

#include "ledger/channel_json.hpp"

namespace gramwatt::ledger {
namespace {

constexpr std::size_t kIntervalsABlob = 60;
constexpr std::size_t kBytesABlob = 16384;          ///< machines with many devices: write less anew each second
constexpr std::size_t kIntervalsAMergedBlob = 720;  ///< 12 h of minutes; some 25 KB a channel, so that pages are well filled

struct Tier {
  std::int64_t from_s, to_s;  ///< resolution_s of the blobs; 0 = as measured
  Nanoseconds age;            ///< merged when the whole blob is older than this
};
constexpr std::array<Tier, 2> kTiers{{{0, 60, std::chrono::hours(1)}, {60, 300, std::chrono::hours(24)}}};
constexpr Nanoseconds kAgingPeriod = std::chrono::minutes(10);

void bind(SQLite::Statement& s, int index, const std::optional<std::string>& text) {
  if (text) s.bind(index, *text);
}

std::string_view blob_of(const SQLite::Column& column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

void write_blob(Database& db, const std::string& id, std::int64_t seq, std::int64_t resolution_s, const BlobWriter& blob) {
  const auto s = db.statement(
      "INSERT INTO blobs(run, seq, resolution_s, n, end_utc, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
      "ON CONFLICT(run, seq) DO UPDATE SET resolution_s = ?3, n = ?4, end_utc = ?5, data = ?6");
  s->bindNoCopy(1, id);
  s->bind(2, seq);
  s->bind(3, resolution_s);
  s->bind(4, static_cast<std::int64_t>(blob.count()));
  s->bind(5, static_cast<std::int64_t>(blob.end_utc().count()));
  s->bindNoCopy(6, blob.bytes().data(), static_cast<int>(blob.bytes().size()));
  s->exec();
}

void write_tags(Database& db, const RunRecord& record) {
  for (const auto& [key, value] : record.tags) {
    // A tag that somebody set while the run went on outranks what the run itself was started with.
    const auto s = db.statement("INSERT OR IGNORE INTO tags(run, key, value) VALUES(?, ?, ?)");
    s->bindNoCopy(1, record.id);
    s->bind(2, key);
    s->bind(3, value);
    s->exec();
  }
}

/// Unpacks a blob that the database holds; damage is an exception here, because callers stand inside guarded().
void unpack_or_throw(std::string_view bytes, std::size_t channels, std::vector<Interval>& out) {
  const std::size_t before = out.size();
  if (const auto done = unpack(bytes, out); !done) throw std::runtime_error(done.error().message());
  if (out.size() > before && out.back().flows.size() != channels) throw std::runtime_error("damaged intervals: wrong channels");
}

}  // namespace

tl::unexpected<Error> no_such_run(const std::string& id) {
  return fail("no run " + id, {}, "`gramwatt runs` lists them", Error::Kind::missing);
}

Result<void> RunWriter::begin(const RunRecord& r, std::span<const Channel> channels, const Owner& owner) {
  return guarded(db_.path(), [&]() -> Result<void> {
    const auto transaction = db_.begin_write();
    {
      const auto s = db_.statement(
          "INSERT OR IGNORE INTO runs(id, parent, state, start_utc, end_utc, energy_j, carbon_g, owner_host, boot_id, "
          "pid_namespace, owner_pid, owner_start, record) VALUES(?, ?, 'running', 0, 0, 0, 0, ?, ?, ?, ?, ?, '')");
      s->bindNoCopy(1, r.id);
      bind(*s, 2, r.parent);
      s->bindNoCopy(3, owner.host);
      s->bindNoCopy(4, owner.boot_id);
      s->bindNoCopy(5, owner.pid_namespace);
      s->bind(6, static_cast<std::int64_t>(owner.pid));
      s->bind(7, owner.start_ticks);
      if (s->exec() == 0) return fail("there is a run " + r.id + " already", db_.path().string());
    }
    update_row(db_, r);
    write_tags(db_, r);
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const auto s = db_.statement("INSERT INTO channels(run, idx, json) VALUES(?, ?, ?)");
      s->bindNoCopy(1, r.id);
      s->bind(2, static_cast<std::int64_t>(i));
      s->bind(3, channel_to_json(channels[i]));
      s->exec();
    }
    transaction->commit();
    OpenRun run;
    run.channels = channels.size();
    open_.insert_or_assign(r.id, std::move(run));
    return {};
  });
}

bool update_row(Database& db, const RunRecord& r) {
  const auto s = db.statement(
      "UPDATE runs SET state = ?2, start_utc = ?3, end_utc = ?4, project = ?5, stage = ?6, name = ?7, energy_j = ?8, "
      "carbon_g = ?9, record = ?10 WHERE id = ?1");
  s->bindNoCopy(1, r.id);
  s->bind(2, std::string(to_string(r.state)));
  s->bind(3, static_cast<std::int64_t>(r.start_utc.count()));
  s->bind(4, static_cast<std::int64_t>(r.end_utc.count()));
  bind(*s, 5, r.project);
  bind(*s, 6, r.stage);
  bind(*s, 7, r.name);
  // NaN would be NULL to SQLite; a figure that is no number is none.
  const auto figure = [](double v) { return std::isfinite(v) ? v : 0.0; };
  s->bind(8, figure(r.energy.total.value.value()));
  s->bind(9, figure(r.carbon.total.value.value()));
  s->bind(10, to_json(r, -1));
  return s->exec() > 0;
}

Result<void> replace_record(Database& db, const RunRecord& r) {
  return guarded(db.path(), [&]() -> Result<void> {
    const auto transaction = db.begin_write();
    if (!update_row(db, r)) return no_such_run(r.id);
    transaction->commit();
    return {};
  });
}

Result<RunWriter::OpenRun*> RunWriter::open_run(const std::string& id) {
  if (const auto it = open_.find(id); it != open_.end()) return &it->second;
  // A run that another process, or this one before, has begun: go on behind what is there.
  OpenRun run;
  const auto s = db_.statement(
      "SELECT (SELECT count(*) FROM channels WHERE run = ?1), (SELECT coalesce(max(seq) + 1, 0) FROM blobs WHERE run = ?1) "
      "FROM runs WHERE id = ?1");
  s->bindNoCopy(1, id);
  if (!s->executeStep()) return no_such_run(id);
  run.channels = static_cast<std::size_t>(s->getColumn(0).getInt64());
  run.next_seq = s->getColumn(1).getInt64();
  return &open_.insert_or_assign(id, std::move(run)).first->second;
}

void append_blobs(Database& db, const std::string& id, std::span<const Interval> intervals) {
  if (intervals.empty()) return;
  std::int64_t seq = 0;
  {
    const auto s = db.statement("SELECT coalesce(max(seq) + 1, 0) FROM blobs WHERE run = ?");
    s->bindNoCopy(1, id);
    if (s->executeStep()) seq = s->getColumn(0).getInt64();
  }
  for (; !intervals.empty(); ++seq) {
    const std::size_t n = std::min(intervals.size(), kIntervalsABlob);
    BlobWriter blob(intervals.front().flows.size());
    for (const Interval& i : intervals.first(n)) blob.push(i);
    write_blob(db, id, seq, 0, blob);
    intervals = intervals.subspan(n);
  }
}

Result<void> RunWriter::append(const std::string& id, std::span<const Interval> intervals) {
  return guarded(db_.path(), [&]() -> Result<void> {
    const auto found = open_run(id);
    if (!found) return tl::unexpected(found.error());
    OpenRun& run = **found;
    for (const Interval& i : intervals) {
      if (i.flows.size() == run.channels) continue;
      return fail("an interval has " + std::to_string(i.flows.size()) + " flows, the run has " + std::to_string(run.channels) +
                      " channels",
                  id, {}, Error::Kind::usage);
    }
    for (const Interval& i : intervals) {
      if (run.aged_at.count() == 0) run.aged_at = i.start.utc;
      if (run.pending.empty() || run.pending.back().blob.count() >= kIntervalsABlob ||
          run.pending.back().blob.bytes().size() >= kBytesABlob) {
        if (!run.dirty) run.pending.clear();  // the full blob is committed: no need to write it again
        run.pending.push_back({run.next_seq++, BlobWriter(run.channels)});
      }
      run.pending.back().blob.push(i);
      run.dirty = true;
    }
    flush(id, run);
    if (!intervals.empty()) age(id, run);
    return {};
  });
}

void RunWriter::flush(const std::string& id, OpenRun& run) {
  if (!run.dirty) return;
  if (run.pending.size() == 1) {
    write_blob(db_, id, run.pending.back().seq, 0, run.pending.back().blob);
  } else {
    const auto transaction = db_.begin_write();
    for (const Pending& p : run.pending) write_blob(db_, id, p.seq, 0, p.blob);
    transaction->commit();
    run.pending.erase(run.pending.begin(), run.pending.end() - 1);
  }
  run.dirty = false;
}

void RunWriter::age(const std::string& id, OpenRun& run) {
  const Nanoseconds now = run.pending.back().blob.end_utc();
  if (now < run.aged_at) run.aged_at = now;  // the clock was set back
  if (now - run.aged_at < kAgingPeriod) return;
  for (const Tier& tier : kTiers) merge_older(id, run, tier.from_s, tier.to_s, now - tier.age);
  run.aged_at = now;
}

void RunWriter::merge_older(const std::string& id, const OpenRun& run, std::int64_t from_s, std::int64_t to_s,
                            Nanoseconds before) {
  const auto transaction = db_.begin_write();
  std::vector<std::int64_t> seqs;  // of the blobs that are replaced, ascending; the new ones take the first of them
  std::vector<Interval> intervals;
  {
    // The last blob of the coarser tier, when there is room in it: its last minute may be only half there.
    const auto s = db_.statement("SELECT seq, n, data FROM blobs WHERE run = ? AND resolution_s = ? ORDER BY seq DESC LIMIT 1");
    s->bindNoCopy(1, id);
    s->bind(2, to_s);
    if (s->executeStep() && s->getColumn(1).getInt64() < static_cast<std::int64_t>(kIntervalsAMergedBlob)) {
      seqs.push_back(s->getColumn(0).getInt64());
      unpack_or_throw(blob_of(s->getColumn(2)), run.channels, intervals);
    }
  }
  const std::size_t already_merged = seqs.size();
  {
    const auto s =
        db_.statement("SELECT seq, end_utc, data FROM blobs WHERE run = ? AND resolution_s = ? AND seq < ? ORDER BY seq");
    s->bindNoCopy(1, id);
    s->bind(2, from_s);
    s->bind(3, run.pending.back().seq);
    // Oldest first and no further than the first that is too young: the order of seq stays the order of time, also when the
    // clock was set while the run went on.
    while (s->executeStep() && s->getColumn(1).getInt64() <= before.count()) {
      seqs.push_back(s->getColumn(0).getInt64());
      unpack_or_throw(blob_of(s->getColumn(2)), run.channels, intervals);
    }
  }
  if (seqs.size() == already_merged) return;

  const auto merged = merge(intervals, std::chrono::seconds(to_s));
  // Merging makes intervals fewer but keeps those that do not join; never need more blobs than were taken away.
  const std::size_t a_blob = std::max(kIntervalsAMergedBlob, (merged.size() + seqs.size() - 1) / seqs.size());
  std::size_t used = 0;
  for (std::size_t at = 0; at < merged.size(); at += a_blob, ++used) {
    BlobWriter blob(run.channels);
    for (std::size_t i = at; i < std::min(at + a_blob, merged.size()); ++i) blob.push(merged[i]);
    write_blob(db_, id, seqs[used], to_s, blob);
  }
  for (; used < seqs.size(); ++used) {
    const auto s = db_.statement("DELETE FROM blobs WHERE run = ? AND seq = ?");
    s->bindNoCopy(1, id);
    s->bind(2, seqs[used]);
    s->exec();
  }
  transaction->commit();
}

Result<void> RunWriter::finish(const RunRecord& r) {
  return guarded(db_.path(), [&]() -> Result<void> {
    const auto transaction = db_.begin_write();
    const auto run = open_.find(r.id);
    if (run != open_.end() && run->second.dirty) {
      for (const Pending& p : run->second.pending) write_blob(db_, r.id, p.seq, 0, p.blob);
    }
    if (!update_row(db_, r)) {
      // begin() had failed (a full disk, say), or the record comes from elsewhere: better late than not at all.
      const auto s = db_.statement(
          "INSERT INTO runs(id, parent, state, start_utc, end_utc, energy_j, carbon_g, record) VALUES(?, ?, '', 0, 0, 0, 0, "
          "'')");
      s->bindNoCopy(1, r.id);
      bind(*s, 2, r.parent);
      s->exec();
      update_row(db_, r);
    }
    write_tags(db_, r);
    transaction->commit();
    if (run != open_.end()) open_.erase(run);
    return {};
  });
}

}  // namespace gramwatt::ledger
