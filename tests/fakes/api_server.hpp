#pragma once
// A carbon service on loopback: requests taken apart, remembered, and answered by a function or by a script in a file.

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "fakes/http_server.hpp"

namespace gramwatt::testing {

struct Call {
  std::string path;
  std::map<std::string, std::string> query;    ///< decoded
  std::map<std::string, std::string> headers;  ///< by small letters

  [[nodiscard]] std::string at(const std::string& name) const {
    const auto it = query.find(name);
    return it == query.end() ? "(none)" : it->second;
  }
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "(none)" : it->second;
  }
};

inline std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

inline Call parse_call(const std::string& head) {
  Call call;
  std::string_view rest = head;
  const auto first = *next_line(rest);
  const std::string_view target = split(first, ' ').at(1);
  call.path = std::string(target.substr(0, target.find('?')));
  if (const auto mark = target.find('?'); mark != std::string_view::npos) {
    for (const auto pair : split(target.substr(mark + 1), '&')) {
      const auto equals = pair.find('=');
      call.query[percent_decoded(pair.substr(0, equals))] = percent_decoded(pair.substr(equals + 1));
    }
  }
  while (const auto line = next_line(rest)) {
    const auto colon = line->find(':');
    if (colon == std::string_view::npos) break;
    call.headers[lower(line->substr(0, colon))] = std::string(trim(line->substr(colon + 1)));
  }
  return call;
}

/// Raw bytes of an answer; `headers`: whole lines with their ends.
inline std::string reply(int status, const std::string& body, const std::string& headers = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

class ApiServer {
 public:
  explicit ApiServer(std::function<std::string(const Call&)> answer)
      : server_([this, answer = std::move(answer)](const std::string& head) {
          const Call call = parse_call(head);
          const std::lock_guard lock(mutex_);
          calls_.push_back(call);
          return answer(call);
        }) {}

  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] std::vector<Call> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Call> calls_;
  HttpServer server_;
};

/// One answer after the other; the last one stays.
inline std::function<std::string(const Call&)> in_turn(std::vector<std::string> answers) {
  return [answers = std::move(answers), next = std::size_t{0}](const Call&) mutable {
    return answers.at(std::min(next++, answers.size() - 1));
  };
}

inline std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  EXPECT_TRUE(in) << path;
  return out.str();
}

/// Follows a script (tests/grid/api/README.md), as tests/grid/watttime_client_test.py does.
inline std::function<std::string(const Call&)> scripted(const std::string& path) {
  const auto script = nlohmann::json::parse(file_text(path));
  return [rules = script.at("rules"), used = std::map<std::size_t, int>()](const Call& call) mutable {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto& rule = rules[i];
      bool fits = rule.at("path") == call.path &&
                  (!rule.contains("authorization") || rule["authorization"] == call.header("authorization"));
      const nlohmann::json query = rule.value("query", nlohmann::json::object());
      for (const auto& [name, value] : query.items()) fits = fits && call.at(name) == value.get<std::string>();
      if (!fits || (rule.contains("times") && used[i] >= rule["times"])) continue;
      ++used[i];
      return reply(rule.at("answer").at("status"), rule.at("answer").at("body").dump());
    }
    return reply(404, "");
  };
}

}  // namespace gramwatt::testing
