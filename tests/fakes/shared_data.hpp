#pragma once
// The data that are not part of the repository (CMake's GRAMWATT_SHARED_DATA): tests that want them are skipped
// elsewhere.

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace gramwatt::testing {

/// The content of a .gz file there.
inline std::optional<std::string> shared_gzip(const std::string& name) {
  const auto path = std::filesystem::path(GRAMWATT_SHARED_DATA) / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(("gzip -dc '" + path.string() + "'").c_str(), "r"), pclose);
  if (!pipe) return std::nullopt;
  std::string text;
  std::array<char, 65536> part{};
  for (std::size_t n = 0; (n = std::fread(part.data(), 1, part.size(), pipe.get())) > 0;) text.append(part.data(), n);
  return text;
}

}  // namespace gramwatt::testing
