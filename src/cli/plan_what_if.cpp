#include "cli/plan_what_if.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/hardware.hpp"
#include "meter/platform.hpp"
#include "sense/gpu_throughput.hpp"

namespace gramwatt::cli {
namespace {

tl::unexpected<Error> usage(std::string what, std::string where, std::string remedy) {
  return fail(std::move(what), std::move(where), std::move(remedy), Error::Kind::usage);
}

Result<plan::Gpus> boards(const sense::GpuModel& model, int count) {
  const auto rates = sense::gpu_throughput(model);
  if (!rates) return tl::unexpected(rates.error());
  return plan::Gpus{{model.name, rates->matrix_tflops, rates->fp32_tflops, rates->bandwidth_gbs, model.tdp, model.memory_gb},
                    count};
}

/// Power supply and fans, a watt at the board: as runs and estimates count it.
double loss() { return meter::platform_lift(sense::MachineClass::server, 1, Ratio(1), false).loss; }

/// "NVIDIA A100-SXM4-40GB (GPU-5f…)" is a board and which one it is.
std::string board_of(const std::string& device) { return device.substr(0, device.rfind(" (")); }

Result<plan::Gpus> present_gpus(const Invocation& invocation, const PlanRequest& r) {
  const int used = r.gpus ? static_cast<int>(r.gpus->names.size()) : 1;
  if (const auto text = invocation.get("gpu")) {
    const auto said = named_gpus(*text, "--gpu");
    if (!said) return tl::unexpected(said.error());
    return boards(said->model, said->count.value_or(used));
  }
  const auto unknown = [](std::string why) {
    return usage(std::move(why), "--what-if", "name the GPUs that the job has now: --gpu NAME[:N]");
  };
  if (!r.gpus) return unknown("nobody knows which GPUs the job has now");
  std::vector<std::string> names;
  std::transform(r.gpus->names.begin(), r.gpus->names.end(), std::back_inserter(names), board_of);
  if (std::any_of(names.begin(), names.end(), [&](const std::string& n) { return n != names.front(); }))
    return unknown("the run had GPUs of several kinds");
  const auto model = sense::gpu_model(names.front());
  if (!model) return unknown(fmt::format("the run's GPU \"{}\" is not known here", names.front()));
  return boards(*model, used);
}

plan::GpuUse use_of(const PlanRequest& r, const plan::Gpus& present) {
  Joules job;
  for (const Joules e : r.job.steps) job += e;
  const Seconds length = seconds(r.length);
  if (!r.gpus || !(r.gpus->boards.value() > 0)) return plan::assumed_use(job, length, present, loss());
  const Joules lost = std::min(r.gpus->boards * loss(), r.gpus->platform);
  return plan::measured_use(r.gpus->boards + lost, r.gpus->boards, job, length, present);
}

}  // namespace

Result<std::optional<WhatIfs>> what_ifs(const Invocation& invocation, const PlanRequest& request) {
  const std::vector<std::string> asked = invocation.all("what-if");
  if (asked.empty()) {
    if (invocation.has("gpu"))
      return usage("the GPUs of a job matter to --what-if only", "--gpu", "add --what-if gpu=NAME[:N]");
    return std::optional<WhatIfs>{};
  }
  auto present = present_gpus(invocation, request);
  if (!present) return tl::unexpected(present.error());
  WhatIfs all{std::move(*present), {}, {}};
  all.use = use_of(request, all.present);
  for (const std::string& text : asked) {
    constexpr std::string_view kGpu = "gpu=";
    if (!text.starts_with(kGpu)) return usage(fmt::format("\"{}\" is no change", text), "--what-if", "such as gpu=h100:4");
    const auto said = named_gpus(std::string_view(text).substr(kGpu.size()), "--what-if");
    if (!said) return tl::unexpected(said.error());
    auto other = boards(said->model, said->count.value_or(all.present.count));
    if (!other) return tl::unexpected(other.error());
    all.others.push_back(std::move(*other));
  }
  return std::optional(std::move(all));
}

Result<PlanRequest> moved(const PlanRequest& request, const plan::Move& move) {
  PlanRequest r = request;
  r.length = Nanoseconds(static_cast<std::int64_t>(static_cast<double>(request.length.count()) * move.time.value.value()));
  const int steps = std::max(1, plan::slots_of(r.length, r.slot));
  const auto slots = window_slots(r, static_cast<std::size_t>(steps));
  if (!slots) return tl::unexpected(slots.error());
  r.slots = *slots;
  r.prices.an_hour.reset();  // another machine has another price
  r.by_cost = r.by_cost && r.prices.any();
  r.job.steps = plan::stretched(request.job.steps, static_cast<std::size_t>(steps), move.energy.value);
  return r;
}

std::vector<std::string> notes_of(const plan::Gpus& present, const plan::Gpus& other, const plan::Move& move) {
  std::vector<std::string> notes;
  const double now = present.board.memory_gb * present.count, then = other.board.memory_gb * other.count;
  if (then < now)
    notes.push_back(fmt::format("{:g} GB of GPU memory in place of {:g}: whether the job fits is not known", then, now));
  const double fp32 = present.board.fp32_tflops * present.count / (other.board.fp32_tflops * other.count);
  const Estimate<Ratio>& time = move.time;
  if (fp32 < time.low().value() || fp32 > time.high().value())
    notes.push_back(fmt::format("a job in plain FP32, without tensor cores, would take {:.2g} times as long", fp32));
  return notes;
}

}  // namespace gramwatt::cli
