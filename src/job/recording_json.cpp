// The head and the lines of a recording, as JSON and back. The only file of job/ that includes the JSON library.

#include <limits>

#include <nlohmann/json.hpp>

#include "job/recording.hpp"

namespace gramwatt::job {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "gramwatt.recording/1";
constexpr const char* kMakeOne = "gramwatt run --record FILE makes one";
constexpr std::size_t kMostSensors = 4096;
constexpr std::size_t kMostCpus = 65536;

Json from(const Terms& terms) {
  Json out = Json::object();
  for (const auto& [id, shift] : terms) out[id] = {shift.minus, shift.plus};
  return out;
}

Terms terms_of(const Json& j) {
  Terms out;
  for (const auto& [id, pair] : j.items()) out[id] = {pair.at(0).get<double>(), pair.at(1).get<double>()};
  return out;
}

Json from(const sense::CpuIdentity& c) {
  return {{"name", c.name},
          {"vendor", c.vendor},
          {"family", c.family},
          {"model", c.model},
          {"stepping", c.stepping},
          {"threads", c.threads},
          {"cores", c.cores},
          {"packages", c.packages},
          {"memory_gb", c.memory_gb},
          {"class", std::string(to_string(c.machine_class))},
          {"core_of_thread", c.core_of_thread},
          {"package_of_thread", c.package_of_thread}};
}

sense::MachineClass machine_class_of(const std::string& text) {
  using enum sense::MachineClass;
  for (const auto c : {guest, server, desktop, laptop}) {
    if (to_string(c) == text) return c;
  }
  throw std::runtime_error("unknown class of machine");
}

sense::CpuIdentity cpu_of(const Json& j) {
  sense::CpuIdentity c;
  j.at("name").get_to(c.name);
  j.at("vendor").get_to(c.vendor);
  j.at("family").get_to(c.family);
  j.at("model").get_to(c.model);
  j.at("stepping").get_to(c.stepping);
  j.at("threads").get_to(c.threads);
  j.at("cores").get_to(c.cores);
  j.at("packages").get_to(c.packages);
  j.at("memory_gb").get_to(c.memory_gb);
  c.machine_class = machine_class_of(j.at("class").get<std::string>());
  j.at("core_of_thread").get_to(c.core_of_thread);
  if (j.contains("package_of_thread")) j["package_of_thread"].get_to(c.package_of_thread);
  const int most = static_cast<int>(kMostCpus);
  if (c.threads < 1 || c.threads > most || c.cores < 1 || c.cores > c.threads || c.packages < 1 || c.packages > c.threads)
    throw std::runtime_error("a CPU that cannot be");
  for (const int core : c.core_of_thread) {
    if (core < -1 || core >= c.cores) throw std::runtime_error("a CPU that cannot be");
  }
  return c;
}

Json from(const sense::PowerModel& m) {
  Json active = Json::array();
  for (const Watts w : m.active_at_load) active.push_back(w.value());
  return {{"description", m.description},    {"source", m.source},
          {"host_threads", m.host_threads},  {"fixed_w", m.fixed.value.value()},
          {"fixed_source", m.fixed.source},  {"fixed_shifts", from(m.fixed.terms)},
          {"active_w", std::move(active)},   {"active_shifts", from(m.active_terms)},
          {"rung", static_cast<int>(m.rung)}};
}

sense::PowerModel model_of(const Json& j) {
  sense::PowerModel m;
  j.at("description").get_to(m.description);
  j.at("source").get_to(m.source);
  j.at("host_threads").get_to(m.host_threads);
  m.fixed = {Watts(j.at("fixed_w").get<double>()), Method::modelled, j.at("fixed_source").get<std::string>(), Boundary::node,
             terms_of(j.at("fixed_shifts"))};
  for (std::size_t i = 0; i < m.active_at_load.size(); ++i) m.active_at_load[i] = Watts(j.at("active_w").at(i).get<double>());
  m.active_terms = terms_of(j.at("active_shifts"));
  m.rung = static_cast<sense::PowerModel::Rung>(j.at("rung").get<int>());
  return m;
}

Json from(const std::optional<meter::PlatformLift>& p) {
  if (!p) return nullptr;
  return {{"loss", p->loss},
          {"loss_shift", {p->loss_shift.minus, p->loss_shift.plus}},
          {"base_w", p->base.value()},
          {"base_shift", {p->base_shift.minus, p->base_shift.plus}},
          {"source", p->source}};
}

meter::PlatformLift platform_of(const Json& j) {
  meter::PlatformLift p;
  j.at("loss").get_to(p.loss);
  p.loss_shift = {j.at("loss_shift").at(0).get<double>(), j.at("loss_shift").at(1).get<double>()};
  p.base = Watts(j.at("base_w").get<double>());
  p.base_shift = {j.at("base_shift").at(0).get<double>(), j.at("base_shift").at(1).get<double>()};
  j.at("source").get_to(p.source);
  return p;
}

Json from(const RecordedSensor& s) {
  const sense::Description& d = s.description;
  return {{"id", d.id},
          {"component", std::string(to_string(d.component))},
          {"device", d.device},
          {"boundary", std::string(to_string(d.boundary))},
          {"source", d.source},
          {"shifts", from(d.terms)},
          {"resolution_ns", d.resolution.count()},
          {"idle_w", d.idle_power.value()},
          {"idle_shifts", from(d.idle_terms)},
          {"usable_by_job", d.usable_by_job},
          {"method", std::string(to_string(d.method))},
          {"note", d.note},
          {"decoder", s.decoder.kind},
          {"numbers", s.decoder.numbers}};
}

template <class T>
T known(std::optional<T> parsed) {
  if (!parsed) throw std::runtime_error("a word that is not known");
  return *parsed;
}

RecordedSensor sensor_of(const Json& j) {
  RecordedSensor s;
  sense::Description& d = s.description;
  j.at("id").get_to(d.id);
  d.component = known(parse_component(j.at("component").get<std::string>()));
  j.at("device").get_to(d.device);
  d.boundary = known(parse_boundary(j.at("boundary").get<std::string>()));
  j.at("source").get_to(d.source);
  d.terms = terms_of(j.at("shifts"));
  d.resolution = Nanoseconds(j.at("resolution_ns").get<std::int64_t>());
  d.idle_power = Watts(j.at("idle_w").get<double>());
  d.idle_terms = terms_of(j.at("idle_shifts"));
  j.at("usable_by_job").get_to(d.usable_by_job);
  j.at("note").get_to(d.note);
  d.method = known(parse_method(j.value("method", "measured")));
  j.at("decoder").get_to(s.decoder.kind);
  for (const auto& [key, value] : j.at("numbers").items()) s.decoder.numbers[key] = value.get<double>();
  return s;
}

/// A whole number of a line; what is not one is an exception, as everything else here.
template <class T>
T whole(const Json& j) {
  if (!j.is_number_integer()) throw std::runtime_error("not a whole number");
  if (std::is_unsigned_v<T> && !j.is_number_unsigned()) throw std::runtime_error("a negative number");
  return j.get<T>();
}

/// Times of a recording: small enough that differences and sums cannot overflow.
Nanoseconds time_of(const Json& j, std::chrono::years most = std::chrono::years(10)) {
  const auto ns = whole<std::int64_t>(j);
  if (ns < 0 || Nanoseconds(ns) > most) throw std::runtime_error("a time that cannot be");
  return Nanoseconds(ns);
}

std::size_t sensor_index(const Json& j, std::size_t sensors) {
  const auto i = whole<std::size_t>(j);
  if (i >= sensors) throw std::runtime_error("a sensor that the head does not name");
  return i;
}

RecordedSample sample_of(const Json& j, std::size_t sensors) {
  RecordedSample s;
  s.sensor = sensor_index(j.at(1), sensors);
  s.sample.at.monotonic = time_of(j.at(2));
  for (std::size_t i = 3; i < j.size(); ++i) {
    if (s.sample.count >= sense::RawSample::kMostValues) throw std::runtime_error("too many values");
    s.sample.values[s.sample.count++] = j[i].is_null() ? sense::RawSample::kAbsent : whole<std::uint64_t>(j[i]);
  }
  return s;
}

meter::ProcStat machine_of(const Json& j) {
  meter::ProcStat stat;
  stat.all = {whole<std::uint64_t>(j.at(0)), whole<std::uint64_t>(j.at(1))};
  stat.online = whole<std::size_t>(j.at(2));
  if (stat.online < 1 || stat.online > kMostCpus) throw std::runtime_error("a number of CPUs that cannot be");
  for (std::size_t i = 3; i + 1 < j.size(); i += 2)
    stat.cpus.push_back({whole<std::uint64_t>(j[i]), whole<std::uint64_t>(j[i + 1])});
  return stat;
}

RecordedTick tick_of(const Json& j, std::size_t sensors) {
  RecordedTick t;
  const auto kind = j.at(1).get<std::string>();
  using Kind = meter::TickFacts::Kind;
  if (kind == "start") t.facts.kind = Kind::start;
  else if (kind == "tick") t.facts.kind = Kind::tick;
  else if (kind == "turn") t.facts.kind = Kind::turn;
  else if (kind == "last") t.facts.kind = Kind::last;
  else throw std::runtime_error("a kind of tick that is not known");
  t.facts.at = {time_of(j.at(2)), time_of(j.at(3)), time_of(j.at(4), std::chrono::years(200))};
  t.facts.sharers = whole<int>(j.at(5));
  if (!j.at(6).is_null()) t.facts.tree_cpu = time_of(j[6], std::chrono::years(200));
  if (!j.at(7).is_null()) t.machine = machine_of(j[7]);
  const Json& shares = j.at(8);
  for (std::size_t i = 0; i + 1 < shares.size(); i += 2)
    t.shares.emplace_back(sensor_index(shares[i], sensors), shares[i + 1].get<double>());
  t.facts.children_unseen = j.at(9).get<bool>();
  return t;
}

}  // namespace

std::string to_json(const RecordingHeader& h) {
  Json sensors = Json::array();
  for (const RecordedSensor& s : h.sensors) sensors.push_back(from(s));
  const Json out{{"schema", kSchema},
                 {"gramwatt", h.version},
                 {"run", h.run},
                 {"tree", h.tree},
                 {"idle_owner", std::string(to_string(h.idle_owner))},
                 {"detailed_ticks", h.detailed_ticks},
                 {"close_every_ns", h.close_every.count()},
                 {"cpu", from(h.cpu)},
                 {"model", from(h.model)},
                 {"platform", from(h.platform)},
                 {"sensors", std::move(sensors)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<RecordingHeader> parse_recording_header(std::string_view line) {
  try {
    const Json j = Json::parse(line);
    if (j.value("schema", "") != kSchema) return fail("not a recording that this version reads", {}, kMakeOne);
    RecordingHeader h;
    j.at("gramwatt").get_to(h.version);
    j.at("run").get_to(h.run);
    j.at("tree").get_to(h.tree);
    h.idle_owner = known(parse_idle_owner(j.at("idle_owner").get<std::string>()));
    j.at("detailed_ticks").get_to(h.detailed_ticks);
    h.close_every = time_of(j.at("close_every_ns"));
    h.cpu = cpu_of(j.at("cpu"));
    h.model = model_of(j.at("model"));
    if (j.contains("platform") && !j["platform"].is_null()) h.platform = platform_of(j["platform"]);
    for (const Json& s : j.at("sensors")) h.sensors.push_back(sensor_of(s));
    if (h.sensors.size() > kMostSensors) return fail("too many sensors");
    return h;
  } catch (const Json::parse_error&) {
    return fail("not a recording", {}, kMakeOne);
  } catch (const std::exception& e) {
    return fail(std::string("not a recording: ") + e.what(), {}, kMakeOne);
  }
}

Result<RecordedLine> parse_recorded_line(std::string_view line, std::size_t sensors) {
  try {
    Json j = Json::parse(line);
    const auto kind = j.at(0).get<std::string>();
    if (kind == "s") return sample_of(j, sensors);
    if (kind == "e") return RecordedFailure{sensor_index(j.at(1), sensors), j.at(2).get<std::string>()};
    if (kind == "tick") return tick_of(j, sensors);
    if (kind == "run") return RecordedRun{j.at(1).dump()};
    return fail("a kind of line that is not known", kind, "a newer gramwatt may know it");
  } catch (const std::exception& e) {
    return fail(e.what());
  }
}

}  // namespace gramwatt::job
