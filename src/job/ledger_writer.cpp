#include "job/ledger_writer.hpp"

#include <chrono>

namespace gramwatt::job {

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
  if (intervals.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (Interval& i : intervals) waiting_.push_back(std::move(i));
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
      note(ledger->begin(record, channels_));
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
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      batch.swap(waiting_);
      ending = ending_;
    }
    if (ledger && !batch.empty()) note(ledger->append(record.id, batch));
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
