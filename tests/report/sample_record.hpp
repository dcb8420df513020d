#pragma once
// Records like those that runs leave, for looking at how they are said.

#include "ledger/record.hpp"

namespace gramwatt::testing {

inline ledger::RunRecord sample_record() {
  const auto energy = [](double joules, Terms terms) {
    return Estimate<Joules>{Joules(joules), Method::modelled, "SPECpower_ssj2008: 20 servers, 2022-2024", Boundary::node,
                            std::move(terms)};
  };
  ledger::RunRecord r;
  r.id = "01HF4E8G9W000000000ABCDEFG";
  r.state = ledger::State::finished;
  r.command = {"python3", "train.py", "--note", "two words"};
  r.exit_code = 0;
  r.start_utc = std::chrono::seconds(1'700'000'000);
  r.end_utc = r.start_utc + std::chrono::seconds(3600);
  r.duration = r.running = Seconds(3600);
  r.host.hostname = "box";
  r.host.cpu = "AMD EPYC";
  r.place = {"DE", "option", "Germany"};
  r.energy.active = energy(20'000, {{"spec-spread", Shift::symmetric(0.1)}, {"production", {-0.1, 0.3}}});
  r.energy.idle = energy(30'000, {{"spec-spread", Shift::symmetric(0.1)}, {"memory", {-0.2, 0.6}}});
  r.energy.total = r.energy.active + r.energy.idle;
  r.energy.pue = {Ratio(1.2), Method::assumed, "PUE of the industry", std::nullopt, {{"pue", {-0.1, 0.3}}}};
  r.energy.facility = r.energy.total * r.energy.pue;
  r.energy.facility.boundary = Boundary::facility;
  r.energy.machine = energy(60'000, {{"spec-spread", Shift::symmetric(0.1)}});
  r.energy.unattributed = energy(10'000, {{"spec-spread", Shift::symmetric(0.1)}});
  r.energy.components = {
      {Component::platform, "2 of 384 threads", r.energy.total, r.energy.active, r.energy.idle, r.energy.machine}};
  ledger::IntensityFacts average;
  average.value = {
      GramsPerKwh(342), Method::modelled, "Ember 2024, annual mean", std::nullopt, {{"intensity:DE", {-0.4, 0.9}}}};
  average.signal.year = 2024;
  average.signal.factor = "lifecycle";
  average.signal.data_kind = "annual mean";
  average.signal.basis = "production";
  r.average_intensity = average;
  r.carbon.average = r.energy.facility * average.value;
  r.carbon.embodied = {Grams(2), Method::assumed, "server 1,000 kg", std::nullopt, {{"life", {-0.3, 0.3}}}};
  r.carbon.total = r.carbon.average + r.carbon.embodied;
  r.advice = {"PUE: ask the operator of the building, then --pue X"};
  return r;
}

}  // namespace gramwatt::testing
