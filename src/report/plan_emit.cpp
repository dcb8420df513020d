#include "report/plan_emit.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace gramwatt::report {
namespace {

constexpr std::array<std::string_view, 7> kForms{"sh", "at", "sbatch", "az", "aws", "gcloud", "k8s"};

tl::unexpected<Error> usage(std::string what, std::string where, std::string remedy) {
  return fail(std::move(what), std::move(where), std::move(remedy), Error::Kind::usage);
}

bool runs_command(EmitForm form) { return form == EmitForm::sh || form == EmitForm::at || form == EmitForm::sbatch; }

/// The cloud whose machines a form moves; empty: none.
std::string_view cloud_of(EmitForm form) {
  switch (form) {
    case EmitForm::az: return "azure";
    case EmitForm::aws: return "aws";
    case EmitForm::gcloud: return "gcp";
    default: return "";
  }
}

/// How a resource is written, for people.
std::string_view resource_help(EmitForm form) {
  switch (form) {
    case EmitForm::az: return "--resource GROUP/NAME, or --resource /subscriptions/… with the machine's whole id";
    case EmitForm::aws: return "--resource with the instance's id, such as i-1234567890abcdef0";
    case EmitForm::gcloud: return "--resource ZONE/NAME, such as europe-north1-a/trainer";
    default: return "--resource NAME or NAMESPACE/NAME of the Job";
  }
}

bool is_whole_resource(EmitForm form, const std::string& resource) {
  const auto slashes = std::count(resource.begin(), resource.end(), '/');
  const bool parts = !resource.ends_with('/') && resource.find("/-") == std::string::npos && !resource.starts_with('-');
  if (resource.empty() || !parts) return false;
  if (form == EmitForm::az && resource.starts_with("/subscriptions/")) return true;
  if (resource.starts_with('/')) return false;
  if (form == EmitForm::aws) return slashes == 0;
  if (form == EmitForm::k8s) return slashes <= 1;
  return slashes == 1;
}

std::string utc(Nanoseconds t) {
  std::string text = iso8601(t).substr(0, 19);
  text[10] = ' ';
  return text + " UTC";
}

std::string head(const PlanView& view, const EmitRequest& request) {
  const plan::Option& o = view.option(view.chosen);
  const PlannedPlace& place = view.places[view.chosen.place];
  const Style plain{false, false};
  std::string out = "#!/bin/sh\n";
  out += shell_comment(
      fmt::format("gramwatt plan: {} in {}, {}", plan::to_string(o.policy),
                  place.name.empty() || place.name == place.zone ? place.zone : fmt::format("{} ({})", place.name, place.zone),
                  text(carbon(view, view.chosen), plain)));
  const double saved = 100 * saving(view, view.chosen).value();
  const auto worse = p_worse(view, view.chosen);
  out += shell_comment(fmt::format("saving {:.1f} % of running at once in {}{}", saved == 0 ? 0.0 : saved, view.home().zone,
                                   worse ? fmt::format("; P(worse) {:.0f} %", 100 * worse->value()) : ""));
  for (const plan::Run& run : plan::runs(o.schedule)) {
    out += shell_comment(fmt::format("runs {} to {}", utc(place.slots.time(static_cast<std::size_t>(run.begin))),
                                     utc(place.slots.time(static_cast<std::size_t>(run.end)))));
  }
  if (view.chosen.place != 0) out += shell_comment("the plan chose another place than home: run this there");
  if (!runs_command(request.form) && !request.command.empty())
    out += shell_comment("what it must run: " + shell_quote(request.command));
  return out;
}

Result<void> fits(const PlanView& view, const EmitRequest& request, const std::vector<EmitRun>& runs) {
  const PlannedPlace& place = view.places[view.chosen.place];
  const auto cloud = cloud_of(request.form);
  if (!cloud.empty() && !place.provider.empty() && place.provider != cloud)
    return usage(
        fmt::format("the plan chose {}, and --emit {} moves machines of {}", place.name, to_string(request.form), cloud),
        "--emit", fmt::format("add --clouds {} --allow REGION, or use the form of {}", cloud, place.provider));
  if (request.form == EmitForm::gcloud && place.provider == cloud && !request.resource.starts_with(place.region + "-"))
    return usage(
        fmt::format("the plan chose {}, and {} is not there", place.name, request.resource), "--resource",
        fmt::format("name a machine there: --resource {}-a/NAME; or plan with --allow and its own region", place.region));
  const bool holds = std::any_of(runs.begin(), runs.end(), [](const EmitRun& r) { return !r.holds.empty(); });
  if (holds && (!cloud.empty() || request.form == EmitForm::k8s))
    return usage(fmt::format("the plan holds the job in place, and {} can only stop it", to_string(request.form)), "--emit",
                 "leave out --hold-power and say --pausable, or use --emit sh on the machine itself");
  return {};
}

}  // namespace

std::string_view to_string(EmitForm form) { return kForms[static_cast<std::size_t>(form)]; }

std::optional<EmitForm> parse_emit_form(std::string_view text) {
  const auto* const it = std::find(kForms.begin(), kForms.end(), text);
  if (it == kForms.end()) return std::nullopt;
  return static_cast<EmitForm>(it - kForms.begin());
}

Result<void> check(const EmitRequest& request) {
  const EmitForm form = request.form;
  if (runs_command(form)) {
    if (request.command.empty() || request.command.front().empty())
      return usage(fmt::format("--emit {} starts a command, and none is given", to_string(form)), {},
                   fmt::format("gramwatt plan … --emit {} -- CMD ARG…", to_string(form)));
    if (form == EmitForm::sbatch ? request.resource.starts_with('-') : !request.resource.empty())
      return usage(fmt::format("--emit {} has no use for such a resource", to_string(form)), "--resource", "leave it out");
    return {};
  }
  if (request.resource.empty())
    return usage(fmt::format("which machine or job does --emit {} speak of?", to_string(form)), {},
                 "name it with " + std::string(resource_help(form)));
  if (!is_whole_resource(form, request.resource))
    return usage(fmt::format("\"{}\" is no name that {} knows", request.resource, to_string(form)), "--resource",
                 std::string(resource_help(form)));
  return {};
}

Result<std::string> plan_commands(const PlanView& view, const EmitRequest& request) {
  if (auto ok = check(request); !ok) return tl::unexpected(ok.error());
  const PlannedPlace& place = view.places[view.chosen.place];
  const std::vector<EmitRun> runs = emit_runs(view.option(view.chosen).schedule, place.slots);
  if (auto ok = fits(view, request, runs); !ok) return tl::unexpected(ok.error());
  const bool local = request.form == EmitForm::sh || request.form == EmitForm::at;
  return head(view, request) + (local ? emit_local(runs, request) : emit_remote(runs, request, place));
}

std::string shell_quote(std::string_view word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:,@%+=").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out + "'";
}

std::string shell_quote(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + shell_quote(word);
  return out;
}

std::string shell_comment(std::string_view text) {
  std::string out = "# ";
  for (const char c : text) {
    if (c == '\n') out += "\n# ";
    else out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + "\n";
}

std::string epoch(Nanoseconds t) { return std::to_string(std::chrono::ceil<std::chrono::seconds>(t).count()); }

std::vector<EmitRun> emit_runs(const plan::Schedule& schedule, const plan::Slots& slots) {
  const auto at = [&](int slot) { return slots.time(static_cast<std::size_t>(slot)); };
  std::vector<EmitRun> out;
  int end = 0;
  for (const plan::Run& run : plan::runs(schedule)) {
    const auto from = schedule.begin() + end, to = schedule.begin() + run.begin;
    const bool exits = std::find(from, to, plan::Action::off) != to;
    if (out.empty()) {
      out.push_back({at(run.begin), {}, {}});
    } else if (exits) {
      out.back().stop = at(end);
      out.push_back({at(run.begin), {}, {}});
    } else {
      out.back().holds.push_back({at(end), at(run.begin)});
    }
    end = run.end;
  }
  return out;
}

}  // namespace gramwatt::report
