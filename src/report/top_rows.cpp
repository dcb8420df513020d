// Who is in which row. A group is a session (what was started from one terminal or as one daemon: setsid(2)), a cgroup, or,
// when the list is flat, every process by itself. Kernel threads have no
// session and are one group.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "report/top.hpp"

namespace gramwatt::report {
namespace {

struct Group {
  std::vector<const TopProcess*> members;
  TopRow row;
};

/// kthreadd is number 2 and the parent of all kernel threads.
bool is_kernel(const TopProcess& p) { return p.session == 0 && (p.pid == 2 || p.parent == 2); }

std::string key_of(const TopProcess& p, TopGrouping grouping) {
  switch (grouping) {
    case TopGrouping::tree:
      if (is_kernel(p)) return "kernel";
      return p.session == 0 ? fmt::format("p{}", p.pid) : fmt::format("s{}", p.session);
    case TopGrouping::cgroup: return "c" + p.cgroup;
    case TopGrouping::flat: break;
  }
  return fmt::format("p{}", p.pid);
}

/// What is not printable ASCII could move the cursor or take two columns.
std::string shown(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    if (c < 0x20 || c == 0x7F) c = static_cast<unsigned char>(c) >= 0x80 ? '?' : ' ';
  }
  return out;
}

/// The words of a command without the folder of the program.
std::string title(const TopProcess& p) {
  if (p.command.empty()) return shown(p.name);
  const std::string first = p.command.substr(0, p.command.find(' '));
  const auto slash = first.rfind('/');
  if (slash == std::string::npos || first.front() != '/' || slash + 1 == first.size()) return shown(p.command);
  return shown(p.command.substr(slash + 1));
}

TopRow row_of(const TopProcess& p, int depth) {
  TopRow r;
  r.key = fmt::format("p{}", p.pid);
  r.depth = depth;
  r.pid = p.pid;
  r.user = p.user;
  r.what = title(p);
  r.part_of = shown(p.part_of);
  r.cores = p.cores;
  r.power = p.power;
  r.energy = p.energy;
  return r;
}

/// Larger first, but for numbers; equals by number, so that the list does not dance.
bool before(const TopRow& a, const TopRow& b, TopSort sort) {
  const auto rank = [&](const TopRow& r) {
    switch (sort) {
      case TopSort::power: return r.power.value();
      case TopSort::energy: return r.energy.value();
      case TopSort::cpu: return r.cores;
      case TopSort::pid: break;
    }
    return 0.0;
  };
  const double x = rank(a), y = rank(b);
  return x != y ? x > y : a.pid < b.pid;
}

void sum_up(Group& g, TopGrouping grouping) {
  const auto eldest = [&](const TopProcess* a, const TopProcess* b) {
    // The leader of the session; if it has ended, whoever is oldest by number.
    const bool x = a->pid == a->session, y = b->pid == b->session;
    return x != y ? x : a->pid < b->pid;
  };
  const TopProcess& head = **std::min_element(g.members.begin(), g.members.end(), eldest);
  TopRow& r = g.row;
  r.group = true;
  r.count = g.members.size();
  r.pid = head.pid;
  r.user = head.user;
  r.part_of = shown(head.part_of);
  r.what = title(head);
  if (grouping == TopGrouping::cgroup) r.what = r.part_of.empty() ? shown(head.cgroup) : r.part_of;
  if (grouping == TopGrouping::tree && is_kernel(head)) r.what = "kernel threads";
  for (const TopProcess* p : g.members) {
    r.cores += p->cores;
    r.power += p->power;
    r.energy += p->energy;
    if (p->user != r.user) r.user = "*";
    if (shown(p->part_of) != r.part_of) r.part_of = "*";
  }
}

/// Processes of a group, children below their parents.
void unfold(const Group& g, TopSort sort, std::vector<TopRow>& out) {
  std::map<pid_t, std::vector<TopRow>> below;
  std::map<pid_t, const TopProcess*> members;
  for (const TopProcess* p : g.members) members[p->pid] = p;
  for (const TopProcess* p : g.members) {
    const bool inside = p->parent != p->pid && members.contains(p->parent);
    below[inside ? p->parent : 0].push_back(row_of(*p, 1));
  }
  for (auto& [parent, rows] : below)
    std::sort(rows.begin(), rows.end(), [&](const TopRow& a, const TopRow& b) { return before(a, b, sort); });
  // Depth first, without recursion: a chain of parents may be long.
  std::vector<TopRow> stack(below[0].rbegin(), below[0].rend());
  while (!stack.empty()) {
    TopRow row = std::move(stack.back());
    stack.pop_back();
    if (const auto children = below.find(row.pid); children != below.end() && row.pid != 0) {
      std::reverse(children->second.begin(), children->second.end());
      for (TopRow& child : children->second) {
        child.depth = row.depth + 1;
        stack.push_back(std::move(child));
      }
      below.erase(children);
    }
    out.push_back(std::move(row));
  }
}

}  // namespace

std::string_view to_string(TopSort s) {
  switch (s) {
    case TopSort::power: return "power";
    case TopSort::energy: return "energy";
    case TopSort::cpu: return "cpu";
    case TopSort::pid: break;
  }
  return "pid";
}

std::string_view to_string(TopGrouping g) {
  switch (g) {
    case TopGrouping::tree: return "tree";
    case TopGrouping::cgroup: return "cgroup";
    case TopGrouping::flat: break;
  }
  return "flat";
}

std::vector<TopRow> top_rows(const TopState& state, const TopView& view) {
  std::map<std::string, Group> groups;
  for (const TopProcess& p : state.processes) groups[key_of(p, view.grouping)].members.push_back(&p);
  std::vector<const Group*> order;
  for (auto& [key, g] : groups) {
    if (g.members.size() == 1 && view.grouping != TopGrouping::cgroup) g.row = row_of(*g.members.front(), 0);
    else sum_up(g, view.grouping);
    g.row.key = key;
    g.row.open = g.row.group && view.open.contains(key);
    order.push_back(&g);
  }
  std::sort(order.begin(), order.end(), [&](const Group* a, const Group* b) { return before(a->row, b->row, view.sort); });
  std::vector<TopRow> rows;
  for (const Group* g : order) {
    rows.push_back(g->row);
    if (g->row.open) unfold(*g, view.sort, rows);
  }
  return rows;
}

void top_move(const std::vector<TopRow>& rows, TopView& view, long by, std::size_t room) {
  if (rows.empty()) return;
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const TopRow& r) { return r.key == view.selected; });
  const long now = at == rows.end() ? 0 : at - rows.begin();
  const long last = static_cast<long>(rows.size()) - 1;
  const long to = std::clamp(now + by, 0L, last);
  // The first row stays what is first: a list that is sorted anew should not drag the mark along before it was ever moved.
  view.selected = by == 0 && view.selected.empty() ? "" : rows[static_cast<std::size_t>(to)].key;
  const auto marked = static_cast<std::size_t>(to);
  const std::size_t fit = std::max<std::size_t>(1, room);
  view.first = std::min(view.first, marked);
  if (marked >= view.first + fit) view.first = marked + 1 - fit;
  view.first = std::min(view.first, rows.size() > fit ? rows.size() - fit : 0);
}

}  // namespace gramwatt::report
