#include "sense/gpu_throughput.hpp"

#include <fmt/format.h>

#include "data/tables.hpp"
#include "sense/table.hpp"

namespace gramwatt::sense {

Result<GpuThroughput> gpu_throughput(const GpuModel& model) {
  if (const auto row = row_of<5>(data::gpu_throughput(), model.name))
    return GpuThroughput{table_number((*row)[1]), table_number((*row)[2]), table_number((*row)[3]), std::string((*row)[4])};
  std::string known;
  find_row<5>(data::gpu_throughput(), [&](const auto& row) {
    known += (known.empty() ? "" : ", ") + std::string(row[0]);
    return false;
  });
  return fail(fmt::format("how fast {} is, is not known here", model.name), "data/gpu_throughput.csv", "known are " + known,
              Error::Kind::missing);
}

}  // namespace gramwatt::sense
