// A run as JSON and back: the Writer and the Reader of the fields that record_fields.hpp lists. The only file of the ledger
// that includes the JSON library.

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "ledger/channel_json.hpp"
#include "ledger/record.hpp"
#include "ledger/record_fields.hpp"

namespace gramwatt::ledger {
namespace {

using Json = nlohmann::ordered_json;

// ---- writing ------------------------------------------------------------------------------------------------------------

template <class T>
void put(Json& out, const T& v);

class Writer {
 public:
  explicit Writer(Json& out) : out_(out) { out_ = Json::object(); }

  template <class T>
  void operator()(const char* key, const T& v) {
    put(out_[key], v);
  }
  template <class T>
  void extra(const char* key, const T& v) {
    put(out_[key], v);
  }
  template <class T>
  void derived(const char* key, const T& v) {
    put(out_[key], v);
  }
  template <class T>
  void if_present(const char* key, const std::optional<T>& v) {
    if (v) put(out_[key], *v);
  }
  void shifts(const char* key, const Terms& terms) { put(out_[key], terms); }
  void constant(const char* key, const char* text) { out_[key] = text; }
  /// An instant of zero is one that has not come yet.
  void instant(const char* key, Nanoseconds utc) { out_[key] = utc.count() == 0 ? Json() : Json(iso8601(utc)); }
  void exact_instant(const char* key, Nanoseconds utc) { out_[key] = utc.count(); }

  template <class T>
  void of_gas(const char* key, const T& v, const std::string& gas) {
    Json& j = out_[key];
    put(j, v);
    if (j.is_object()) j["unit"] = unit_for_gas(Grams::unit(), gas);
  }
  template <class F>
  void nested(const char* key, F&& body) {
    Writer inner(out_[key]);
    body(inner);
  }
  template <class F>
  void nested_or_null(const char* key, bool present, F&& body) {
    if (present) return nested(key, std::forward<F>(body));
    out_[key] = nullptr;
  }

 private:
  Json& out_;
};

template <class T>
void put(Json& out, const T& v) {
  if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    out = v;
  } else if constexpr (std::is_enum_v<T>) {
    out = std::string(to_string(v));
  } else if constexpr (kIs<T, Quantity>) {
    out = v.value();
  } else if constexpr (kIs<T, std::optional>) {
    if (v) {
      put(out, *v);
    } else {
      out = nullptr;
    }
  } else if constexpr (kIs<T, std::vector>) {
    out = Json::array();
    for (const auto& item : v) put(out.emplace_back(), item);
  } else if constexpr (kIs<T, std::map>) {
    out = Json::object();
    for (const auto& [key, item] : v) put(out[key], item);
  } else if constexpr (std::same_as<T, Shift>) {
    out = Json::array({v.minus, v.plus});
  } else {
    Writer io(out);
    fields(io, v);
  }
}

std::string dump(const Json& j, int indent) { return j.dump(indent, ' ', false, Json::error_handler_t::replace); }

// ---- reading ------------------------------------------------------------------------------------------------------------

/// Where the reader is, and the first thing that was wrong. After that all else is skipped.
struct Reading {
  std::string path;
  std::optional<Error> error;

  void wrong(const std::string& what) {
    if (!error) error = Error{path + " " + what, "run record", {}};
  }
};

template <class E>
void assign(std::optional<E> parsed, E& out, Reading& r) {
  if (!parsed) return r.wrong("has an unknown value");
  out = *parsed;
}
void parse(std::string_view s, Component& out, Reading& r) { assign(parse_component(s), out, r); }
void parse(std::string_view s, Method& out, Reading& r) { assign(parse_method(s), out, r); }
void parse(std::string_view s, Boundary& out, Reading& r) { assign(parse_boundary(s), out, r); }
void parse(std::string_view s, IdleOwner& out, Reading& r) { assign(parse_idle_owner(s), out, r); }
void parse(std::string_view s, Doing& out, Reading& r) { assign(parse_doing(s), out, r); }
void parse(std::string_view s, State& out, Reading& r) { assign(parse_state(s), out, r); }
void parse(std::string_view s, grid::SignalKind& out, Reading& r) {
  const auto kind = grid::parse_signal_kind(s);
  if (!kind) return r.wrong("has an unknown value");
  out = *kind;
}

template <class T>
void get(const Json& in, T& out, Reading& r);

class Reader {
 public:
  Reader(const Json& in, Reading& r) : in_(in), r_(r) {
    if (!in_.is_object()) r_.wrong("is not an object");
  }

  template <class T>
  void operator()(const char* key, T& v) {
    at(key, [&](const Json& j) { get(j, v, r_); }, /*required=*/true);
  }
  template <class T>
  void extra(const char* key, T& v) {
    at(key, [&](const Json& j) { get(j, v, r_); }, /*required=*/false);
  }
  template <class T>
  void derived(const char*, const T&) {}
  template <class T>
  void if_present(const char* key, std::optional<T>& v) {
    extra(key, v);
  }
  template <class T>
  void of_gas(const char* key, T& v, const std::string&) {
    (*this)(key, v);
  }

  /// Records of other writers have the sizes of terms only: symmetric shifts.
  void shifts(const char* key, Terms& terms) {
    if (in_.is_object() && in_.contains(key)) return (*this)(key, terms);
    std::map<std::string, double> symmetric;
    extra("terms", symmetric);
    for (const auto& [id, size] : symmetric) terms[id] = Shift::symmetric(size);
  }
  void constant(const char* key, const char* text) {
    at(
        key,
        [&](const Json& j) {
          if (j != text) r_.wrong("is not \"" + std::string(text) + "\"");
        },
        /*required=*/true);
  }
  void instant(const char* key, Nanoseconds& utc) {
    at(
        key,
        [&](const Json& j) {
          std::optional<std::string> text;
          get(j, text, r_);
          if (!text || r_.error) return;
          const auto parsed = parse_iso8601(*text);
          if (!parsed) return r_.wrong("is no UTC time");
          utc = *parsed;
        },
        /*required=*/true);
  }
  void exact_instant(const char* key, Nanoseconds& utc) {
    std::int64_t count = utc.count();
    extra(key, count);
    utc = Nanoseconds(count);
  }
  template <class F>
  void nested(const char* key, F&& body) {
    at(
        key,
        [&](const Json& j) {
          Reader inner(j, r_);
          body(inner);
        },
        /*required=*/true);
  }
  template <class F>
  void nested_or_null(const char* key, bool, F&& body) {
    at(
        key,
        [&](const Json& j) {
          if (j.is_null()) return;
          Reader inner(j, r_);
          body(inner);
        },
        /*required=*/true);
  }

 private:
  template <class F>
  void at(const char* key, F&& then, bool required) {
    if (r_.error) return;
    const std::size_t depth = r_.path.size();
    r_.path.append(depth == 0 ? "" : ".").append(key);
    if (const auto it = in_.find(key); it != in_.end()) {
      then(*it);
    } else if (required) {
      r_.wrong("is missing");
    }
    r_.path.resize(depth);
  }

  const Json& in_;
  Reading& r_;
};

template <class T>
void get_integer(const Json& in, T& out, Reading& r) {
  if (!in.is_number_integer()) return r.wrong("is no whole number");
  const bool fits =
      in.is_number_unsigned() ? std::in_range<T>(in.get<std::uint64_t>()) : std::in_range<T>(in.get<std::int64_t>());
  if (!fits) return r.wrong("is out of range");
  out = in.get<T>();
}

template <class T>
void get(const Json& in, T& out, Reading& r) {
  if (r.error) return;
  if constexpr (std::same_as<T, bool>) {
    if (!in.is_boolean()) return r.wrong("is neither true nor false");
    out = in.get<bool>();
  } else if constexpr (std::integral<T>) {
    get_integer(in, out, r);
  } else if constexpr (std::same_as<T, double>) {
    if (!in.is_number() && !in.is_null()) return r.wrong("is no number");
    out = in.is_null() ? std::numeric_limits<double>::quiet_NaN() : in.get<double>();
  } else if constexpr (std::same_as<T, std::string>) {
    if (!in.is_string()) return r.wrong("is no text");
    out = in.get_ref<const std::string&>();
  } else if constexpr (std::is_enum_v<T>) {
    if (!in.is_string()) return r.wrong("is no text");
    parse(in.get_ref<const std::string&>(), out, r);
  } else if constexpr (kIs<T, Quantity>) {
    double value = 0;
    get(in, value, r);
    out = T(value);
  } else if constexpr (kIs<T, std::optional>) {
    if (!in.is_null()) get(in, out.emplace(), r);
  } else if constexpr (kIs<T, std::vector>) {
    if (!in.is_array()) return r.wrong("is no list");
    for (const Json& item : in) get(item, out.emplace_back(), r);
  } else if constexpr (kIs<T, std::map>) {
    if (!in.is_object()) return r.wrong("is not an object");
    for (const auto& [key, item] : in.items()) get(item, out[key], r);
  } else if constexpr (std::same_as<T, Shift>) {
    if (!in.is_array() || in.size() != 2) return r.wrong("is no pair of shifts");
    get(in[0], out.minus, r);
    get(in[1], out.plus, r);
  } else {
    Reader io(in, r);
    fields(io, out);
  }
}

/// Parses `text` and lets `read` take what it needs; whatever is wrong is an Error.
template <class T, class F>
Result<T> read_object(std::string_view text, F&& read) {
  const Json j = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (j.is_discarded()) return fail("not JSON, or cut off", "run record");
  T out;
  Reading reading;
  Reader io(j, reading);
  if (!reading.error) read(io, out);
  if (reading.error) return tl::unexpected(std::move(*reading.error));
  return out;
}

}  // namespace

std::string to_json(const RunRecord& record, int indent) {
  Json j;
  Writer io(j);
  run_fields(io, record);
  return dump(j, indent);
}

Result<RunRecord> from_json(std::string_view text) {
  return read_object<RunRecord>(text, [](Reader& io, RunRecord& r) {
    r.state = State::finished;  // a record of another writer has no state: it is one of the past
    run_fields(io, r);
  });
}

std::string channel_to_json(const Channel& channel) {
  Json j;
  put(j, channel);
  return dump(j, -1);
}

Result<Channel> channel_from_json(std::string_view text) {
  return read_object<Channel>(text, [](Reader& io, Channel& c) { fields(io, c); });
}

}  // namespace gramwatt::ledger
