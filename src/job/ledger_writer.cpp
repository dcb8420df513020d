#include "job/ledger_writer.hpp"

#include <chrono>

namespace gramwatt::job {
namespace {

/// A minute: the blob that a commit writes is then full.
constexpr std::size_t kIntervalsACommit = 60;

}  // namespace

LedgerWriter::LedgerWriter(std::optional<std::filesystem::path> path, std::vector<Channel> channels,
                           std::function<ledger::RunRecord()> prepare)
    : path_(std::move(path)), channels_(std::move(channels)), prepare_(std::move(prepare)), thread_([this] { work(); }) {}

LedgerWriter::~LedgerWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LedgerWriter::push(std::vector<Interval> intervals) {
  if (intervals.empty() || !path_) return;  // without a ledger nobody waits for them, and nobody need wake
  {
    const std::lock_guard lock(mutex_);
    if (tail_ && committed_) tail_->forget(*committed_);
    committed_.reset();
    bool kept = tail_.has_value();
    for (Interval& i : intervals) {
      kept = kept && tail_->push(i);
      waiting_.push_back(std::move(i));
    }
    commit_now_ = commit_now_ || !kept || waiting_.size() >= kIntervalsACommit;
    if (!commit_now_) return;
  }
  changed_.notify_all();
}

const ledger::RunRecord& LedgerWriter::begun() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return begun_.has_value(); });
  return *begun_;
}

bool LedgerWriter::has_begun() {
  const std::lock_guard lock(mutex_);
  return begun_.has_value();
}

std::optional<Error> LedgerWriter::finish(const ledger::RunRecord& record) {
  {
    const std::lock_guard lock(mutex_);
    finished_ = record;
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
  return error_;
}

void LedgerWriter::note(const Result<void>& result) {
  const std::lock_guard lock(mutex_);
  if (!result && !error_) error_ = result.error();
}

void LedgerWriter::work() {
  ledger::RunRecord record = prepare_();
  {
    const std::lock_guard lock(mutex_);
    begun_ = record;
  }
  changed_.notify_all();

  std::optional<ledger::Ledger> ledger;
  if (path_) {
    if (auto opened = ledger::Ledger::open(*path_)) {
      ledger = std::move(*opened);
      if (const auto row = ledger->begin(record, channels_)) {
        const std::lock_guard lock(mutex_);
        tail_ = ledger->open_tail(record.id, channels_.size());
        commit_now_ = !waiting_.empty();  // what closed before is not in the tail
      } else {
        note(row);
      }
    } else {
      note(tl::unexpected(opened.error()));
    }
  }
  auto last_sync = std::chrono::steady_clock::now();
  for (;;) {
    std::vector<Interval> batch;
    bool ending = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || commit_now_; });
      batch.swap(waiting_);
      commit_now_ = false;
      ending = ending_;
    }
    if (ledger && !batch.empty()) {
      const auto done = ledger->append(record.id, batch);
      note(done);
      const std::lock_guard lock(mutex_);
      if (done) committed_ = batch.back().end.monotonic;
    }
    if (ending) break;
    // A power cut may cost the last minute, never more.
    if (const auto now = std::chrono::steady_clock::now(); ledger && now - last_sync > std::chrono::minutes(1)) {
      note(ledger->sync());
      last_sync = now;
    }
  }
  if (ledger && finished_) note(ledger->finish(*finished_));
}

}  // namespace gramwatt::job
