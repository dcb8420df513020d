// The ledger: one SQLite file on a local disk; on a network file system one file a host, of which this host writes its own and
// reads all (location.cpp says why). What stands in the file: database.cpp; how a run is written while it goes on:
// run_writer.cpp; how intervals are packed: interval_blob.cpp.

#include "ledger/ledger.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/system.hpp"
#include "ledger/database.hpp"
#include "ledger/location.hpp"
#include "ledger/run_reader.hpp"
#include "ledger/run_writer.hpp"
#include "ledger/selection.hpp"

namespace gramwatt::ledger {

struct Ledger::Impl {
  std::filesystem::path ledger;    ///< as asked for
  std::filesystem::path own_path;  ///< the file of this host
  Surroundings surroundings;
  bool network = false;
  std::unique_ptr<Database> own;  ///< null: nothing there yet, opened for reading
  std::optional<RunWriter> writer;
  std::optional<std::vector<std::unique_ptr<Database>>> others;  ///< opened when first needed: a start of `run` needs none
  std::vector<Error> skipped;

  Impl(const std::filesystem::path& path, Surroundings s) : ledger(path), own_path(path), surroundings(std::move(s)) {
    if (surroundings.host.empty()) surroundings.host = this_host();
    if (!surroundings.is_network_folder) surroundings.is_network_folder = is_network_folder;
    if (!surroundings.is_alive) surroundings.is_alive = is_alive;
    network = surroundings.is_network_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
    if (network) own_path = path_of_host(path, surroundings.host);
  }

  /// This host's file first.
  std::vector<Database*> databases() {
    if (!others) {
      others.emplace();
      for (const auto& p : network ? paths_of_other_hosts(ledger, own_path) : std::vector<std::filesystem::path>{}) {
        auto opened = Database::open_read_only(p);
        if (!opened) {
          skipped.push_back(std::move(opened.error()));
        } else if (*opened) {
          others->push_back(std::move(*opened));
        }
      }
    }
    std::vector<Database*> all;
    if (own) all.push_back(own.get());
    for (const auto& d : *others) all.push_back(d.get());
    return all;
  }

  /// The database that holds a run; kind `missing`.
  Result<Database*> holder(const std::string& id) {
    for (Database* d : databases()) {
      const auto has = has_run(*d, id);
      if (!has) return tl::unexpected(has.error());
      if (*has) return d;
    }
    return no_such_run(id);
  }

  /// The same, for changing it: only this host's file may be written here.
  Result<Database*> writable_holder(const std::string& id) {
    auto found = holder(id);
    if (!found) return found;
    if (!writer) return fail("the ledger is open for reading only", own_path.string());
    if (*found == own.get()) return found;
    return fail("run " + id + " was recorded on another host, whose file only that host may write", (*found)->path().string(),
                "do the same on that host", Error::Kind::usage);
  }

  Result<RunWriter*> writing() {
    if (!writer) return fail("the ledger is open for reading only", own_path.string());
    return &*writer;
  }
};

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;
Ledger::~Ledger() = default;

Result<Ledger> Ledger::open(const std::filesystem::path& path, Surroundings surroundings) {
  return guarded(path, [&]() -> Result<Ledger> {
    auto impl = std::make_unique<Impl>(path, std::move(surroundings));
    auto opened = Database::open(impl->own_path, impl->network ? Journal::rollback : Journal::write_ahead);
    if (!opened) return tl::unexpected(std::move(opened.error()));
    impl->own = std::move(*opened);
    impl->writer.emplace(*impl->own);
    return Ledger(std::move(impl));
  });
}

Result<Ledger> Ledger::open_read_only(const std::filesystem::path& path, Surroundings surroundings) {
  return guarded(path, [&]() -> Result<Ledger> {
    auto impl = std::make_unique<Impl>(path, std::move(surroundings));
    auto opened = Database::open_read_only(impl->own_path);
    if (!opened) return tl::unexpected(std::move(opened.error()));
    impl->own = std::move(*opened);
    return Ledger(std::move(impl));
  });
}

Result<void> Ledger::begin(const RunRecord& record, std::span<const Channel> channels) {
  return impl_->writing().and_then(
      [&](RunWriter* w) { return w->begin(record, channels, this_process(impl_->surroundings.host)); });
}

Result<void> Ledger::append(const std::string& id, std::span<const Interval> intervals) {
  return impl_->writing().and_then([&](RunWriter* w) { return w->append(id, intervals); });
}

Tail Ledger::open_tail(const std::string& id, std::size_t channels) const { return {tail_name(impl_->own_path, id), channels}; }

Result<void> Ledger::finish(const RunRecord& record) {
  auto done = impl_->writing().and_then([&](RunWriter* w) { return w->finish(record); });
  if (done) remove_tail(impl_->own_path, record.id);
  return done;
}

Result<void> Ledger::update(const RunRecord& record) {
  return impl_->writable_holder(record.id).and_then([&](Database* d) { return replace_record(*d, record); });
}

Result<void> Ledger::sync() {
  return impl_->writing().and_then([&](RunWriter*) { return impl_->own->sync(); });
}

Result<std::vector<std::string>> Ledger::mark_interrupted() {
  if (const auto writing = impl_->writing(); !writing) return tl::unexpected(writing.error());
  const auto running = read_running(*impl_->own, impl_->surroundings.host);
  if (!running) return tl::unexpected(running.error());
  std::vector<std::string> gone;
  for (const RunningRow& row : *running) {
    if (!impl_->surroundings.is_alive(row.owner)) gone.push_back(row.id);
  }
  if (gone.empty()) return gone;  // the usual case costs no write
  if (const auto done = write_interrupted(*impl_->own, gone); !done) return tl::unexpected(done.error());
  return gone;
}

Result<void> Ledger::write_job(JobRecord job, const JobEvent& event) {
  if (const auto writing = impl_->writing(); !writing) return tl::unexpected(writing.error());
  job.owner = this_process(impl_->surroundings.host);
  return ledger::write_job(*impl_->own, job, event);
}

Result<std::vector<JobRecord>> Ledger::jobs() const {
  std::vector<JobRecord> all;
  for (Database* d : impl_->databases()) {
    auto some = read_jobs(*d);
    if (!some) return some;
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
  std::sort(all.begin(), all.end(),
            [](const JobRecord& a, const JobRecord& b) { return std::tie(a.created, a.id) < std::tie(b.created, b.id); });
  for (JobRecord& job : all) job.alive = job.state != JobState::ended && impl_->surroundings.is_alive(job.owner);
  return all;
}

Result<JobRecord> Ledger::job(std::string_view id_or_part) const {
  auto all = jobs();
  if (!all) return tl::unexpected(all.error());
  std::vector<std::string> ids;
  std::transform(all->rbegin(), all->rend(), std::back_inserter(ids), [](const JobRecord& j) { return j.id; });
  const auto id = select_run(id_or_part, ids);
  if (!id && id.error().kind == Error::Kind::missing)
    return fail("no job " + std::string(id_or_part), impl_->own_path.string(), "`gramwatt jobs` lists them",
                Error::Kind::missing);
  if (!id) return tl::unexpected(id.error());
  return *std::find_if(all->begin(), all->end(), [&](const JobRecord& j) { return j.id == *id; });
}

Result<std::vector<JobEvent>> Ledger::events(const std::string& id) const {
  for (Database* d : impl_->databases()) {
    auto events = read_events(*d, id);
    if (!events || !events->empty()) return events;
  }
  return std::vector<JobEvent>{};
}

Result<std::vector<RunRecord>> Ledger::list(const Filter& filter) const {
  std::vector<RunRecord> all;
  const auto databases = impl_->databases();
  for (Database* d : databases) {
    auto some = read_records(*d, filter);
    if (!some) return some;
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
  if (databases.size() > 1) {
    std::sort(all.begin(), all.end(),
              [](const RunRecord& a, const RunRecord& b) { return std::tie(a.start_utc, a.id) > std::tie(b.start_utc, b.id); });
    if (filter.limit != 0 && all.size() > filter.limit) all.resize(filter.limit);
  }
  return all;
}

Result<RunRecord> Ledger::get(std::string_view id_or_part) const {
  std::vector<RunKey> keys;
  const auto databases = impl_->databases();
  for (Database* d : databases) {
    auto record = read_record(*d, std::string(id_or_part));  // the usual case: a whole id
    if (!record) return tl::unexpected(std::move(record.error()));
    if (*record) return std::move(**record);
    auto some = read_keys(*d);
    if (!some) return tl::unexpected(std::move(some.error()));
    keys.insert(keys.end(), some->begin(), some->end());
  }
  if (databases.size() > 1) std::sort(keys.begin(), keys.end(), std::greater<>());
  std::vector<std::string> ids;
  ids.reserve(keys.size());
  for (RunKey& key : keys) ids.push_back(std::move(key.id));
  auto id = select_run(id_or_part, ids);
  if (!id) {
    id.error().where = impl_->own_path.string();
    return tl::unexpected(std::move(id.error()));
  }
  for (Database* d : databases) {
    auto record = read_record(*d, *id);
    if (!record) return tl::unexpected(std::move(record.error()));
    if (*record) return std::move(**record);
  }
  return no_such_run(*id);
}

Result<std::vector<Channel>> Ledger::channels(const std::string& id) const {
  return impl_->holder(id).and_then([&](Database* d) { return read_channels(*d, id); });
}

Result<std::vector<Interval>> Ledger::intervals(const std::string& id) const {
  return impl_->holder(id).and_then([&](Database* d) { return read_intervals(*d, id); });
}

Result<void> Ledger::set_tags(const std::string& id, const std::map<std::string, std::string>& tags) {
  return impl_->writable_holder(id).and_then([&](Database* d) { return replace_tags(*d, id, tags); });
}

Result<void> Ledger::remove(const std::string& id) {
  const auto found = impl_->writable_holder(id);
  if (!found) return tl::unexpected(found.error());
  const auto running = read_running(**found, impl_->surroundings.host);
  if (!running) return tl::unexpected(running.error());
  for (const RunningRow& row : *running) {
    if (row.id != id || !impl_->surroundings.is_alive(row.owner)) continue;
    return fail("run " + id + " is still being measured by process " + std::to_string(row.owner.pid), (*found)->path().string(),
                "end it first", Error::Kind::usage);
  }
  return delete_run(**found, id);
}

const std::filesystem::path& Ledger::path() const { return impl_->own_path; }

const std::vector<Error>& Ledger::skipped() const {
  (void)impl_->databases();
  return impl_->skipped;
}

std::filesystem::path default_path() {
  if (const auto chosen = environment("GRAMWATT_LEDGER")) return *chosen;
  return xdg_data_home() / "gramwatt" / "ledger.db";
}

}  // namespace gramwatt::ledger
