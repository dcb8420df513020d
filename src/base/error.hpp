#pragma once
// How things fail here: a value that says what went wrong, where, and what the reader can do about it.
//
// Everything that can fail for a reason outside the program returns Result<T>. Exceptions are for bugs, and for libraries of
// others at the edge where they are called. A remedy is one sentence or one command; empty when there is none.

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace gramwatt {

struct Error {
  enum class Kind {
    failed,       ///< a check or an operation failed (exit 1)
    usage,        ///< the request itself is wrong (exit 2)
    missing,      ///< the thing asked for does not exist (exit 3)
    unavailable,  ///< a provider or sensor asked for is not available (exit 4)
  };

  std::string what;    ///< what went wrong, e.g. "cannot read: permission denied"
  std::string where;   ///< the file, option or address it is about
  std::string remedy;  ///< what to do about it; may be empty
  Kind kind = Kind::failed;

  /// "where: what (remedy)" on one line.
  [[nodiscard]] std::string message() const;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string what, std::string where = {}, std::string remedy = {},
                                  Error::Kind kind = Error::Kind::failed) {
  return tl::unexpected<Error>(Error{std::move(what), std::move(where), std::move(remedy), kind});
}

/// An Error for a failed system call: errno's text, with the usual remedy where there is one.
[[nodiscard]] Error errno_error(int error_number, std::string doing, std::string where);

}  // namespace gramwatt
