#include "grid/provider_http.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include <fmt/format.h>

#include "base/text.hpp"
#include "grid/provider_json.hpp"

namespace gramwatt::grid {
namespace {

// Answers are tables of a month to a quarter; the longest (ENTSO-E, 90 days of quarter hours for 20 fuels) has about 12 MB.
constexpr std::size_t kBodyLimit = std::size_t{32} << 20U;
constexpr std::chrono::milliseconds kFirstWait{500};
// A clock that is further off than this would move energy into the wrong slot of a five-minute signal.
constexpr std::chrono::seconds kClockTolerance{60};

bool is_passing(const Ask& ask, const net::Response& answer) {
  if (answer.status == 200) return !ask.may_be_void && trim(answer.body) == "{}";
  return answer.status == 429 || answer.status >= 500;
}

/// The authority of an address, for people: a path may be an account's own.
std::string host_of(const std::string& url) {
  const auto parts = net::parse_url(url);
  return parts ? parts->host : std::string();
}

std::string without(std::string text, std::string_view secret) {
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
    text.replace(at, secret.size(), "***");
  return text;
}

}  // namespace

Service::Service(Identity identity, ProviderSettings settings)
    : identity_(std::move(identity)), settings_(std::move(settings)) {
  if (settings_.base_url.empty()) settings_.base_url = identity_.default_url;
  while (settings_.base_url.ends_with('/')) settings_.base_url.pop_back();
}

std::string Service::secret(const std::string& name) const {
  const auto it = settings_.secrets.find(name);
  return it == settings_.secrets.end() ? std::string() : it->second;
}

Nanoseconds Service::now() const { return settings_.now ? settings_.now() : SystemClock{}.now().utc; }

std::string Service::clean(std::string_view text) const {
  std::string out(text);
  for (const auto& [name, value] : settings_.secrets) {
    if (value.empty() || name == "user") continue;
    out = without(std::move(out), value);
    out = without(std::move(out), percent_encoded(value));
  }
  std::string line;
  for (const char c : out) {
    const bool printable = static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
    if (printable) line += c;
    else if (!line.ends_with(' ')) line += ' ';
  }
  constexpr std::size_t kLength = 200;
  if (line.size() > kLength) {
    std::size_t cut = kLength;
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0U) == 0x80U) --cut;  // not inside a character
    line = line.substr(0, cut) + "…";
  }
  return std::string(trim(line));
}

Error Service::odd(std::string_view what) const {
  return {"odd answer: " + clean(what), identity_.title, "try again later; if it stays so, its interface has changed",
          Error::Kind::unavailable};
}
Error Service::usage(std::string what, std::string remedy) const {
  return {std::move(what), identity_.title, std::move(remedy), Error::Kind::usage};
}
Error Service::unavailable(std::string_view what, std::string remedy) const {
  return {clean(what), identity_.title, std::move(remedy), Error::Kind::unavailable};
}

Error Service::refusal(const net::Response& answer) const {
  const std::string words = clean(message_in(answer.body));
  std::string what =
      words.empty() ? fmt::format("status {}", answer.status) : fmt::format("status {}: {}", answer.status, words);
  if (answer.status == 401 || answer.status == 403) return unavailable("refuses: " + what, identity_.key_remedy);
  if (answer.status == 429) return unavailable("asked too often: " + what, "ask again later");
  if (answer.status >= 500) return unavailable("fails: " + what, "try again later");
  if (answer.status >= 300 && answer.status < 400)
    return unavailable("moved: " + what, "check its address in the configuration");
  return unavailable("refuses: " + what);
}

net::Request Service::request_for(const Ask& ask) const {
  net::Request request;
  request.url = settings_.base_url + ask.path;
  char separator = '?';
  for (const auto& [name, value] : ask.query) {
    request.url += separator + percent_encoded(name) + '=' + percent_encoded(value);
    separator = '&';
  }
  request.headers = ask.headers;
  request.headers.emplace_back("Accept", "*/*");
  request.headers.emplace_back("User-Agent", "gramwatt");
  request.deadline = settings_.deadline * ask.patience;
  request.body_limit = kBodyLimit;
  return request;
}

void Service::look_at_clock(const net::Response& answer) {
  const auto date = answer.header("Date");
  const auto theirs = date ? parse_http_date(*date) : std::nullopt;
  if (!theirs) return;
  const Nanoseconds lead = now() - *theirs;
  lead_ = std::chrono::abs(lead) > kClockTolerance ? std::optional(lead) : std::nullopt;
}

void Service::wait(std::chrono::milliseconds time) const {
  if (settings_.wait) settings_.wait(time);
  else std::this_thread::sleep_for(time);
}

Result<net::Response> Service::ask(const Ask& ask) {
  const net::Request request = request_for(ask);
  std::chrono::milliseconds pause = kFirstWait;
  for (int tries = 1;; ++tries) {
    auto answer = net::http_request(request);
    Error why;
    if (answer) {
      look_at_clock(*answer);
      if (!is_passing(ask, *answer)) return answer;
      why = answer->status == 200 ? odd("nothing in it") : refusal(*answer);
    } else {
      // The address, which an Error of net names, may hold a key.
      why = unavailable(answer.error().what + " (" + host_of(request.url) + ")", answer.error().remedy);
      const bool lasting = answer.error().kind == Error::Kind::usage || !answer.error().remedy.empty() ||
                           contains(why.what, "too long") || contains(why.what, "body limit");
      if (lasting) return tl::unexpected(why);
    }
    if (tries >= settings_.tries) return tl::unexpected(why);
    const auto asked = answer ? answer->header("Retry-After") : std::nullopt;
    const auto theirs = asked ? parse_retry_after(*asked, now() - lead_.value_or(Nanoseconds{0})) : std::nullopt;
    if (theirs && *theirs > kLongestWait) {
      why.remedy = fmt::format("it asks to wait {}", human_duration(seconds(*theirs)));
      return tl::unexpected(why);
    }
    wait(theirs ? std::max(*theirs, pause) : pause);
    pause *= 2;
  }
}

Result<std::string> Service::fetch(const Ask& ask) {
  auto answer = this->ask(ask);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status != 200) return tl::unexpected(refusal(*answer));
  return std::move(answer->body);
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '_' || c == '.' || c == '~';
    if (unreserved) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

std::optional<Nanoseconds> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  // "Wed, 21 Oct 2015 07:28:00 GMT", rearranged so that the one parser of times reads it.
  text = trim(text);
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end() || text[7] != ' ' || text[11] != ' ' || text[16] != ' ') return std::nullopt;
  return parse_iso8601(
      fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month - kMonths.begin() + 1, text.substr(5, 2), text.substr(17, 8)));
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, Nanoseconds now) {
  if (const auto count = parse_number<std::uint32_t>(text)) return std::chrono::seconds(*count);
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::max(std::chrono::milliseconds{0}, std::chrono::ceil<std::chrono::milliseconds>(*date - now));
}

}  // namespace gramwatt::grid
