#include "grid/provider_zones.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/text.hpp"

namespace gramwatt::grid {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// ENTSO-E's list of areas with their Energy Identification Codes, as its API guide has it (appendix A.10); country or control
// area where generation is published for it. IE is EirGrid's control area, GB-NIR SONI's. GB reports nothing since 2021.
constexpr std::array kEic{
    Pair{"AL", "10YAL-KESH-----5"},     Pair{"AT", "10YAT-APG------L"},     Pair{"BA", "10YBA-JPCC-----D"},
    Pair{"BE", "10YBE----------2"},     Pair{"BG", "10YCA-BULGARIA-R"},     Pair{"CH", "10YCH-SWISSGRIDZ"},
    Pair{"CY", "10YCY-1001A0003J"},     Pair{"CZ", "10YCZ-CEPS-----N"},     Pair{"DE", "10Y1001A1001A83F"},
    Pair{"DE-LU", "10Y1001A1001A82H"},  Pair{"DK", "10Y1001A1001A65H"},     Pair{"DK-DK1", "10YDK-1--------W"},
    Pair{"DK-DK2", "10YDK-2--------M"}, Pair{"EE", "10Y1001A1001A39I"},     Pair{"ES", "10YES-REE------0"},
    Pair{"FI", "10YFI-1--------U"},     Pair{"FR", "10YFR-RTE------C"},     Pair{"GB", "10YGB----------A"},
    Pair{"GB-NIR", "10Y1001A1001A016"}, Pair{"GE", "10Y1001A1001B012"},     Pair{"GR", "10YGR-HTSO-----Y"},
    Pair{"HR", "10YHR-HEP------M"},     Pair{"HU", "10YHU-MAVIR----U"},     Pair{"IE", "10YIE-1001A00010"},
    Pair{"IT", "10YIT-GRTN-----B"},     Pair{"IT-CNO", "10Y1001A1001A70O"}, Pair{"IT-CSO", "10Y1001A1001A71M"},
    Pair{"IT-NO", "10Y1001A1001A73I"},  Pair{"IT-SAR", "10Y1001A1001A74G"}, Pair{"IT-SIC", "10Y1001A1001A75E"},
    Pair{"IT-SO", "10Y1001A1001A788"},  Pair{"LT", "10YLT-1001A0008Q"},     Pair{"LU", "10YLU-CEGEDEL-NQ"},
    Pair{"LV", "10YLV-1001A00074"},     Pair{"MD", "10Y1001A1001A990"},     Pair{"ME", "10YCS-CG-TSO---S"},
    Pair{"MK", "10YMK-MEPSO----8"},     Pair{"MT", "10Y1001A1001A93C"},     Pair{"NL", "10YNL----------L"},
    Pair{"NO", "10YNO-0--------C"},     Pair{"NO-NO1", "10YNO-1--------2"}, Pair{"NO-NO2", "10YNO-2--------T"},
    Pair{"NO-NO3", "10YNO-3--------J"}, Pair{"NO-NO4", "10YNO-4--------9"}, Pair{"NO-NO5", "10Y1001A1001A48H"},
    Pair{"PL", "10YPL-AREA-----S"},     Pair{"PT", "10YPT-REN------W"},     Pair{"RO", "10YRO-TEL------P"},
    Pair{"RS", "10YCS-SERBIATSOV"},     Pair{"SE", "10YSE-1--------K"},     Pair{"SE-SE1", "10Y1001A1001A44P"},
    Pair{"SE-SE2", "10Y1001A1001A45N"}, Pair{"SE-SE3", "10Y1001A1001A46L"}, Pair{"SE-SE4", "10Y1001A1001A47J"},
    Pair{"SI", "10YSI-ELES-----O"},     Pair{"SK", "10YSK-SEPS-----K"},     Pair{"TR", "10YTR-TEIAS----W"},
    Pair{"UA", "10Y1001C--00003F"},     Pair{"XK", "10Y1001C--00100H"},
};

// Balancing authorities that generate and report to EIA-930 (https://www.eia.gov/electricity/gridmonitor/about); zones end in
// their codes.
constexpr std::array<std::string_view, 53> kRespondents{
    "AECI", "AVA",  "AZPS", "BANC", "BPAT", "CHPD", "CISO", "CPLE", "CPLW", "DOPD", "DUK",  "EPE",  "ERCO", "FMPP",
    "FPC",  "FPL",  "GCPD", "GVL",  "HST",  "IID",  "IPCO", "ISNE", "JEA",  "LDWP", "LGEE", "MISO", "NEVP", "NWMT",
    "NYIS", "PACE", "PACW", "PGE",  "PJM",  "PNM",  "PSCO", "PSEI", "SC",   "SCEG", "SCL",  "SEC",  "SOCO", "SPA",
    "SRP",  "SWPP", "TAL",  "TEC",  "TEPC", "TIDC", "TPWR", "TVA",  "WACM", "WALC", "WAUW"};

// Countries of Energy-Charts' API (https://api.energy-charts.info), by their ISO codes in small letters except the UK's.
constexpr std::array<std::string_view, 41> kEnergyCharts{"al", "am", "at", "az", "ba", "be", "bg", "by", "ch", "cy", "cz",
                                                         "de", "dk", "ee", "es", "fi", "fr", "ge", "gr", "hr", "hu", "ie",
                                                         "it", "lt", "lu", "lv", "md", "me", "mk", "mt", "nl", "no", "pl",
                                                         "pt", "ro", "rs", "se", "si", "sk", "ua", "xk"};

bool has(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

std::optional<std::string> eic_of(std::string_view zone) {
  const auto* const it = std::find_if(kEic.begin(), kEic.end(), [&](const Pair& p) { return p.first == zone; });
  return it == kEic.end() ? std::nullopt : std::optional(std::string(it->second));
}

std::optional<std::string> eia_respondent(std::string_view zone) {
  if (zone == "US") return "US48";
  if (!zone.starts_with("US-")) return std::nullopt;
  const std::string_view code = zone.substr(zone.rfind('-') + 1);
  return has(kRespondents, code) ? std::optional(std::string(code)) : std::nullopt;
}

std::optional<std::string> energycharts_country(std::string_view zone) {
  if (zone == "GB") return "uk";
  if (zone.size() < 2 || (zone.size() > 2 && zone[2] != '-') || zone.starts_with("GB")) return std::nullopt;
  std::string country = lower(zone.substr(0, 2));
  return has(kEnergyCharts, country) ? std::optional(std::move(country)) : std::nullopt;
}

}  // namespace gramwatt::grid
