#pragma once
// What a GPU can do, as its maker publishes it: data/gpu_throughput.csv.

#include <string>

#include "base/error.hpp"
#include "sense/gpu_model.hpp"

namespace gramwatt::sense {

struct GpuThroughput {
  double matrix_tflops =
      0;                   ///< dense 16-bit products with 32-bit sums on tensor or matrix cores; without such: its fastest rate
  double fp32_tflops = 0;  ///< outside of them
  double bandwidth_gbs = 0;  ///< of its memory, GB/s
  std::string source;
};

/// Missing: an error that names the boards of the same kind whose rates are known.
[[nodiscard]] Result<GpuThroughput> gpu_throughput(const GpuModel& model);

}  // namespace gramwatt::sense
