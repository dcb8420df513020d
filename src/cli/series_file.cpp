#include "cli/series_file.hpp"

#include <cstdlib>

#include "base/system.hpp"
#include "grid/store.hpp"

namespace gramwatt::cli {
namespace {

/// A folder of its own that is gone afterwards. The readers write to a store, so that files of any size fit; here it is a short
/// one.
class PassingFolder {
 public:
  PassingFolder() {
    std::error_code ec;
    std::string name = (std::filesystem::temp_directory_path(ec) / "gramwatt-series-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~PassingFolder() {
    std::error_code ec;
    if (!path_.empty()) std::filesystem::remove_all(path_, ec);
  }
  PassingFolder(const PassingFolder&) = delete;
  PassingFolder& operator=(const PassingFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// "moer_2020" of "/data/moer_2020.csv.gz".
std::string name_of(const std::filesystem::path& file) {
  std::string name = file.filename().string();
  if (const auto dot = name.find('.', 1); dot != std::string::npos) name.resize(dot);
  return name;
}

}  // namespace

Result<std::vector<NamedSeries>> read_series(const std::filesystem::path& file, const grid::ImportOptions& options) {
  const PassingFolder folder;
  if (folder.path().empty())
    return fail("no temporary folder can be made", "TMPDIR", "make room there or set TMPDIR", Error::Kind::failed);
  auto store = grid::Store::open(folder.path() / "series.sqlite");
  if (!store) return tl::unexpected(store.error());
  auto imported = grid::import_file(*store, file, options);
  if (!imported && imported.error().kind == Error::Kind::usage && options.zone.empty()) {
    grid::ImportOptions named = options;
    named.zone = name_of(file);
    imported = grid::import_file(*store, file, named);
  }
  if (!imported) return tl::unexpected(imported.error());
  std::vector<NamedSeries> out;
  for (const grid::ImportedSeries& s : imported->series) {
    auto series = store->get(s.key, s.window);
    if (!series) return tl::unexpected(series.error());
    out.push_back({s.key.zone, std::move(*series)});
  }
  return out;
}

}  // namespace gramwatt::cli
