#include "ledger/selection.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace gramwatt::ledger {
namespace {

constexpr std::size_t kShortestSuffix = 4;
constexpr std::size_t kMostListed = 5;
/// Near matches are sought among the newest only, so that a typo in a ledger of 100,000 runs is answered at once.
constexpr std::size_t kMostCompared = 1000;

Result<std::string> by_age(std::string_view number, std::string_view word, const std::vector<std::string>& ids) {
  const auto n = parse_number<std::size_t>(number);
  if (!n || *n == 0) {
    return fail("not a run: \"" + std::string(word) + "\"", {}, "@1 is the newest run, @2 the one before it",
                Error::Kind::usage);
  }
  if (*n > ids.size()) {
    return fail("no run " + std::string(word), {},
                ids.empty() ? "the ledger is empty" : "the ledger holds " + std::to_string(ids.size()) + " runs",
                Error::Kind::missing);
  }
  return ids[*n - 1];
}

std::string listed(const std::vector<std::string>& ids) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), kMostListed); ++i) text += (i == 0 ? "" : ", ") + ids[i];
  if (ids.size() > kMostListed) text += " and " + std::to_string(ids.size() - kMostListed) + " more";
  return text;
}

/// Ids whose beginning or end differs from `word` (lower case) by one edit, or two in a long one.
std::vector<std::string> near_matches(const std::string& word, const std::vector<std::string>& ids) {
  std::vector<std::string> near;
  const std::size_t allowed = word.size() >= 8 ? 2 : 1;
  for (std::size_t i = 0; i < std::min(ids.size(), kMostCompared); ++i) {
    const std::string id = lower(ids[i]);
    const std::size_t length = std::min(word.size(), id.size());
    if (edit_distance(word, id.substr(0, length)) <= allowed || edit_distance(word, id.substr(id.size() - length)) <= allowed) {
      near.push_back(ids[i]);
    }
  }
  return near;
}

}  // namespace

Result<std::string> select_run(std::string_view word, const std::vector<std::string>& ids) {
  if (word.empty()) return fail("no run named", {}, "give a run's id, a part of it, or \"last\"", Error::Kind::usage);
  if (word == "last") return by_age("1", word, ids);
  if (word.front() == '@') return by_age(word.substr(1), word, ids);

  const std::string wanted = lower(word);
  std::vector<std::string> fitting;
  for (const std::string& original : ids) {
    const std::string id = lower(original);
    if (id == wanted) return original;
    if (id.starts_with(wanted) || (wanted.size() >= kShortestSuffix && id.ends_with(wanted))) fitting.push_back(original);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.size() > 1) {
    return fail("\"" + std::string(word) + "\" fits " + std::to_string(fitting.size()) + " runs", {},
                "give more of the id: " + listed(fitting), Error::Kind::usage);
  }
  const auto near = near_matches(wanted, ids);
  return fail("no run \"" + std::string(word) + "\"", {},
              near.empty() ? "`gramwatt runs` lists them" : "did you mean " + listed(near) + "?", Error::Kind::missing);
}

}  // namespace gramwatt::ledger
