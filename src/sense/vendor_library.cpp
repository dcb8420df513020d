#include "sense/vendor_library.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace gramwatt::sense {

Result<std::shared_ptr<VendorLibrary>> VendorLibrary::open(const std::vector<std::string>& names) {
  std::string why;
  for (const std::string& name : names) {
    if (void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL); handle != nullptr)
      return std::make_shared<VendorLibrary>(handle, name);
    const char* said = ::dlerror();
    if (why.empty() && said != nullptr) why = said;
  }
  return fail(why.empty() ? "cannot be opened" : why, names.empty() ? "" : names.front(), {}, Error::Kind::unavailable);
}

VendorLibrary::~VendorLibrary() { ::dlclose(handle_); }

void* VendorLibrary::address_of(const char* symbol) const { return ::dlsym(handle_, symbol); }

Hush::Hush() {
  std::fflush(stdout);
  std::fflush(stderr);
  const Fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nowhere) return;
  out_ = Fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  err_ = Fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  if (out_) ::dup2(nowhere.get(), STDOUT_FILENO);
  if (err_) ::dup2(nowhere.get(), STDERR_FILENO);
}

Hush::~Hush() {
  std::fflush(stdout);
  std::fflush(stderr);
  if (out_) ::dup2(out_.get(), STDOUT_FILENO);
  if (err_) ::dup2(err_.get(), STDERR_FILENO);
}

}  // namespace gramwatt::sense
