#include "base/estimate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gramwatt {
namespace {

constexpr std::array kMethods{"measured", "modelled", "assumed", "mixed"};
constexpr std::array kBoundaries{"chip", "node", "facility"};

template <class E, std::size_t N>
std::optional<E> parse(const std::array<const char*, N>& names, std::string_view text) {
  const auto it = std::find(names.begin(), names.end(), text);
  if (it == names.end()) return std::nullopt;
  return static_cast<E>(it - names.begin());
}

double down(const Shift& s) { return std::min({s.minus, s.plus, 0.0}); }
double up(const Shift& s) { return std::max({s.minus, s.plus, 0.0}); }

}  // namespace

std::string_view to_string(Method m) { return kMethods.at(static_cast<std::size_t>(m)); }
std::string_view to_string(Boundary b) { return kBoundaries.at(static_cast<std::size_t>(b)); }
std::optional<Method> parse_method(std::string_view text) { return parse<Method>(kMethods, text); }
std::optional<Boundary> parse_boundary(std::string_view text) { return parse<Boundary>(kBoundaries, text); }

double Shift::size() const { return std::max(std::abs(minus), std::abs(plus)); }

Shift total_shift(const Terms& terms) {
  double down_squares = 0;
  double up_squares = 0;
  double worst = 1;
  for (const auto& [id, s] : terms) {
    down_squares += down(s) * down(s);
    up_squares += up(s) * up(s);
    worst *= std::max(0.0, 1 + down(s));
  }
  return {std::max(-std::sqrt(down_squares), worst - 1), std::sqrt(up_squares)};
}

Terms weighted_terms(const Terms& a, double value_a, const Terms& b, double value_b) {
  const double sum = value_a + value_b;
  if (sum == 0) {  // relative shifts of nothing: keep them all, so that no source of error is forgotten
    Terms all = a;
    all.insert(b.begin(), b.end());
    return all;
  }
  Terms out;
  const auto add = [&](const Terms& terms, double weight) {
    if (weight == 0) return;
    for (const auto& [id, s] : terms) {
      Shift& t = out[id];
      t.minus += s.minus * weight;
      t.plus += s.plus * weight;
    }
  };
  add(a, value_a / sum);
  add(b, value_b / sum);
  return out;
}

Terms product_terms(const Terms& a, const Terms& b) {
  Terms out = a;
  for (const auto& [id, s] : b) {
    const auto [it, fresh] = out.try_emplace(id, s);
    if (fresh) continue;
    it->second.minus = (1 + it->second.minus) * (1 + s.minus) - 1;
    it->second.plus = (1 + it->second.plus) * (1 + s.plus) - 1;
  }
  return out;
}

Spread difference_spread(const Terms& a, double value_a, const Terms& b, double value_b) {
  Terms absolute;
  const auto add = [&](const Terms& terms, double factor) {
    for (const auto& [id, s] : terms) {
      Shift& t = absolute[id];
      t.minus += s.minus * factor;
      t.plus += s.plus * factor;
    }
  };
  add(a, value_a);
  add(b, -value_b);
  double minus = 0;
  double plus = 0;
  for (const auto& [id, s] : absolute) {
    minus += down(s) * down(s);
    plus += up(s) * up(s);
  }
  return {-std::sqrt(minus), std::sqrt(plus)};
}

std::string join_sources(std::string_view a, std::string_view b) {
  std::string out(a);
  while (!b.empty()) {
    const auto cut = b.find(" + ");
    const std::string_view part = b.substr(0, cut);
    b = cut == std::string_view::npos ? std::string_view{} : b.substr(cut + 3);
    const std::string framed = " + " + out + " + ";
    if (part.empty() || framed.find(" + " + std::string(part) + " + ") != std::string::npos) continue;
    if (!out.empty()) out += " + ";
    out += part;
  }
  return out;
}

}  // namespace gramwatt
