#include "meter/workload.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace gramwatt::meter {
namespace {

constexpr std::size_t kIdLength = 64;     // a SHA-256, which every OCI runtime's ids look like
constexpr std::size_t kShownDigits = 12;  // what `docker ps` and `podman ps` show

bool is_hex(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool is_id(std::string_view s) { return s.size() == kIdLength && is_hex(s); }

std::string_view without(std::string_view s, std::string_view prefix, std::string_view suffix = {}) {
  if (!s.starts_with(prefix)) return {};
  s.remove_prefix(prefix.size());
  if (!s.ends_with(suffix)) return {};
  s.remove_suffix(suffix.size());
  return s;
}

/// systemd writes bytes that a unit's name may not hold as \xHH (systemd.unit(5)).
std::string unescaped(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    if (s.size() >= 4 && s.starts_with("\\x") && is_hex(s.substr(2, 2))) {
      const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
      out += static_cast<char>(digit(s[2]) * 16 + digit(s[3]));
      s.remove_prefix(4);
    } else {
      out += s.front();
      s.remove_prefix(1);
    }
  }
  return out;
}

/// "pod1234_…" or "pod1234-…" to the UID.
std::string pod_uid(std::string_view s) {
  s = without(s, "pod");
  constexpr std::size_t kUid = 36;  // RFC 4122 text; static pods have 32 hex digits
  const bool looks = (s.size() == kUid || s.size() == 32) &&
                     std::all_of(s.begin(), s.end(), [](char c) { return c == '_' || c == '-' || is_hex({&c, 1}); });
  if (!looks) return {};
  std::string uid(s);
  std::replace(uid.begin(), uid.end(), '_', '-');
  return uid;
}

void take_pod(std::string_view part, Workload& w) {
  if (part.ends_with(".slice")) part.remove_suffix(6);
  if (const auto at = part.rfind("-pod"); at != std::string_view::npos) part.remove_prefix(at + 1);
  if (std::string uid = pod_uid(part); !uid.empty()) w.pod = std::move(uid);
}

void container(std::string_view runtime, std::string_view id, Workload& w) {
  w.kind = Workload::Kind::container;
  w.id = id;
  w.label = std::string(runtime) + " " + std::string(id.substr(0, kShownDigits));
}

/// One part of a path that names a container, if it does.
bool take_container(std::string_view part, std::string_view before, Workload& w) {
  struct Form {
    std::string_view prefix, suffix, runtime;
  };
  constexpr std::array<Form, 6> kForms{{{"docker-", ".scope", "docker"},
                                        {"libpod-", ".scope", "podman"},
                                        {"libpod-", "", "podman"},
                                        {"cri-containerd-", ".scope", "containerd"},
                                        {"crio-", ".scope", "cri-o"},
                                        {"crio-", "", "cri-o"}}};
  for (const Form& f : kForms) {
    if (const auto id = without(part, f.prefix, f.suffix); is_id(id)) return container(f.runtime, id, w), true;
  }
  if (const auto at = part.find(":cri-containerd:"); at != std::string_view::npos) {
    take_pod(part.substr(0, at), w);
    if (const auto id = part.substr(at + 16); is_id(id)) return container("containerd", id, w), true;
  }
  if (!is_id(part)) return false;
  container(before == "docker" ? "docker" : !w.pod.empty() ? "pod container" : "container", part, w);
  return true;
}

bool take_machine(std::string_view part, std::string_view before, Workload& w) {
  std::string_view name = without(part, "lxc.payload.");
  if (name.empty() && before == "lxc") name = part;
  if (name.empty()) name = without(part, "machine-", ".scope");
  if (name.empty()) return false;
  w.kind = Workload::Kind::machine;
  w.id = name;
  w.label = "machine " + unescaped(name);
  return true;
}

bool take_slurm(std::string_view part, Workload& w) {
  if (const auto job = without(part, "job_"); is_digits(job)) {
    w.kind = Workload::Kind::slurm;
    w.id = job;
    w.label = "job " + w.id;
    return true;
  }
  const auto step = without(part, "step_");
  if (w.kind != Workload::Kind::slurm || step.empty() || w.id.find('.') != std::string::npos) return false;
  w.id += "." + std::string(step);
  w.label += " step " + std::string(step);
  return true;
}

void take_unit(std::string_view part, std::string_view before, Workload& w) {
  const auto session = without(part, "session-", ".scope");
  if (session.empty() && !part.ends_with(".service") && !part.ends_with(".scope")) return;
  w.id = part;
  w.kind = session.empty() ? Workload::Kind::service
                           : Workload::Kind::session;  // other scopes: what a desktop or systemd-run starts
  w.label = session.empty() ? unescaped(part) : "session " + std::string(session);
  if (const auto user = without(before, "user-", ".slice"); !session.empty() && is_digits(user))
    w.label += " of user " + std::string(user);
}

/// How much a kind says; a part further down only outranks what says no more than it does.
int rank(Workload::Kind k) {
  switch (k) {
    case Workload::Kind::container: return 4;
    case Workload::Kind::slurm: return 3;
    case Workload::Kind::machine: return 2;
    case Workload::Kind::service:
    case Workload::Kind::session: return 1;
    case Workload::Kind::none: break;
  }
  return 0;
}

Workload workload_of_path(std::string_view path) {
  Workload w;
  std::string_view before;
  for (std::string_view rest = path; !rest.empty();) {
    const auto cut = rest.find('/');
    const std::string_view part = rest.substr(0, cut);
    rest.remove_prefix(cut == std::string_view::npos ? rest.size() : cut + 1);
    if (part.empty()) continue;
    take_pod(part, w);
    const bool named = take_container(part, before, w) || (rank(w.kind) <= 3 && take_slurm(part, w)) ||
                       (rank(w.kind) <= 2 && take_machine(part, before, w));
    if (!named && rank(w.kind) <= 1) take_unit(part, before, w);
    before = part;
  }
  w.path = path.empty() ? "/" : path;
  return w;
}

}  // namespace

Workload workload_from(std::string_view cgroup) {
  Workload best;
  best.path = "/";
  while (const auto line = next_line(cgroup)) {
    // "4:memory:/path", "0::/path"; a path may hold colons itself.
    const auto first = line->find(':');
    const auto second = first == std::string_view::npos ? first : line->find(':', first + 1);
    if (second == std::string_view::npos) continue;
    Workload w = workload_of_path(line->substr(second + 1));
    const bool unified = line->substr(0, second + 1) == "0::";
    // Version 2 comes last in the text, and of equals it is the one that systemd keeps.
    const bool better =
        rank(w.kind) > rank(best.kind) || (rank(w.kind) == rank(best.kind) && w.path != "/" && (best.path == "/" || unified));
    if (better) best = std::move(w);
  }
  return best;
}

}  // namespace gramwatt::meter
