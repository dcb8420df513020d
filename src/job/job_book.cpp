#include "job/job_book.hpp"

#include <utility>

namespace gramwatt::job {

bool JobBook::enter(ledger::JobState state, std::string what, std::string why) {
  const Nanoseconds now = clock_.now().utc;
  if (job.state != state || job.since == Nanoseconds{0}) job.since = now;
  job.state = state;
  job.why = why;
  return write({now, std::move(what), std::move(why)});
}

void JobBook::update() { (void)write({}); }

bool JobBook::write(const ledger::JobEvent& event) {
  if (!path_) return true;
  const auto remember = [this](Error e) {
    if (!problem_) problem_ = std::move(e);
    return false;
  };
  if (!ledger_) {
    auto opened = ledger::Ledger::open(*path_);
    if (!opened) return remember(std::move(opened.error()));
    ledger_ = std::move(*opened);
  }
  const auto written = ledger_->write_job(job, event);
  return written ? true : remember(written.error());
}

std::vector<ledger::JobRecord> JobBook::others() const {
  if (!ledger_) return {};
  auto all = ledger_->jobs();
  if (!all) return {};
  std::erase_if(*all, [this](const ledger::JobRecord& j) { return j.id == job.id || !j.alive; });
  return std::move(*all);
}

}  // namespace gramwatt::job
