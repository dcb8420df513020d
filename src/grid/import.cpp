#include "grid/import.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.hpp"
#include "grid/import_readers.hpp"
#include "grid/text_source.hpp"

namespace gramwatt::grid {
namespace {

constexpr std::array<std::string_view, 5> kFormats{"tidy CSV", "CSV with a column a zone", "Electricity Maps portal CSV",
                                                   "WattTime CSV", "Carbon Aware SDK JSON"};
constexpr std::array<std::string_view, 5> kUnits{"g/kWh", "kg/MWh", "lb/MWh", "kg/kWh", "g/MWh"};
constexpr std::array<std::string_view, 2> kLabels{"start", "end"};

void drop_all(std::string& text, std::string_view word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) text.erase(at, word.size());
}

/// Some bytes that were looked at, then the rest of the text.
class Again final : public ByteSource {
 public:
  Again(std::string head, ByteSource& rest) : head_(std::move(head)), rest_(rest) {}
  Result<std::size_t> read(char* into, std::size_t size) override {
    if (at_ == head_.size()) return rest_.read(into, size);
    const std::size_t n = head_.copy(into, size, at_);
    at_ += n;
    return n;
  }
  [[nodiscard]] std::uint64_t done() const override { return rest_.done(); }
  [[nodiscard]] std::uint64_t total() const override { return rest_.total(); }

 private:
  std::string head_;
  std::size_t at_ = 0;
  ByteSource& rest_;
};

Result<ImportResult> import_from(Store& store, ByteSource& source, const std::string& name, const ImportOptions& options) {
  std::string head(4096, '\0');
  const auto n = source.read(head.data(), head.size());
  if (!n) return tl::unexpected(n.error());
  head.resize(*n);
  const auto first = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const bool json = first != std::string::npos && (head[first] == '{' || head[first] == '[');
  Again whole(std::move(head), source);
  return json ? import_json(store, whole, name, options) : import_csv(store, whole, name, options);
}

}  // namespace

std::string_view to_string(FileFormat format) { return kFormats[static_cast<std::size_t>(format)]; }
std::string_view to_string(IntensityUnit unit) { return kUnits[static_cast<std::size_t>(unit)]; }
std::string_view to_string(LabelEnd label) { return kLabels[static_cast<std::size_t>(label)]; }

std::optional<IntensityUnit> parse_intensity_unit(std::string_view text) {
  std::string s = lower(text);
  for (const char* gas : {"co₂eq", "co₂e", "co₂", "co2eq", "co2e", "co2"}) drop_all(s, gas);
  const auto mwh = s.find("mwh");
  const auto kwh = s.find("kwh");
  const auto at = std::min(mwh, kwh);
  if (at == std::string::npos) return std::nullopt;
  const auto drop_tail = [&](std::string_view characters) {
    while (!s.empty() && characters.find(s.back()) != std::string_view::npos) s.pop_back();
  };
  s.resize(at);
  constexpr std::string_view kBetween = "/_- .([";
  drop_tail(kBetween);
  if (s.ends_with("per")) s.resize(s.size() - 3);
  drop_tail(kBetween);
  struct Mass {
    std::string_view word;
    std::optional<IntensityUnit> per_kwh, per_mwh;
  };
  static constexpr std::array<Mass, 9> kMasses{{{"lbs", {}, IntensityUnit::lb_per_mwh},
                                                {"lb", {}, IntensityUnit::lb_per_mwh},
                                                {"pounds", {}, IntensityUnit::lb_per_mwh},
                                                {"kg", IntensityUnit::kg_per_kwh, IntensityUnit::kg_per_mwh},
                                                {"tonnes", {}, IntensityUnit::kg_per_kwh},
                                                {"grams", IntensityUnit::g_per_kwh, IntensityUnit::g_per_mwh},
                                                {"gram", IntensityUnit::g_per_kwh, IntensityUnit::g_per_mwh},
                                                {"g", IntensityUnit::g_per_kwh, IntensityUnit::g_per_mwh},
                                                {"t", {}, IntensityUnit::kg_per_kwh}}};
  for (const Mass& m : kMasses) {
    if (!s.ends_with(m.word)) continue;
    const bool is_word =
        s.size() == m.word.size() || std::isalpha(static_cast<unsigned char>(s[s.size() - m.word.size() - 1])) == 0;
    if (is_word) return at == kwh ? m.per_kwh : m.per_mwh;
  }
  return std::nullopt;
}

bool is_blank(std::string_view cell) {
  if (cell.empty()) return true;
  if (cell.size() > 4) return false;
  const std::string word = lower(cell);
  return word == "nan" || word == "null" || word == "none" || word == "na" || word == "n/a" || word == "-" || word == "--";
}

Result<void> report_progress(const ImportOptions& options, const ByteSource& source, std::size_t rows) {
  if (options.progress && !options.progress({source.done(), source.total(), rows})) {
    return fail("the import was stopped; nothing of it was kept");
  }
  return {};
}

Result<ImportResult> import_file(Store& store, const std::filesystem::path& path, const ImportOptions& options) {
  const auto source = open_text(path);
  if (!source) return tl::unexpected(source.error());
  return import_from(store, **source, path.string(), options);
}

Result<ImportResult> import_text(Store& store, std::string_view text, const std::string& name, const ImportOptions& options) {
  const auto source = text_in_memory(text);
  return import_from(store, *source, name, options);
}

}  // namespace gramwatt::grid
