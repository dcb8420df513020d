// The Carbon Aware SDK's JSON data source, {"Emissions": [{"Location", "Time", "Rating", "Duration"}]}, and what its web API
// answers: [{"location", "time", "rating", "duration"}]. Read event by event, so that the size does not matter: every object
// that has a time and a rating is a record, wherever it stands.
// Source: github.com/Green-Software-Foundation/carbon-aware-sdk, CarbonAware.DataSources.Json; ratings are g/kWh.

#include <array>
#include <istream>
#include <streambuf>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grid/import_readers.hpp"
#include "grid/import_sink.hpp"

namespace gramwatt::grid {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kRecordsBetweenProgress = 8192;
constexpr std::size_t kDeepest = 16;

class SourceBuffer final : public std::streambuf {
 public:
  explicit SourceBuffer(ByteSource& source) : source_(source) {}
  [[nodiscard]] const Result<void>& status() const { return status_; }

 protected:
  int_type underflow() override {
    const auto n = source_.read(piece_.data(), piece_.size());
    if (!n) status_ = tl::unexpected(n.error());
    if (!n || *n == 0) return traits_type::eof();
    setg(piece_.data(), piece_.data(), piece_.data() + *n);
    return traits_type::to_int_type(piece_.front());
  }

 private:
  ByteSource& source_;
  std::array<char, 65536> piece_;
  Result<void> status_;
};

/// What nlohmann's parser tells, event by event; returning false stops it.
class Records final : public nlohmann::json_sax<Json> {
 public:
  Records(ImportSink& sink, const ImportOptions& options, const ByteSource& source)
      : sink_(sink), options_(options), source_(source) {}

  bool null() override { return text("null"); }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t v) override { return number(static_cast<double>(v)); }
  bool number_unsigned(number_unsigned_t v) override { return number(static_cast<double>(v)); }
  bool number_float(number_float_t v, const string_t&) override { return number(v); }
  bool string(string_t& v) override { return text(v); }
  bool binary(binary_t&) override { return true; }
  bool key(string_t& k) override {
    key_ = lower(k);
    return true;
  }
  bool start_object(std::size_t) override {
    if (++depth_ > kDeepest) return stop(fail("nested deeper than any list of emissions"));
    record_ = {};
    key_.clear();
    return true;
  }
  bool end_object() override {
    --depth_;
    const Record r = std::move(record_);
    record_ = {};
    return r.time && (r.rating || r.is_blank) ? take(r) : true;
  }
  bool start_array(std::size_t) override {
    return ++depth_ <= kDeepest || stop(fail("nested deeper than any list of emissions"));
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    return stop(fail("byte " + std::to_string(position) + ": " + e.what()));
  }

  [[nodiscard]] const Result<void>& status() const { return status_; }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  struct Record {
    std::string location;
    std::optional<WrittenTime> time;
    std::optional<double> rating;
    std::optional<Nanoseconds> duration;
    bool is_blank = false;
  };

  bool number(double v) {
    if (key_ == "rating" || key_ == "value") record_.rating = v;
    if (key_ == "duration" && v > 0 && v < 1e6) record_.duration = std::chrono::minutes(static_cast<std::int64_t>(v));
    return true;
  }

  bool text(std::string_view v) {
    if (key_ == "location") {
      record_.location = std::string(v);
    } else if (key_ == "time" || key_ == "timestamp") {
      record_.time = parse_written_time(trim(v));
      if (!record_.time) return stop(fail("cannot read the time \"" + std::string(v.substr(0, 40)) + "\""));
    } else if (key_ == "rating" || key_ == "value") {
      record_.rating = parse_number<double>(v);
      record_.is_blank = is_blank(v);
      if (!record_.rating && !record_.is_blank) return stop(fail("\"" + std::string(v.substr(0, 40)) + "\" is no number"));
    } else if (key_ == "duration") {
      record_.duration = parse_time_span(v);
    }
    return true;
  }

  bool take(const Record& r) {
    ++count_;
    const auto series = sink_.series(r.location);
    if (!series) return stop(tl::unexpected(series.error()));
    if (r.duration) sink_.told_resolution(*r.duration);
    if (!r.rating) {
      sink_.blank(*series, *r.time);
      return true;
    }
    if (auto v = sink_.value(*series, *r.time, *r.rating, PointKind::observed); !v) return stop(std::move(v));
    if (count_ % kRecordsBetweenProgress != 0) return true;
    auto go_on = report_progress(options_, source_, sink_.rows());
    return go_on || stop(std::move(go_on));
  }

  bool stop(Result<void> why) {
    status_ = std::move(why);
    return false;
  }

  ImportSink& sink_;
  const ImportOptions& options_;
  const ByteSource& source_;
  std::string key_;
  Record record_;
  std::size_t depth_ = 0, count_ = 0;
  Result<void> status_;
};

}  // namespace

std::optional<Nanoseconds> parse_time_span(std::string_view text) {
  text = trim(text);
  std::int64_t days = 0;
  const auto colon = text.find(':');
  if (const auto dot = text.find('.'); dot != std::string_view::npos && dot < colon) {
    const auto d = parse_number<int>(text.substr(0, dot));
    if (!d || *d < 0 || *d > 366) return std::nullopt;
    days = *d;
    text.remove_prefix(dot + 1);
  }
  std::int64_t total = 0;
  std::int64_t unit = 3600;
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  for (const auto part : parts) {
    const auto n = parse_number<int>(part);
    if (!n || *n < 0 || *n > 59) return std::nullopt;
    total += *n * unit;
    unit /= 60;
  }
  total += days * 86400;
  return total > 0 ? std::optional(Nanoseconds(std::chrono::seconds(total))) : std::nullopt;
}

Result<ImportResult> import_json(Store& store, ByteSource& source, const std::string& name, const ImportOptions& options) {
  FileFacts facts;
  facts.format = FileFormat::carbon_aware_json;
  facts.name = name;
  facts.unit = IntensityUnit::g_per_kwh;
  auto sink = ImportSink::make(store, options, std::move(facts));
  if (!sink) return tl::unexpected(sink.error());
  SourceBuffer buffer(source);
  std::istream in(&buffer);
  Records records(*sink, options, source);
  const bool whole = Json::sax_parse(in, &records);
  const auto at_record = [&](Error e) {
    e.where = name + ", record " + std::to_string(records.count());
    return e;
  };
  if (!buffer.status()) return tl::unexpected(buffer.status().error());
  if (!whole) return tl::unexpected(at_record(records.status() ? Error{"cannot be read", {}, {}} : records.status().error()));
  if (records.count() == 0) {
    return fail("no record with Time and Rating in it", name,
                "a list of emissions looks like {\"Emissions\":[{\"Location\",\"Time\",\"Rating\",\"Duration\"}]}",
                Error::Kind::usage);
  }
  if (auto r = report_progress(options, source, sink->rows()); !r) return tl::unexpected(r.error());
  auto result = sink->finish(records.count());
  if (!result && result.error().where.empty()) result.error().where = name;
  return result;
}

}  // namespace gramwatt::grid
