#pragma once
// What a cloud's instance type is made of, from data/cloud_instances.csv (the providers' own pages; see data/SOURCES.md).

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "sense/cpu_identity.hpp"

namespace gramwatt::sense {

struct CloudInstance {
  std::string provider;  ///< "aws", "azure", "gcp"
  std::string type;      ///< as the provider writes it, but in lower case and, for Azure, without "Standard_": "d4s v5"
  CpuIdentity cpu;       ///< a guest: name, hardware threads, memory
  std::string gpu;       ///< empty: none
  int gpus = 0;
};

/// "aws/m5.large", "gcp/n2-standard-4", "azure/Standard_D4s_v5". Usage error without a provider; missing, with the nearest
/// types, when the table lacks it.
[[nodiscard]] Result<CloudInstance> cloud_instance(std::string_view name);

}  // namespace gramwatt::sense
