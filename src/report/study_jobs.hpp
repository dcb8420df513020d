#pragma once
// A cluster's year under each policy, said: text, CSV, JSON (schema gramwatt.study-jobs/1).

#include <optional>
#include <string>
#include <vector>

#include "grid/intensity.hpp"
#include "plan/cluster.hpp"
#include "report/format.hpp"

namespace gramwatt::report {

/// What was studied, and under what.
struct JobsStudy {
  std::string trace;  ///< the file's name
  std::size_t jobs = 0;
  std::optional<std::string> zone;
  grid::Signal signal;  ///< of the bulk of the intensity
  Terms terms;          ///< of the same
  grid::Window window;  ///< of the series; time 0 of the trace is its start
  Nanoseconds slot{};
  GramsPerKwh mean;     ///< of the intensity, over the window
  Estimate<Watts> cpu;  ///< a CPU at work, node
  plan::ClusterSettings settings;
  plan::ClusterStudy study;
  std::vector<std::string> notes;
};

[[nodiscard]] std::string jobs_table(const JobsStudy& s, const Style& style);
[[nodiscard]] std::string jobs_csv(const JobsStudy& s);
[[nodiscard]] std::string jobs_json(const JobsStudy& s);

/// Energy and carbon of an account: what a CPU draws is the error that all of them share.
[[nodiscard]] Estimate<Joules> energy_of(const plan::ClusterAccount& a, const JobsStudy& s);
[[nodiscard]] Estimate<Grams> carbon_of(const plan::ClusterAccount& a, const JobsStudy& s);

}  // namespace gramwatt::report
