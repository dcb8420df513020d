#pragma once
// Where the readers of the formats put what they have read: values of zones at written times. The sink gives them their
// instants and units, checks them, and hands them to the store.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grid/import.hpp"
#include "grid/local_time.hpp"
#include "grid/store.hpp"

namespace gramwatt::grid {

/// What the header told; options win.
struct FileFacts {
  FileFormat format = FileFormat::tidy_csv;
  std::string name;  ///< of the file, for the origin
  std::string value_column;
  bool time_is_utc = false;
  std::optional<LabelEnd> label;
  std::optional<IntensityUnit> unit;
  std::optional<SignalKind> kind;
  std::string factor;
  std::vector<std::string> notes;
};

/// How large the values are, as a whole: a histogram over the binary exponent, eight to the octave.
class Sizes {
 public:
  void add(double value);
  /// Of what was added, to 10 %.
  [[nodiscard]] double median() const;

 private:
  static constexpr int kOctaves = 64;
  static constexpr int kLowest = -24;
  static constexpr int kParts = 8;
  std::array<std::size_t, static_cast<std::size_t>(kOctaves) * kParts> count_{};
};

class ImportSink {
 public:
  [[nodiscard]] static Result<ImportSink> make(Store& store, const ImportOptions& options, FileFacts facts);

  /// The number of a zone's series. Kind usage: no zone, or a second one where the options name one.
  [[nodiscard]] Result<std::size_t> series(std::string_view zone);
  /// A value as it stands in the file. The error does not say where: the reader does.
  [[nodiscard]] Result<void> value(std::size_t series, const WrittenTime& time, double value, PointKind kind);
  /// Nothing known of a time.
  void blank(std::size_t series, const WrittenTime& time);
  /// A resolution that a record itself tells.
  void told_resolution(Nanoseconds length) { ++told_[length.count()]; }
  void note(std::string text) { result_.notes.push_back(std::move(text)); }
  /// Before the first series.
  void set_kind(SignalKind kind);
  [[nodiscard]] std::size_t rows() const { return result_.rows; }

  /// Checks the whole, describes the series and commits.
  [[nodiscard]] Result<ImportResult> finish(std::size_t lines);

 private:
  struct One {
    std::size_t writer_id = 0;
    SeriesKey key;
    std::size_t rows = 0, blanks = 0;
    Nanoseconds last{};  ///< instant of the last row
    bool any = false, descending = false;
    /// How often neighbouring rows stand so far apart, blank ones too: a table that is half blank is still hourly.
    std::map<std::int64_t, std::size_t> steps;
    std::int64_t step = 0;                 ///< the last one
    std::size_t* count_of_step = nullptr;  ///< of `steps`
  };
  static_assert(std::is_nothrow_move_constructible_v<One>, "count_of_step points into a map that must move, not be copied");
  ImportSink(Store& store, const ImportOptions& options, FileFacts facts, TimeZone zone);
  [[nodiscard]] Result<Nanoseconds> instant(One& one, const WrittenTime& time);
  void stand_at(One& one, Nanoseconds at);
  [[nodiscard]] Result<void> put(std::size_t series, Point p);
  [[nodiscard]] Result<void> settle_end_labels();
  [[nodiscard]] Result<void> check_sizes();
  static void count_step(One& one, Nanoseconds step);
  [[nodiscard]] Result<Nanoseconds> resolution_of(const One& one, const Store::Writer::Seen& seen) const;
  [[nodiscard]] Series header(const One& one, Nanoseconds resolution, Nanoseconds last) const;
  [[nodiscard]] Result<void> close(One& one);
  void add_notes();

  const ImportOptions* options_;
  FileFacts facts_;
  TimeZone zone_;
  SignalKind kind_ = SignalKind::average;
  double scale_ = 1;
  Store::Writer writer_;
  std::vector<One> all_;
  std::unordered_map<std::string, std::size_t> by_zone_;
  std::string only_zone_text_;  ///< as the file names what the options name
  Sizes sizes_;
  std::map<std::int64_t, std::size_t> told_;
  std::size_t beyond_ = 0;
  bool some_bare_ = false, some_offset_ = false;  ///< labels without and with an offset of their own
  /// Labels at the end of an interval wait here until its length is known.
  std::vector<std::pair<std::size_t, Point>> waiting_;
  Nanoseconds back_{};  ///< from label to start
  bool end_is_settled_ = true;
  ImportResult result_;
};

}  // namespace gramwatt::grid
