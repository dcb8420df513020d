#pragma once
// A figure that knows how sure it is.
//
// Every figure that reaches a reader is an Estimate: value, 90 % interval, unit, how it came about, from what, and *why* it is
// uncertain. The why is a set of error terms. A term is one source of error (the gain of one sensor, the spread of one table,
// the PUE that nobody published) under one id, with the relative shift it causes in this figure when that source sits at its
// 5 % end (`minus`) and at its 95 % end (`plus`). Ids make sums honest:
//   - terms with the same id are the same mistake made twice: their shifts add linearly, sign included, so that a source which
//     moves energy from "idle" to "active" cancels in their total;
//   - terms with different ids are independent: they add in quadrature, downward and upward shifts apart, because most of our
//     errors are lopsided (a tuned benchmark server is rarely above a production one).
// The difference or the ratio of two runs keeps the signs too, so what both share (PUE, model, gain) cancels.
//
// Below zero: quadrature of large downward shifts can pass 100 %, which no physical factor can; the low end is therefore never
// below the product of all (1 - shift), which is every source at its worst at once.
//
// Thread safety: plain values.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/quantity.hpp"

namespace gramwatt {

enum class Method { measured, modelled, assumed, mixed };

/// Where energy is counted: DC at the device, AC at the server's plug, or the whole building (node × PUE).
enum class Boundary { chip, node, facility };

[[nodiscard]] std::string_view to_string(Method m);
[[nodiscard]] std::string_view to_string(Boundary b);
[[nodiscard]] std::optional<Method> parse_method(std::string_view text);
[[nodiscard]] std::optional<Boundary> parse_boundary(std::string_view text);

/// The method of a figure made from two others: the common one, else mixed.
[[nodiscard]] constexpr Method combine(Method a, Method b) { return a == b ? a : Method::mixed; }

/// What one source of error does to a figure: relative shifts at the source's 5 % and 95 % ends.
struct Shift {
  double minus = 0;  ///< usually ≤ 0; > 0 where the source pushes this figure the other way
  double plus = 0;   ///< usually ≥ 0

  /// ±r.
  static constexpr Shift symmetric(double r) { return {-r, r}; }
  /// The shift that turns `value` into `low` and `high`.
  static constexpr Shift range(double value, double low, double high) { return {low / value - 1, high / value - 1}; }
  /// The one number that the contract's `terms` prints: the larger of the two sizes.
  [[nodiscard]] double size() const;
  friend bool operator==(const Shift&, const Shift&) = default;
};

using Terms = std::map<std::string, Shift, std::less<>>;

/// The relative low and high end that a set of terms gives (low ≤ 0 ≤ high; low ≥ -1).
[[nodiscard]] Shift total_shift(const Terms& terms);

/// The shifts of a sum, each figure weighted by its value: same id linear. Zero values leave the terms of the other.
[[nodiscard]] Terms weighted_terms(const Terms& a, double value_a, const Terms& b, double value_b);

/// The shifts of a product: same id compounds, different ids stand side by side.
[[nodiscard]] Terms product_terms(const Terms& a, const Terms& b);

/// Two source names as one, each named once, joined by " + ".
[[nodiscard]] std::string join_sources(std::string_view a, std::string_view b);

template <class Q>
struct Estimate {
  Q value{};
  Method method = Method::assumed;
  std::string source;                ///< sensor or table, with its year
  std::optional<Boundary> boundary;  ///< energy and power only
  Terms terms;

  [[nodiscard]] Q low() const { return value * (1 + total_shift(terms).minus); }
  [[nodiscard]] Q high() const { return value * (1 + total_shift(terms).plus); }
  [[nodiscard]] static constexpr const char* unit() { return Q::unit(); }

  [[nodiscard]] Estimate with_term(std::string id, Shift shift) const {
    Estimate e = *this;
    e.terms[std::move(id)] = shift;
    return e;
  }
};

/// A sum. The boundary is kept when both agree, and dropped when they do not: mixing boundaries is the caller's bug.
template <class Q>
[[nodiscard]] Estimate<Q> operator+(const Estimate<Q>& a, const Estimate<Q>& b) {
  if (a.source.empty() && a.value.value() == 0) return b;
  if (b.source.empty() && b.value.value() == 0) return a;
  // A part that is zero says nothing about how the sum was obtained.
  const Method method = a.value.value() == 0 ? b.method : b.value.value() == 0 ? a.method : combine(a.method, b.method);
  return {a.value + b.value, method, join_sources(a.source, b.source), a.boundary == b.boundary ? a.boundary : std::nullopt,
          weighted_terms(a.terms, a.value.value(), b.terms, b.value.value())};
}

template <class A, class B>
[[nodiscard]] auto operator*(const Estimate<A>& a, const Estimate<B>& b) -> Estimate<decltype(A{} * B{})> {
  return {a.value * b.value, combine(a.method, b.method), join_sources(a.source, b.source), std::nullopt,
          product_terms(a.terms, b.terms)};
}

template <class Q>
[[nodiscard]] Estimate<Q> operator*(const Estimate<Q>& a, double k) {
  Estimate<Q> e = a;
  e.value = a.value * k;
  return e;
}

/// a − b with the interval that is left when shared sources of error cancel. Not an Estimate: its sign may go either way, and
/// relative terms mean nothing near zero.
template <class Q>
struct Difference {
  Q value, low, high;
  /// True when the interval excludes zero.
  [[nodiscard]] bool significant() const { return low.value() > 0 || high.value() < 0; }
};

/// Absolute 90 % ends of value_a − value_b (first: ≤ 0, second: ≥ 0), same ids subtracting, different ids in quadrature.
struct Spread {
  double minus = 0, plus = 0;
};
[[nodiscard]] Spread difference_spread(const Terms& a, double value_a, const Terms& b, double value_b);

template <class Q>
[[nodiscard]] Difference<Q> difference(const Estimate<Q>& a, const Estimate<Q>& b) {
  const Spread s = difference_spread(a.terms, a.value.value(), b.terms, b.value.value());
  const Q d = a.value - b.value;
  return {d, d + Q(s.minus), d + Q(s.plus)};
}

/// a / b with shared sources of error cancelled; `b` must not be zero.
template <class Q>
[[nodiscard]] Difference<Ratio> ratio(const Estimate<Q>& a, const Estimate<Q>& b) {
  const double r = a.value / b.value;
  const Spread s = difference_spread(a.terms, 1, b.terms, 1);
  return {Ratio(r), Ratio(r * (1 + (s.minus < -1 ? -1 : s.minus))), Ratio(r * (1 + s.plus))};
}

}  // namespace gramwatt
