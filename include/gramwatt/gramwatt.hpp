#ifndef GRAMWATT_GRAMWATT_HPP
#define GRAMWATT_GRAMWATT_HPP
// gramwatt for C++17: regions that end with their scope. Meaning, cost and failure: gramwatt.h.
//
//     void train() {
//       gramwatt::Region epoch("epoch");
//       ...
//     }                                        // ends here, also when an exception leaves the scope
//
//     static const gramwatt::Name kStep("step");    // looked up once, for hot loops
//     for (...) { gramwatt::Region step(kStep); ... }
//
// Nothing here throws or allocates. Link with -lgramwatt.

#include <gramwatt/gramwatt.h>

#include <utility>

namespace gramwatt {

/// A name that was looked up once. Make it where the run's environment is in place: after main has begun, or static.
class Name {
 public:
  explicit Name(const char* name) noexcept : id_(gramwatt_name(name)) {}
  [[nodiscard]] gramwatt_id id() const noexcept { return id_; }

 private:
  gramwatt_id id_;
};

/// A region of time, from construction to destruction. Move only; the moved-from one has nothing left to end. An object is
/// used by one thread at a time, and may be moved to another thread and end there.
class Region {
 public:
  explicit Region(const char* name) noexcept : region_(gramwatt_begin(name)) {}
  explicit Region(const Name& name) noexcept : region_(gramwatt_begin_id(name.id())) {}
  Region(Region&& other) noexcept : region_(std::exchange(other.region_, 0)) {}
  /// Ends what this one had begun, and takes the other's over.
  Region& operator=(Region&& other) noexcept {
    if (this != &other) {
      end();
      region_ = std::exchange(other.region_, 0);
    }
    return *this;
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region() { end(); }

  /// Ends it now. A second time does nothing.
  void end() noexcept {
    if (region_ != 0) (void)gramwatt_end(std::exchange(region_, 0));
  }
  /// Is it being recorded?
  [[nodiscard]] explicit operator bool() const noexcept { return region_ != 0; }

 private:
  gramwatt_region region_;
};

/// Marks this instant.
inline void mark(const char* name) noexcept { (void)gramwatt_mark(name); }
inline void mark(const Name& name) noexcept { (void)gramwatt_mark_id(name.id()); }

/// Are this program's markers being recorded?
[[nodiscard]] inline bool available() noexcept { return gramwatt_available() != 0; }

}  // namespace gramwatt

#endif
