#include "cli/hardware.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sense/cloud_instance.hpp"
#include "sense/microarchitecture.hpp"

namespace gramwatt::cli {
namespace {

/// Of servers in the SPECpower results since 2017, the middle of the octave that most fall into (data/power_servers.csv).
constexpr double kUsualGbAThread = 2;

/// What the options say of the machine, checked.
struct Described {
  std::optional<std::string> cpu, instance;
  std::optional<int> sockets, threads;
  std::optional<double> memory_gb;
  std::optional<sense::LoadKind> load_kind;
};

Result<Described> described(const Invocation& invocation) {
  const auto sockets = number_option<int>(invocation, "sockets", 1, 16);
  if (!sockets) return tl::unexpected(sockets.error());
  const auto threads = number_option<int>(invocation, "threads", 1, 8192);
  if (!threads) return tl::unexpected(threads.error());
  const auto memory = number_option<double>(invocation, "memory-gb", 0.1, 100'000);
  if (!memory) return tl::unexpected(memory.error());
  Described d{invocation.get("cpu"), invocation.get("instance"), *sockets, *threads, *memory, {}};
  if (const auto kind = invocation.get("load-kind")) {
    if (*kind != "even" && *kind != "busy-cores") {
      return fail(fmt::format("\"{}\" is neither even nor busy-cores", *kind), "--load-kind", {}, Error::Kind::usage);
    }
    d.load_kind = *kind == "even" ? sense::LoadKind::even : sense::LoadKind::busy_cores;
  }
  if (d.instance && (d.cpu || d.sockets || d.threads || d.memory_gb)) {
    return fail("--cpu, --sockets, --threads and --memory-gb describe a machine of your own", "--instance",
                "give either that or an instance type", Error::Kind::usage);
  }
  if (!d.cpu && (d.sockets || d.threads || d.memory_gb)) {
    return fail("--sockets, --threads and --memory-gb describe another machine than this one", "estimate",
                "name its processor with --cpu", Error::Kind::usage);
  }
  return d;
}

/// EPYC 4004 or Xeon E: a desktop's silicon that is sold in servers, where SPECpower has measured it.
bool sold_in_servers(const std::string& name) {
  const std::string cpu = sense::normalise_cpu_name(name);
  return cpu.starts_with("epyc") || cpu.starts_with("xeon");
}

Result<void> fill_desktop(Hardware& h, const Described& d) {
  sense::CpuIdentity& cpu = h.machine.cpu;
  if (!d.threads) {
    return fail(fmt::format("how many threads does a {} have?", cpu.name), "--cpu", "say so with --threads",
                Error::Kind::usage);
  }
  cpu.machine_class = sense::MachineClass::desktop;
  cpu.packages = 1;
  cpu.threads = *d.threads;
  cpu.cores = std::max(1, cpu.threads / 2);
  h.machine.model = sense::power_model(cpu);
  return {};
}

void fill_server(Hardware& h, const Described& d) {
  sense::CpuIdentity& cpu = h.machine.cpu;
  h.machine.model = sense::in_production(sense::server_model(cpu, d.sockets.value_or(0), d.threads.value_or(0)),
                                         d.load_kind.value_or(sense::LoadKind::even));
  if (!d.load_kind) {
    h.advice.emplace_back(
        "load: taken as spread evenly over all threads; --load-kind busy-cores for a training that keeps some cores wholly "
        "busy");
  }
  cpu.threads = h.machine.model.host_threads;
  cpu.cores = std::max(1, cpu.threads / 2);
  if (!d.memory_gb) {  // only for what making it cost: SPECpower's servers contain theirs
    cpu.memory_gb = kUsualGbAThread * cpu.threads;
    h.advice.push_back(fmt::format("memory: {:.0f} GB are assumed; --memory-gb N says how much it is", cpu.memory_gb));
  }
  if (h.machine.model.rung == sense::PowerModel::Rung::all_servers) {
    const auto near = sense::similar_cpu(cpu.name);
    h.advice.push_back(fmt::format("CPU: \"{}\" is unknown here, so all servers stand for it; {}", cpu.name,
                                   near ? fmt::format("did you mean \"{}\"?", *near)
                                        : "write it as its maker does, such as \"AMD EPYC 9654\" or \"Xeon Platinum 8480+\""));
  }
}

Result<void> fill_instance(Hardware& h, const std::string& name) {
  auto instance = sense::cloud_instance(name);
  if (!instance) return tl::unexpected(instance.error());
  h.machine.cpu = instance->cpu;
  h.machine.model = sense::power_model(h.machine.cpu);
  h.cloud = place::Cloud{instance->provider, instance->type, {}};
  if (instance->gpus > 0) {
    auto gpu = sense::gpu_model(instance->gpu);
    if (!gpu) return tl::unexpected(gpu.error());
    h.gpus.push_back({std::move(*gpu), instance->gpus});
  }
  return {};
}

}  // namespace

Result<NamedGpus> named_gpus(std::string_view text, const std::string& option) {
  NamedGpus gpus;
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    gpus.count = parse_number<int>(text.substr(colon + 1));
    if (!gpus.count || *gpus.count < 1 || *gpus.count > 1024)
      return fail(fmt::format("\"{}\" does not say how many", text), option, "write NAME or NAME:N, with N from 1 to 1024",
                  Error::Kind::usage);
  }
  auto model = sense::gpu_model(text.substr(0, colon));
  if (!model) {
    Error error = model.error();
    error.where = option;
    return tl::unexpected(std::move(error));
  }
  gpus.model = std::move(*model);
  return gpus;
}

Result<Hardware> hardware_of(const Invocation& invocation) {
  const auto d = described(invocation);
  if (!d) return tl::unexpected(d.error());
  Hardware h;
  Result<void> filled;
  if (d->instance) {
    h.here = false;
    filled = fill_instance(h, *d->instance);
  } else if (d->cpu) {
    h.here = false;
    h.machine.cpu.name = *d->cpu;
    h.machine.cpu.memory_gb = d->memory_gb.value_or(0);
    h.machine.cpu.packages = d->sockets.value_or(2);
    const auto known = sense::find_microarchitecture(h.machine.cpu);
    if (known && known->is_client() && !sold_in_servers(*d->cpu)) filled = fill_desktop(h, *d);
    else fill_server(h, *d);
  } else {
    auto own = job::known_machine(Roots::from_environment());
    if (!own) return tl::unexpected(own.error());
    h.machine = std::move(*own);
  }
  if (!filled) return tl::unexpected(filled.error());
  for (const std::string& text : invocation.all("gpu")) {
    auto gpus = named_gpus(text, "--gpu");
    if (!gpus) return tl::unexpected(gpus.error());
    h.gpus.push_back({std::move(gpus->model), gpus->count.value_or(1)});
  }
  return h;
}

}  // namespace gramwatt::cli
