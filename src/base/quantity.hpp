#pragma once
// Physical quantities as types.
//
// Most arithmetic bugs in energy meters are unit bugs: a watt added to a joule, a factor per kWh used as watts, seconds handed
// to an interface that wants microseconds. So energy, power, carbon and time never cross a function boundary as a bare double:
// every quantity is a type, only the products that physics knows exist, and the unit is part of the name.
//
// SI inside (joule, watt, second, gram; g/kWh for carbon intensity, the field's unit). The hot path counts whole microjoules
// (`Microjoules`), so that sums of millions of ticks are exact and conservation can be asserted to the last microjoule.
//
// Thread safety: plain values.

#include <chrono>
#include <cmath>
#include <compare>
#include <cstdint>

namespace gramwatt {

/// A double with a dimension. `Tag` names the dimension and its unit (`Tag::unit`, e.g. "J").
template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}

  /// The number in the unit of the type (`unit()`).
  [[nodiscard]] constexpr double value() const { return value_; }
  [[nodiscard]] static constexpr const char* unit() { return Tag::unit; }

  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator-(Quantity a) { return Quantity(-a.value_); }
  friend constexpr Quantity operator*(Quantity a, double k) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator*(double k, Quantity a) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator/(Quantity a, double k) { return Quantity(a.value_ / k); }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }
  friend constexpr auto operator<=>(Quantity a, Quantity b) = default;

 private:
  double value_ = 0;
};

namespace dimension {
struct Energy {
  static constexpr const char* unit = "J";
};
struct Power {
  static constexpr const char* unit = "W";
};
struct Time {
  static constexpr const char* unit = "s";
};
struct Carbon {
  static constexpr const char* unit = "gCO2e";
};
struct Intensity {
  static constexpr const char* unit = "gCO2e/kWh";
};
struct Ratio {
  static constexpr const char* unit = "";
};
}  // namespace dimension

using Joules = Quantity<dimension::Energy>;
using Watts = Quantity<dimension::Power>;
using Seconds = Quantity<dimension::Time>;
using Grams = Quantity<dimension::Carbon>;           ///< grams of CO2e
using GramsPerKwh = Quantity<dimension::Intensity>;  ///< carbon intensity, g CO2e per kWh
using Ratio = Quantity<dimension::Ratio>;            ///< dimensionless, such as PUE

inline constexpr double kJoulesPerKwh = 3.6e6;

constexpr Joules operator*(Watts p, Seconds t) { return Joules(p.value() * t.value()); }
constexpr Joules operator*(Seconds t, Watts p) { return p * t; }
constexpr Watts operator/(Joules e, Seconds t) { return Watts(e.value() / t.value()); }
constexpr Grams operator*(Joules e, GramsPerKwh i) { return Grams(e.value() * i.value() / kJoulesPerKwh); }
constexpr GramsPerKwh operator/(Grams c, Joules e) { return GramsPerKwh(c.value() * kJoulesPerKwh / e.value()); }
constexpr Joules operator*(Joules e, Ratio r) { return Joules(e.value() * r.value()); }
constexpr Joules kwh(double n) { return Joules(n * kJoulesPerKwh); }

/// Energy counted in whole microjoules: exact sums, exact conservation. ±9.2e12 J fits (292 years at 1 kW).
class Microjoules {
 public:
  constexpr Microjoules() = default;
  constexpr explicit Microjoules(std::int64_t count) : count_(count) {}
  /// Rounds to the nearest microjoule.
  explicit Microjoules(Joules e) : count_(std::llround(e.value() * 1e6)) {}

  [[nodiscard]] constexpr std::int64_t count() const { return count_; }
  [[nodiscard]] constexpr Joules joules() const { return Joules(static_cast<double>(count_) * 1e-6); }

  constexpr Microjoules& operator+=(Microjoules o) {
    count_ += o.count_;
    return *this;
  }
  constexpr Microjoules& operator-=(Microjoules o) {
    count_ -= o.count_;
    return *this;
  }
  friend constexpr Microjoules operator+(Microjoules a, Microjoules b) { return Microjoules(a.count_ + b.count_); }
  friend constexpr Microjoules operator-(Microjoules a, Microjoules b) { return Microjoules(a.count_ - b.count_); }
  friend constexpr auto operator<=>(Microjoules a, Microjoules b) = default;

 private:
  std::int64_t count_ = 0;
};

using Nanoseconds = std::chrono::nanoseconds;

constexpr Seconds seconds(Nanoseconds ns) { return Seconds(static_cast<double>(ns.count()) * 1e-9); }

}  // namespace gramwatt
