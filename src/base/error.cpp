#include "base/error.hpp"

#include <cerrno>
#include <cstring>

namespace gramwatt {

std::string Error::message() const {
  std::string text = where.empty() ? what : where + ": " + what;
  if (!remedy.empty()) text += " (" + remedy + ")";
  return text;
}

Error errno_error(int error_number, std::string doing, std::string where) {
  Error e;
  e.what = std::move(doing) + ": " + std::strerror(error_number);
  e.where = std::move(where);
  switch (error_number) {
    case ENOENT: e.kind = Error::Kind::missing; break;
    case EACCES:
    case EPERM: e.remedy = "check the permissions of this path"; break;
    case ENOSPC:
    case EDQUOT: e.remedy = "free some space, or choose another place with --ledger PATH"; break;
    case EROFS: e.remedy = "the file system is read-only; choose another place with --ledger PATH"; break;
    default: break;
  }
  return e;
}

}  // namespace gramwatt
