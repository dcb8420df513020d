#include "sense/gpu_visibility.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"

namespace gramwatt::sense {
namespace {

std::optional<std::string> variable(const char* name) {
  // Set but empty means "none", so that unset and empty stay apart.
  const char* value = std::getenv(name);
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

std::string bare_id(std::string_view text) {
  std::string id = lower(text);
  std::erase(id, '-');
  if (id.starts_with("0x")) id.erase(0, 2);
  return id;
}

/// What a list leaves of `among` (indices into the machine's GPUs), in its own order.
std::vector<std::size_t> chosen(const std::vector<std::size_t>& among, const std::string& list,
                                const std::vector<std::string>& unique_ids) {
  std::vector<std::size_t> left;
  for (const std::string_view field : split(list, ',')) {
    const std::string_view entry = trim(field);
    std::optional<std::size_t> found;
    if (const auto index = parse_number<std::size_t>(entry)) {
      if (*index < among.size()) found = among[*index];
    } else if (entry.starts_with("GPU-")) {
      const std::string id = bare_id(entry.substr(4));
      for (const std::size_t i : among) {
        if (!found && !id.empty() && bare_id(unique_ids[i]).starts_with(id)) found = i;
      }
    }
    if (!found) break;
    if (std::find(left.begin(), left.end(), *found) == left.end()) left.push_back(*found);
  }
  return left;
}

}  // namespace

GpuVariables GpuVariables::from_environment() {
  GpuVariables v;
  v.rocr = variable("ROCR_VISIBLE_DEVICES");
  v.hip = variable("HIP_VISIBLE_DEVICES");
  if (!v.hip) v.hip = variable("CUDA_VISIBLE_DEVICES");
  v.affinity = variable("ZE_AFFINITY_MASK");
  return v;
}

std::vector<bool> visible_to_rocm(const std::vector<std::string>& unique_ids, const GpuVariables& variables) {
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < unique_ids.size(); ++i) left.push_back(i);
  for (const auto& list : {variables.rocr, variables.hip}) {
    if (list) left = chosen(left, *list, unique_ids);
  }
  std::vector<bool> visible(unique_ids.size(), false);
  for (const std::size_t i : left) visible[i] = true;
  return visible;
}

std::vector<bool> visible_to_level_zero(std::size_t count, const std::optional<std::string>& mask) {
  if (!mask || trim(*mask).empty()) return std::vector<bool>(count, true);
  std::vector<bool> visible(count, false);
  for (const std::string_view field : split(*mask, ',')) {
    const std::string_view entry = trim(field);
    const auto index = parse_number<std::size_t>(entry.substr(0, entry.find('.')));
    if (index && *index < count) visible[*index] = true;
  }
  return visible;
}

}  // namespace gramwatt::sense
