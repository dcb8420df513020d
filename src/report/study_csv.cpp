// The study as CSV.

#include <functional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/study.hpp"

namespace gramwatt::report {
namespace {

using namespace plan::facct22;

std::string csv_number(const std::optional<Saving>& s, bool totals) {
  return s ? fmt::format("{:.6g}", (totals ? s->ratio_of_totals : s->mean_of_ratios).value()) : "";
}

std::string csv_part(const std::optional<Ratio>& part) { return part ? fmt::format("{:.6g}", part->value()) : ""; }

constexpr const char* kForesight = "foresight";

/// What a line says beside its savings, all in text: empty where there is nothing to say.
struct CsvRest {
  std::string pauses_per_hour, published, published_pauses;
  std::string planned_by = kForesight;
  std::string known, kept;
};

template <class Of>
std::string csv_line(const StudyView& v, const std::string& begin, const CsvRest& rest, Of of) {
  const auto free = of(Charges{});
  std::string out = begin + csv_number(free, false) + "," + csv_number(free, true);
  for (const Payment p : report::kPayments) out += "," + csv_number(of(report::charges_of(v, p)), false);
  return out + fmt::format(",{},{},{},{},{},{}\n", rest.pauses_per_hour, rest.published, rest.published_pauses, rest.planned_by,
                           rest.known, rest.kept);
}

/// `of`: the exact plan's saving under a payment; free pauses are those of pause-resume.
template <class Of>
std::string csv_exact(const std::string& begin, const CsvRest& rest, const Of& of) {
  std::string out = begin + ",";
  for (const Payment p : report::kPayments) out += "," + csv_number(of(p), false);
  return out + fmt::format(",,,,{},{},{}\n", rest.planned_by, rest.known, rest.kept);
}

/// A cell of a region or of the mean. `begin`: what each line begins with, by policy and by what it is planned by (nothing: by
/// foresight).
struct CsvCell {
  std::function<std::string(std::string_view, const Compared*)> begin;
  std::function<CsvRest(Policy, const Compared*)> rest;
  std::function<std::optional<Saving>(Policy, const Charges&)> saving;
  std::function<std::optional<Saving>(Payment)> exact;
  std::function<ComparedSaving(const Compared&, Policy, const Charges&)> compared;
  std::function<ComparedSaving(const Compared&)> compared_exact;
};

CsvRest with_known(CsvRest rest, const ComparedSaving& c) {
  rest.known = csv_number(c.known, false);
  rest.kept = csv_part(c.kept());
  return rest;
}

std::string csv_told(const StudyView& v, const CsvCell& cell, const Compared& c) {
  std::string out;
  for (const Policy p : report::kPolicies) {
    const CsvRest rest = cell.rest(p, &c);
    out += csv_line(v, cell.begin(to_string(p), &c), with_known(rest, cell.compared(c, p, {})),
                    [&](const Charges& charges) { return cell.compared(c, p, charges).told; });
  }
  if (!has_exact(c)) return out;
  CsvRest rest;
  rest.planned_by = c.by;
  const ComparedSaving best = cell.compared_exact(c);
  return out + csv_exact(cell.begin("exact", &c), with_known(rest, best),
                         [&](Payment p) { return p == kForecastPayments.front() ? best.told : std::nullopt; });
}

std::string csv_cell(const StudyView& v, const std::vector<Compared>& beside, const CsvCell& cell) {
  const bool judged = !beside.empty() && !beside.front().forecast;
  std::string out;
  for (const Policy p : report::kPolicies) {
    CsvRest rest = cell.rest(p, nullptr);
    if (judged) rest = with_known(rest, cell.compared(beside.front(), p, {}));
    out +=
        csv_line(v, cell.begin(to_string(p), nullptr), rest, [&](const Charges& charges) { return cell.saving(p, charges); });
  }
  if (has_exact(v)) out += csv_exact(cell.begin("exact", nullptr), {}, cell.exact);
  for (const Compared& c : beside) {
    if (c.forecast) out += csv_told(v, cell, c);
  }
  return out;
}

CsvCell csv_region(const StudyView& v, std::size_t region, std::size_t w, std::size_t j) {
  const Cell& c = v.regions[region].cells[w][j];
  return {[&v, &c, region, w, j](std::string_view policy, const Compared* by) {
            const Cell& of = by == nullptr ? c : (*by->told[region])[w][j];
            return fmt::format("{},{},{},{},{},{},{},", csv_quote(v.regions[region].name), slacks()[w].name,
                               jobs()[j].short_name, policy, of.starts, of.unknown, of.zero);
          },
          [&c, region, w, j](Policy p, const Compared* by) {
            const Cell& of = by == nullptr ? c : (*by->told[region])[w][j];
            return CsvRest{fmt::format("{:.6g}", pauses_per_hour(of, p)), "", "", by == nullptr ? kForesight : by->by, "", ""};
          },
          [&c](Policy p, const Charges& charges) { return saving(c, p, charges); },
          [&c](Payment p) { return exact_saving(c, p); },
          [=](const Compared& all, Policy p, const Charges& charges) { return compared(all, region, w, j, p, charges); },
          [=](const Compared& all) { return compared_exact(all, region, w, j); }};
}

CsvCell csv_mean(const StudyView& v, std::size_t w, std::size_t j) {
  return {[w, j](std::string_view policy, const Compared*) {
            return fmt::format("mean,{},{},{},,,,", slacks()[w].name, jobs()[j].short_name, policy);
          },
          [&v, w, j](Policy p, const Compared* by) {
            if (by != nullptr)
              return CsvRest{fmt::format("{:.6g}", mean_pauses_per_hour(*by, w, j, p)), "", "", by->by, "", ""};
            const Published theirs = published(w, j, p);
            return CsvRest{fmt::format("{:.6g}", mean_pauses_per_hour(v, w, j, p)),
                           fmt::format("{:.6g}", theirs.saving.value()),
                           theirs.pauses_per_hour ? fmt::format("{:.6g}", *theirs.pauses_per_hour) : "",
                           kForesight,
                           "",
                           ""};
          },
          [&v, w, j](Policy p, const Charges& charges) { return mean_saving(v, w, j, p, charges); },
          [&v, w, j](Payment p) { return mean_exact(v, w, j, p); },
          [=](const Compared& all, Policy p, const Charges& charges) { return mean_compared(all, w, j, p, charges); },
          [=](const Compared& all) { return mean_compared_exact(all, w, j); }};
}

}  // namespace

std::string study_csv(const StudyView& v) {
  std::string out =
      "region,window,job,policy,starts,starts_without_known_window,starts_without_carbon,mean_of_ratios,ratio_of_totals,"
      "restarts_paid,held_in_place,restarts_machine_kept,pauses_per_hour,published_saving,published_pauses_per_hour,planned_by,"
      "known_beforehand,share_kept\n";
  const std::vector<Compared> beside = comparisons(v);
  const auto each = [](auto one) {
    for (std::size_t w = 0; w < kSlacks; ++w) {
      for (std::size_t j = 0; j < kJobs; ++j) one(w, j);
    }
  };
  for (std::size_t r = 0; r < v.regions.size(); ++r)
    each([&](std::size_t w, std::size_t j) { out += csv_cell(v, beside, csv_region(v, r, w, j)); });
  each([&](std::size_t w, std::size_t j) { out += csv_cell(v, beside, csv_mean(v, w, j)); });
  return out;
}

}  // namespace gramwatt::report
