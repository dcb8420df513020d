#include "meter/process_books.hpp"

#include <algorithm>
#include <utility>

namespace gramwatt::meter {
namespace {

constexpr int kDeepest = 200;  // of a chain of parents; a hostile look could hold a cycle

bool holds(const std::vector<pid_t>& list, pid_t pid) { return std::find(list.begin(), list.end(), pid) != list.end(); }

}  // namespace

void ProcessBooks::follow(pid_t root) { roots_.push_back(root); }

bool ProcessBooks::belongs(const ProcessLook& l) const {
  if (look_ == 1 && holds(roots_, l.pid)) return true;  // later, it is somebody else with that number
  if (const auto parent = entries_.find(l.parent); parent != entries_.end() && parent->second.member) return true;
  return l.session != l.pid && holds(member_sessions_, l.session);
}

void ProcessBooks::enter(const ProcessLook& l) {
  auto [at, inserted] = entries_.try_emplace(l.pid);
  Entry& e = at->second;
  if (!inserted && e.last.start_ticks != l.start_ticks) {  // somebody else has this number now
    replaced_.push_back(std::exchange(e, Entry{}));
    inserted = true;
  }
  e.newborn = inserted && look_ > 1;
  e.fresh = {};
  e.growth = {};
  if (!inserted) {
    e.fresh = std::max(Nanoseconds{0}, l.self - e.last.self);
    e.growth = std::max(Nanoseconds{0}, l.reaped - e.last.reaped);
  } else if (look_ > 1) {
    e.fresh = l.self;
    e.growth = l.reaped;
  }
  e.last = l;
  e.seen = look_;
}

/// Its parent. One that began after its child is somebody else with that number: then the one before, if it went just now.
ProcessBooks::Entry* ProcessBooks::above(const Entry& e) {
  if (e.last.parent == e.last.pid) return nullptr;
  const auto fits = [&](const Entry& p) { return p.last.pid == e.last.parent && p.last.start_ticks <= e.last.start_ticks; };
  if (const auto at = entries_.find(e.last.parent); at != entries_.end() && fits(at->second)) return &at->second;
  const auto old = std::find_if(replaced_.begin(), replaced_.end(), fits);
  return old == replaced_.end() ? nullptr : &*old;
}

/// What `gone` was last seen with is owed by the nearest ancestor that is still there.
void ProcessBooks::owe(const Entry& gone) {
  const Nanoseconds all = gone.last.self + gone.last.reaped + gone.owed + gone.owed_above + gone.owed_before;
  Entry* heir = above(gone);
  // Its parent, still there, has waited for it; else that may have been anybody above, a parent that ended since included.
  const bool direct = heir != nullptr && heir->seen == look_ && !heir->last.zombie;
  for (int i = 0; heir != nullptr && heir->seen != look_ && i < kDeepest; ++i) heir = above(*heir);
  if (heir == nullptr || heir->seen != look_) return;
  (direct ? heir->owed : heir->owed_above) += all;
}

void ProcessBooks::bury() {
  gone_.clear();
  for (const auto& [pid, e] : entries_) {
    if (e.seen != look_) gone_.push_back(pid);
  }
  if (gone_.empty() && replaced_.empty()) return;
  for (const Entry& e : replaced_) owe(e);
  for (const pid_t pid : gone_) owe(entries_.at(pid));
  for (auto& [pid, e] : entries_) {  // whoever lost its parent: until the next look tells, its ancestors stand in
    for (int i = 0; e.seen == look_ && i < kDeepest; ++i) {
      const Entry* parent = above(e);
      if (parent == nullptr || parent->seen == look_) break;
      e.last.parent = parent->last.parent;
    }
  }
  for (const pid_t pid : gone_) entries_.erase(pid);
  replaced_.clear();
}

Nanoseconds ProcessBooks::pay(Nanoseconds owed, Entry& by) {
  const Nanoseconds paid = std::min(owed, by.growth);
  by.growth -= paid;
  return owed - paid;
}

void ProcessBooks::settle() {
  for (auto& [pid, e] : entries_) {
    const Nanoseconds owed = pay(e.owed + e.owed_before, e);
    // What is as old as the look before is forgotten, but for what `reaped` is too coarse to show.
    e.owed_before = std::min(owed, std::max(e.owed, slack_));
    e.owed = {};
  }
  for (auto& [pid, e] : entries_) {
    Entry* paid = &e;  // whose `reaped` was too coarse to show the rest
    Entry* payer = &e;
    for (int i = 0; e.owed_above > Nanoseconds{0} && payer != nullptr && i < kDeepest; ++i, payer = above(*payer)) {
      if (payer->growth > Nanoseconds{0}) paid = payer;
      e.owed_above = pay(e.owed_above, *payer);
    }
    paid->owed_before += std::exchange(e.owed_above, Nanoseconds{0});
  }
  for (auto& [pid, e] : entries_) {
    e.fresh += e.growth;
    e.used += e.fresh;
  }
}

/// Parents first, whatever the order of the look: a generation a round.
void ProcessBooks::find_members(std::span<const ProcessLook> look) {
  for (bool grew = true; grew;) {
    grew = false;
    for (const ProcessLook& l : look) {
      Entry& e = entries_.at(l.pid);
      if (!e.member && (look_ == 1 || e.newborn) && belongs(l)) e.member = grew = true;
      if (!e.member || l.session != l.pid || holds(member_sessions_, l.pid)) continue;
      member_sessions_.push_back(l.pid);
      grew = true;
    }
  }
}

void ProcessBooks::take(std::span<const ProcessLook> look) {
  ++look_;
  for (const ProcessLook& l : look) enter(l);
  bury();
  settle();
  if (roots_.empty()) return;
  find_members(look);
  for (const auto& [pid, e] : entries_) {
    if (e.member) members_used_ += e.fresh;
  }
}

}  // namespace gramwatt::meter
