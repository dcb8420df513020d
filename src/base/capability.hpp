#pragma once
// Linux capabilities, held no longer than a moment. See capabilities(7).
//
// A binary with the file capability `cap_perfmon=p` may read energy counters for users who may not. Permitted is not effective:
// the right is raised around the one call that needs it, and given up for good before the program of the user starts.

#include <string>
#include <string_view>

namespace gramwatt {

/// Raises one capability of this thread while it lives; does nothing when it is not permitted or raised already.
class RaisedCapability {
 public:
  /// `number`: CAP_… of linux/capability.h.
  explicit RaisedCapability(int number);
  ~RaisedCapability();
  RaisedCapability(const RaisedCapability&) = delete;
  RaisedCapability& operator=(const RaisedCapability&) = delete;

 private:
  int number_;
  bool raised_ = false;
};

/// The command that gives this program rights for good: "sudo setcap cap_perfmon=p /usr/bin/gramwatt". Permitted, not
/// effective: see above. setcap replaces what was given before, so `rights` names all that are wanted.
[[nodiscard]] std::string setcap_command(std::string_view rights);

/// Gives up every capability that this thread has beyond a plain user's. Root keeps its own.
void drop_capabilities();

}  // namespace gramwatt
