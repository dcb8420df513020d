#pragma once
// A folder of files that stands in for /sys or /proc, and vanishes with the test.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace gramwatt::testing {

class TempTree {
 public:
  TempTree() {
    std::string name = (std::filesystem::temp_directory_path() / "gramwatt-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
  }
  ~TempTree() {
    std::error_code ec;
    std::filesystem::remove_all(root_, ec);
  }
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& path) const { return root_ / path; }

  /// Makes or overwrites in place, as the kernel does: a reader that holds the file sees the new text.
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream out(root_ / path, std::ios::trunc);
    out << text;
  }

 private:
  std::filesystem::path root_;
};

}  // namespace gramwatt::testing
