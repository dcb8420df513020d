#pragma once
// Opening a vendor's library at run time: names to try, functions to find, silence while it starts.

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace gramwatt::sense {

class VendorLibrary {
 public:
  /// The first of `names` that opens. The error has the dynamic linker's words about the first of them.
  [[nodiscard]] static Result<std::shared_ptr<VendorLibrary>> open(const std::vector<std::string>& names);
  explicit VendorLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  ~VendorLibrary();
  VendorLibrary(const VendorLibrary&) = delete;
  VendorLibrary& operator=(const VendorLibrary&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Sets `slot` to the function; false, and null, when the library lacks it.
  template <class Function>
  bool find(const char* symbol, Function& slot) const {
    slot = reinterpret_cast<Function>(address_of(symbol));
    return slot != nullptr;
  }

 private:
  [[nodiscard]] void* address_of(const char* symbol) const;
  void* handle_;
  std::string name_;
};

/// While it lives, nothing that this process writes to standard output or error is seen: some libraries greet. Only before
/// threads are started.
class Hush {
 public:
  Hush();
  ~Hush();
  Hush(const Hush&) = delete;
  Hush& operator=(const Hush&) = delete;

 private:
  Fd out_, err_;
};

}  // namespace gramwatt::sense
