#include "sense/cloud_instance.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "data/tables.hpp"
#include "sense/table.hpp"

namespace gramwatt::sense {
namespace {

/// "azure/Standard_D4s_v5" -> "azure/d4s v5".
std::string key_of(std::string_view name) {
  std::string key = lower(trim(name));
  if (!key.starts_with("azure/")) return key;
  std::replace(key.begin(), key.end(), '_', ' ');
  constexpr std::string_view kTier = "standard ";
  const auto slash = key.find('/') + 1;
  if (key.substr(slash).starts_with(kTier)) key.erase(slash, kTier.size());
  return key;
}

/// The nearest types of the same provider.
std::string nearest(std::string_view key, std::size_t how_many) {
  std::vector<std::pair<std::size_t, std::string>> near;
  const std::string_view provider = key.substr(0, key.find('/') + 1);
  find_row<1>(data::cloud_instances(), [&](const auto& row) {
    if (row[0].starts_with(provider)) near.emplace_back(edit_distance(key, row[0]), row[0]);
    return false;
  });
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(how_many, near.size()); ++i) text += (i > 0 ? ", " : "") + near[i].second;
  return text;
}

}  // namespace

Result<CloudInstance> cloud_instance(std::string_view name) {
  const std::string key = key_of(name);
  const auto slash = key.find('/');
  const std::string provider = key.substr(0, slash);
  if (slash == std::string::npos || (provider != "aws" && provider != "azure" && provider != "gcp")) {
    return fail(fmt::format("\"{}\" does not begin with aws/, azure/ or gcp/", name), "--instance",
                "write it as aws/m5.large, azure/Standard_D4s_v5 or gcp/n2-standard-4", Error::Kind::usage);
  }
  const auto row = row_of<6>(data::cloud_instances(), key);
  if (!row) {
    return fail(fmt::format("no instance type \"{}\" of {} is known here", key.substr(slash + 1), provider), "--instance",
                fmt::format("did you mean {}? Or describe it with --cpu, --threads, --memory-gb and --gpu", nearest(key, 3)),
                Error::Kind::missing);
  }
  CloudInstance i;
  i.provider = provider;
  i.type = key.substr(slash + 1);
  i.cpu.machine_class = MachineClass::guest;
  i.cpu.threads = table_number<int>((*row)[1]);
  i.cpu.cores = std::max(1, i.cpu.threads / 2);
  i.cpu.memory_gb = table_number((*row)[2]);
  i.cpu.name = (*row)[3];
  i.gpu = (*row)[4];
  i.gpus = table_number<int>((*row)[5]);
  return i;
}

}  // namespace gramwatt::sense
