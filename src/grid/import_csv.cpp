#include <unordered_map>

#include "base/text.hpp"
#include "grid/import_layout.hpp"
#include "grid/import_readers.hpp"
#include "grid/import_sink.hpp"

namespace gramwatt::grid {
namespace {

constexpr std::size_t kRowsBetweenProgress = 8192;

/// A value, nothing for a blank cell.
Result<std::optional<double>> parse_value(std::string_view cell, char separator) {
  if (const auto v = parse_number<double>(cell)) {
    if (*v == *v) return v;  // "nan" is a number to from_chars
    return std::optional<double>();
  }
  cell = trim(cell);
  if (is_blank(cell)) return std::optional<double>();
  if (separator != ',') {  // then commas may be decimal points
    std::string text(cell);
    const auto comma = text.find(',');
    if (comma != std::string::npos) text[comma] = '.';
    if (const auto v = parse_number<double>(text)) return v;
  }
  return fail("\"" + std::string(cell.substr(0, 40)) + "\" is no number");
}

bool is_true(std::string_view cell) {
  cell = trim(cell);
  return cell == "true" || cell == "True" || cell == "TRUE" || cell == "1" || cell == "yes";
}

class CsvReader {
 public:
  CsvReader(const Layout& layout, ImportSink& sink) : layout_(layout), sink_(sink), columns_(layout.columns()) {}

  Result<void> row(std::string_view line) {
    split_row(line, layout_.separator, fields_);
    if (fields_.size() < columns_) {
      return fail("has " + std::to_string(fields_.size()) + " of " + std::to_string(columns_) + " columns");
    }
    const std::string_view label = trim(fields_[layout_.time]);
    const auto time = parse_written_time(label);
    if (!time)
      return fail("cannot read the time \"" + std::string(label.substr(0, 40)) + "\"", {},
                  "times like 2021-03-28T01:00Z can be read");
    if (auto r = signal_type(); !r) return r;
    const bool estimated = layout_.estimated && *layout_.estimated < fields_.size() && is_true(fields_[*layout_.estimated]);
    const PointKind kind = estimated ? PointKind::estimated : PointKind::observed;
    if (layout_.format == FileFormat::wide_csv) {
      for (std::size_t i = 0; i < layout_.values.size(); ++i) {
        if (auto r = cell(wide_[i], *time, fields_[layout_.values[i].index], kind); !r) return r;
      }
      return {};
    }
    const auto series = series_of_row();
    if (!series) return tl::unexpected(series.error());
    return cell(*series, *time, fields_[layout_.values.front().index], kind);
  }

  /// A wide file's series, before the first row.
  Result<void> open_zones() {
    if (layout_.format != FileFormat::wide_csv) return {};
    for (const auto& column : layout_.values) {
      const auto series = sink_.series(column.name);
      if (!series) return tl::unexpected(series.error());
      wide_.push_back(*series);
    }
    return {};
  }

 private:
  Result<void> cell(std::size_t series, const WrittenTime& time, std::string_view text, PointKind kind) {
    const auto v = parse_value(text, layout_.separator);
    if (!v) return tl::unexpected(v.error());
    if (*v) return sink_.value(series, time, **v, kind);
    sink_.blank(series, time);
    return {};
  }

  Result<std::size_t> series_of_row() {
    const std::string_view zone = layout_.zone ? trim(fields_[*layout_.zone]) : std::string_view();
    if (has_series_ && zone == zone_) return series_;
    const auto series = sink_.series(zone);
    if (!series) return series;
    has_series_ = true;
    zone_ = std::string(zone);
    series_ = *series;
    return series;
  }

  /// WattTime's own column tells which signal it is; a file with two of them would mix them up.
  Result<void> signal_type() {
    if (!layout_.signal_type || *layout_.signal_type >= fields_.size()) return {};
    const std::string_view type = fields_[*layout_.signal_type];
    if (type == signal_type_) return {};
    if (!signal_type_.empty())
      return fail("has signal " + std::string(type) + " after " + signal_type_, {}, "cut the file by signal");
    signal_type_ = std::string(type);
    if (type == "co2_moer") sink_.set_kind(SignalKind::marginal);
    else if (type == "co2_aoer") sink_.set_kind(SignalKind::average);
    else return fail("signal \"" + std::string(type.substr(0, 40)) + "\" is no carbon intensity");
    return {};
  }

  const Layout& layout_;
  ImportSink& sink_;
  std::size_t columns_;
  std::vector<std::string_view> fields_;
  std::vector<std::size_t> wide_;
  bool has_series_ = false;
  std::string zone_, signal_type_;
  std::size_t series_ = 0;
};

FileFacts facts_of(const Layout& l, const std::string& name) {
  FileFacts f;
  f.format = l.format;
  f.name = name;
  if (l.format != FileFormat::wide_csv) f.value_column = l.values.front().name;
  f.time_is_utc = l.time_is_utc;
  f.label = l.label;
  f.unit = l.unit;
  f.kind = l.kind;
  f.factor = l.factor;
  if (f.factor.empty() && contains_ignoring_case(name, "lifecycle")) f.factor = "lifecycle";
  if (f.factor.empty() && contains_ignoring_case(name, "direct")) f.factor = "direct";
  f.notes = l.notes;
  return f;
}

Error at_line(Error e, const std::string& name, std::size_t line) {
  e.where = name + ", line " + std::to_string(line);
  return e;
}

}  // namespace

Result<ImportResult> import_csv(Store& store, ByteSource& source, const std::string& name, const ImportOptions& options) {
  Lines lines(source);
  std::string_view line;
  bool more = false;
  do {
    more = lines.next(line);
  } while (more && (trim(line).empty() || line.front() == '#'));
  if (!lines.status()) return tl::unexpected(lines.status().error());
  if (!more) return fail("is empty", name, {}, Error::Kind::usage);

  const auto layout = understand_header(line, options);
  if (!layout) return tl::unexpected(at_line(layout.error(), name, lines.number()));
  auto sink = ImportSink::make(store, options, facts_of(*layout, name));
  if (!sink) return tl::unexpected(sink.error());
  CsvReader reader(*layout, *sink);
  if (auto r = reader.open_zones(); !r) return tl::unexpected(at_line(r.error(), name, lines.number()));
  if (layout->has_header) more = lines.next(line);
  for (; more; more = lines.next(line)) {
    if (line.empty()) continue;
    if (auto r = reader.row(line); !r) return tl::unexpected(at_line(std::move(r.error()), name, lines.number()));
    if (lines.number() % kRowsBetweenProgress == 0) {
      if (auto r = report_progress(options, source, sink->rows()); !r) return tl::unexpected(r.error());
    }
  }
  if (!lines.status()) return tl::unexpected(lines.status().error());
  if (auto r = report_progress(options, source, sink->rows()); !r) return tl::unexpected(r.error());
  auto result = sink->finish(lines.number());
  if (!result && result.error().where.empty()) result.error().where = name;
  return result;
}

}  // namespace gramwatt::grid
