// N CPUs and a queue: first come, first served, and those behind go ahead only where they do not move the first.
//
// Lengths are known here (a simulation knows them), so the moment at which the first in the queue will have its CPUs is known
// as soon as it is the first: when enough of those that run have ended. Until then a smaller one may start if it has ended by
// then, or if it takes only CPUs that will be left over. The queue is a tree over places in it, each node with the fewest CPUs
// and the shortest time below it, so that who may go ahead is found without walking the queue.

#include <algorithm>
#include <limits>
#include <queue>
#include <set>
#include <utility>

#include "plan/cluster.hpp"

namespace gramwatt::plan {
namespace {

using Job = std::uint32_t;
constexpr std::size_t kNobody = SIZE_MAX;

/// The fewest CPUs and the shortest time of those who wait below a node of the tree; the default: nobody does.
struct Node {
  std::int32_t cpus = std::numeric_limits<std::int32_t>::max();
  Second length = kNoEnd;
};

/// Who waits, in order of arrival in the queue.
class Line {
 public:
  /// `most`: that will ever stand in it.
  explicit Line(std::size_t most) {
    while (leaves_ < most) leaves_ *= 2;
    nodes_.resize(2 * leaves_);
    jobs_.resize(most);
  }

  [[nodiscard]] bool empty() const { return waiting_ == 0; }
  [[nodiscard]] Job job(std::size_t place) const { return jobs_[place]; }
  void push(Job job, std::int32_t cpus, Second length) {
    jobs_[next_] = job;
    set(next_++, {cpus, length});
    ++waiting_;
  }
  void remove(std::size_t place) {
    set(place, Node{});
    --waiting_;
    while (front_ < next_ && nodes_[leaves_ + front_].cpus == Node{}.cpus) ++front_;
  }
  [[nodiscard]] std::size_t front() const { return front_; }
  void set_length(std::size_t place, Second length) { set(place, {nodes_[leaves_ + place].cpus, length}); }

  /// What may start: at most `spare` CPUs, or at most `free` CPUs for at most `time`.
  struct Room {
    std::int64_t spare = 0, free = 0;
    Second time = 0;
  };
  /// The first at or behind `place` that fits.
  [[nodiscard]] std::size_t first_fit(std::size_t place, const Room& room) const {
    return next_ == 0 ? kNobody : find(1, 0, leaves_, place, room);
  }

 private:
  static bool fits(const Node& n, const Room& r) { return n.cpus <= r.spare || (n.cpus <= r.free && n.length <= r.time); }

  void set(std::size_t place, Node node) {
    std::size_t i = leaves_ + place;
    nodes_[i] = node;
    for (i /= 2; i > 0; i /= 2) {
      nodes_[i] = {std::min(nodes_[2 * i].cpus, nodes_[2 * i + 1].cpus),
                   std::min(nodes_[2 * i].length, nodes_[2 * i + 1].length)};
    }
  }

  [[nodiscard]] std::size_t find(std::size_t node, std::size_t begin, std::size_t end, std::size_t place,
                                 const Room& room) const {
    if (end <= place || begin >= next_ || !fits(nodes_[node], room)) return kNobody;
    if (end - begin == 1) return begin;
    const std::size_t middle = begin + (end - begin) / 2;
    const std::size_t left = find(2 * node, begin, middle, place, room);
    return left != kNobody ? left : find(2 * node + 1, middle, end, place, room);
  }

  std::size_t leaves_ = 1, next_ = 0, front_ = 0, waiting_ = 0;
  std::vector<Node> nodes_;
  std::vector<Job> jobs_;
};

class Cluster {
 public:
  Cluster(std::span<const TracedJob> jobs, const Timetable& planned, std::int32_t cpus)
      : jobs_(jobs),
        planned_(planned),
        line_(planned.runs.size()),
        free_(cpus),
        piece_(jobs.size()),
        done_(planned.runs.size()) {}

  Timetable run() {
    std::vector<Job> order(jobs_.size());
    for (std::size_t j = 0; j < order.size(); ++j) order[j] = static_cast<Job>(j);
    std::stable_sort(order.begin(), order.end(), [&](Job a, Job b) { return first_begin(a) < first_begin(b); });
    std::size_t fresh = 0;
    for (;;) {
      Second t = kNoEnd;
      if (!running_.empty()) t = running_.begin()->first;
      if (fresh < order.size()) t = std::min(t, first_begin(order[fresh]));
      if (!paused_.empty()) t = std::min(t, paused_.top().first);
      if (t == kNoEnd) break;
      while (!running_.empty() && running_.begin()->first == t) end_of(running_.begin()->second);
      for (; fresh < order.size() && first_begin(order[fresh]) == t; ++fresh) stand(order[fresh]);
      for (; !paused_.empty() && paused_.top().first == t; paused_.pop()) stand(paused_.top().second);
      serve(t);
    }
    return collected();
  }

 private:
  using Event = std::pair<Second, Job>;

  [[nodiscard]] Second first_begin(Job j) const { return planned_.runs[planned_.first[j]].begin; }
  [[nodiscard]] std::int32_t cpus(Job j) const { return jobs_[j].cpus; }

  void end_of(Job j) {
    running_.erase(running_.begin());
    free_ += cpus(j);
    if (piece_[j] < planned_.of(j).size()) paused_.emplace(planned_.of(j)[piece_[j]].begin, j);
  }

  void stand(Job j) {
    const Stretch& next = planned_.of(j)[piece_[j]];
    line_.push(j, cpus(j), next.end - next.begin);
  }

  /// How long it runs when its next piece starts at t: into those whose time has come before it ends.
  [[nodiscard]] std::pair<Second, std::size_t> length_at(Job j, Second t) const {
    const auto all = planned_.of(j);
    std::size_t i = piece_[j];
    Second end = t;
    do {
      end += all[i].end - all[i].begin;
      ++i;
    } while (i < all.size() && all[i].begin <= end);
    return {end - t, i};
  }

  void start(std::size_t place, Second t) {
    const Job j = line_.job(place);
    line_.remove(place);
    const auto [length, next] = length_at(j, t);
    done_[planned_.first[j] + piece_[j]] = {t, t + length};
    piece_[j] = next;
    free_ -= cpus(j);
    running_.insert({t + length, j});
  }

  void serve(Second t) {
    while (!line_.empty() && cpus(line_.job(line_.front())) <= free_) start(line_.front(), t);
    if (line_.empty() || free_ == 0) return;
    if (line_.front() != reserved_for_) reserve();
    for (std::size_t at = line_.front() + 1;;) {
      at = line_.first_fit(at, {std::min(spare_, free_), free_, reserved_at_ - t});
      if (at == kNobody) return;
      const Second length = length_at(line_.job(at), t).first;
      const bool late = t + length > reserved_at_;
      if (late && cpus(line_.job(at)) > spare_) {  // it has grown since it stood in line
        line_.set_length(at, length);
        continue;
      }
      if (late) spare_ -= cpus(line_.job(at));
      start(at, t);
    }
  }

  /// For the first in the line, who does not fit yet.
  void reserve() {
    reserved_for_ = line_.front();
    const std::int64_t needed = cpus(line_.job(reserved_for_));
    std::int64_t then = free_;
    for (const auto& [end, job] : running_) {
      if (then >= needed && end != reserved_at_) break;
      then += cpus(job);
      reserved_at_ = end;
    }
    spare_ = then - needed;
  }

  [[nodiscard]] Timetable collected() const {
    Timetable out;
    out.first.reserve(jobs_.size() + 1);
    for (std::size_t j = 0; j < jobs_.size(); ++j) {
      for (std::size_t i = planned_.first[j]; i < planned_.first[j + 1]; ++i) {
        if (done_[i].end > 0) out.runs.push_back(done_[i]);
      }
      out.first.push_back(out.runs.size());
    }
    return out;
  }

  std::span<const TracedJob> jobs_;
  const Timetable& planned_;
  Line line_;
  std::int64_t free_;
  std::vector<std::size_t> piece_;  ///< by job: the next one to start
  std::vector<Stretch> done_;       ///< by piece that began a run; {} for those that were run on into
  std::set<Event> running_;         ///< by end
  std::priority_queue<Event, std::vector<Event>, std::greater<>> paused_;  ///< by the begin of the next piece
  std::size_t reserved_for_ = kNobody;
  Second reserved_at_ = 0;
  std::int64_t spare_ = 0;  ///< CPUs that are left over at reserved_at_
};

}  // namespace

Timetable queue(std::span<const TracedJob> jobs, const Timetable& planned, std::int32_t cpus) {
  return Cluster(jobs, planned, cpus).run();
}

}  // namespace gramwatt::plan
