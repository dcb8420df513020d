// Headers, as found in the exports and public files of the field: Electricity Maps' portal, WattTime's and ElectricityMaps'
// client libraries, ENTSO-E's and EIA's downloads, papers' data sets.

#include "grid/import_layout.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.hpp"
#include "grid/local_time.hpp"

namespace gramwatt::grid {
namespace {

using Names = std::vector<std::string>;

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), name) != words.end();
}

bool is_time(std::string_view n) {
  return is_one_of(
             n, {"utc", "date", "start", "from", "period", "hour", "ds", "end", "to", "index", "hour ending", "hour_ending"}) ||
         contains(n, "time") || n.starts_with("utc") || n.ends_with("_utc") || n.starts_with("date");
}

bool is_end(std::string_view n) {
  return n == "end" || n == "to" || n.ends_with("_end") || n.starts_with("end_") || n.starts_with("end ") ||
         n.ends_with(" end") || contains(n, "ending") || n == "utc_end";
}

bool is_lifecycle(std::string_view n) {
  return contains(n, "lifecycle") || contains(n, "life cycle") || contains(n, "life_cycle") || contains(n, "lca");
}
bool is_direct(std::string_view n) { return contains(n, "direct"); }

bool is_value(std::string_view n) {
  return is_one_of(n, {"value", "ci", "moer", "aoer", "rating", "co2", "co2_intensity", "emissions", "y"}) ||
         contains(n, "intensity") || parse_intensity_unit(n).has_value();
}

std::optional<std::size_t> find(const Names& names, std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    const auto it = std::find(names.begin(), names.end(), word);
    if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
  }
  return std::nullopt;
}

/// The time column: of several, one that names the start, and one that says UTC.
std::optional<std::size_t> find_time(const Names& names) {
  std::optional<std::size_t> best;
  int best_rank = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& n = names[i];
    if (!is_time(n) || contains(n, "zone") || contains(n, "updated") || contains(n, "created")) continue;
    const int rank = 1 + (contains(n, "utc") ? 4 : 0) + (is_end(n) ? 0 : 2) + (contains(n, "time") ? 1 : 0);
    if (rank > best_rank) {
      best = i;
      best_rank = rank;
    }
  }
  return best;
}

tl::unexpected<Error> cannot(std::string what, std::string remedy) {
  return fail(std::move(what), "line 1", std::move(remedy), Error::Kind::usage);
}

std::string listed(const Names& names) {
  std::string text;
  for (const auto& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

/// The column of the values, by option, by factor, or because it is the only one.
Result<std::size_t> find_value(const Names& names, const Names& plain, std::size_t time, const ImportOptions& options) {
  if (!options.column.empty()) {
    const auto it = std::find(plain.begin(), plain.end(), options.column);
    if (it != plain.end()) return static_cast<std::size_t>(it - plain.begin());
    return cannot("there is no column \"" + options.column + "\"", "its columns are " + listed(plain));
  }
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != time && is_value(names[i])) found.push_back(i);
  }
  if (found.size() > 1) {
    const bool direct = options.factor == "direct";
    std::vector<std::size_t> of_factor;
    for (const std::size_t i : found) {
      if (direct ? is_direct(names[i]) : is_lifecycle(names[i])) of_factor.push_back(i);
    }
    if (of_factor.size() == 1) found = of_factor;
  }
  if (found.empty() && names.size() == 2) found.push_back(1 - time);
  if (found.size() == 1) return found.front();
  Names candidates;
  for (const std::size_t i : found) candidates.push_back(plain[i]);
  if (found.empty()) return cannot("no column of intensities", "name it with --column: " + listed(plain));
  return cannot("several columns of intensities", "name one with --column: " + listed(candidates));
}

/// One column a zone.
bool take_zones(const Names& names, const Names& plain, const ImportOptions& options, Layout& l) {
  std::size_t others = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (i == l.time) continue;
    if (is_value(names[i])) return false;
    if (!looks_like_zone(plain[i])) ++others;
    else if (options.zone.empty() || options.zone == plain[i]) l.values.push_back({i, plain[i]});
  }
  if (l.values.empty()) return false;
  l.format = FileFormat::wide_csv;
  if (others > 0) l.notes.push_back(std::to_string(others) + " columns are no zones and were left out");
  return true;
}

void understand_value(const std::string& name, Layout& l) {
  l.unit = parse_intensity_unit(name);
  if (is_lifecycle(name)) l.factor = "lifecycle";
  else if (is_direct(name)) l.factor = "direct";
  if (contains(name, "marginal") || contains(name, "moer")) l.kind = SignalKind::marginal;
  else if (contains(name, "average") || contains(name, "aoer")) l.kind = SignalKind::average;
}

/// A file without a header: time and value.
std::optional<Layout> without_header(std::string_view line, const Names& plain) {
  if (plain.size() < 2 || !parse_written_time(trim(plain[0]))) return std::nullopt;
  (void)line;
  Layout l;
  l.has_header = false;
  l.values.push_back({1, "column 2"});
  l.notes.emplace_back("no header: the first column was taken as time, the second as value");
  return l;
}

char separator_of(std::string_view line) {
  const auto count = [&](char c) { return std::count(line.begin(), line.end(), c); };
  const auto commas = count(',');
  return count(';') > commas ? ';' : count('\t') > commas ? '\t' : ',';
}

}  // namespace

std::size_t Layout::columns() const {
  std::size_t most = time;
  for (const auto& v : values) most = std::max(most, v.index);
  if (zone) most = std::max(most, *zone);
  return most + 1;
}

bool looks_like_zone(std::string_view text) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() < 2 || !upper(text[0]) || !upper(text[1])) return false;
  if (text.size() == 2) return true;
  return text[2] == '-' && text.size() > 3 &&
         std::all_of(text.begin() + 3, text.end(), [&](char c) { return upper(c) || c == '-' || (c >= '0' && c <= '9'); });
}

void split_row(std::string_view line, char separator, std::vector<std::string_view>& fields) {
  fields.clear();
  const char* at = line.data();
  const char* const end = at + line.size();
  for (;;) {
    const char* from = at;
    if (at != end && *at == '"') {
      const char* close = at + 1;
      // A quote that another character follows belongs to the text ("" stands for one).
      while (close != end && (*close != '"' || (close + 1 != end && close[1] != separator))) ++close;
      fields.emplace_back(from + 1, close - from - 1);
      at = close == end ? end : close + 1;
    } else {
      while (at != end && *at != separator) ++at;
      fields.emplace_back(from, at - from);
    }
    if (at == end) return;
    ++at;
  }
}

Result<Layout> understand_header(std::string_view line, const ImportOptions& options) {
  Layout l;
  l.separator = separator_of(line);
  std::vector<std::string_view> fields;
  split_row(line, l.separator, fields);
  Names plain;
  Names names;
  for (const auto f : fields) {
    plain.emplace_back(trim(f));
    names.push_back(lower(plain.back()));
  }
  if (auto bare = without_header(line, plain)) {
    bare->separator = l.separator;
    return *bare;
  }
  const auto time = find_time(names);
  if (!time)
    return cannot("no column of times",
                  "a header like `utc_start,g_per_kwh` names them; found: " + listed(plain).substr(0, 200));
  l.time = *time;
  l.time_is_utc = contains(names[l.time], "utc") || contains(names[l.time], "gmt");
  if (is_end(names[l.time])) l.label = LabelEnd::end;
  l.zone = find(names, {"zone id", "zone_id", "zone key", "zone_key", "zonekey", "zoneid", "zone", "zone_name", "region",
                        "location", "balancing_authority", "ba"});
  l.estimated = find(names, {"data estimated", "is_estimated", "isestimated", "estimated", "imputed_data_used"});
  l.signal_type = find(names, {"signal_type"});

  if (names[l.time] == "point_time") l.format = FileFormat::watttime_csv;
  else if (l.zone && find(names, {"zone name"})) l.format = FileFormat::electricitymaps_csv;
  else if (options.column.empty() && take_zones(names, plain, options, l)) return l;

  const auto value = find_value(names, plain, l.time, options);
  if (!value) return tl::unexpected(value.error());
  l.values = {{*value, plain[*value]}};
  understand_value(names[*value], l);
  if (l.format == FileFormat::watttime_csv) {
    if (!l.unit) l.unit = IntensityUnit::lb_per_mwh;
    if (!l.kind) l.kind = SignalKind::marginal;
    l.factor = "direct";
  }
  if (l.format == FileFormat::electricitymaps_csv) l.kind = SignalKind::average;
  const bool bare_rate = is_one_of(names[*value], {"moer", "aoer"});
  if (bare_rate && !l.unit && !options.unit) {
    return cannot("the header does not say the unit of \"" + plain[*value] + "\"", "say it: --unit lb/MWh or --unit g/kWh");
  }
  return l;
}

}  // namespace gramwatt::grid
