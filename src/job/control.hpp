#pragma once
// How another terminal speaks to a job that waits or runs: `gramwatt pause|resume|now|cancel RUN`, `gramwatt progress X`.
//
// One datagram asks, one answers, over a socket in a folder that only this user can enter. It wakes the job's gramwatt at once,
// where a word left in the ledger would have to be looked for again and again; and a job whose gramwatt is gone is noticed,
// because nobody answers.

#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"

namespace gramwatt::job {

/// The job's end. Removes its socket at the end. Single-threaded.
class ControlServer {
 public:
  [[nodiscard]] static Result<ControlServer> open(const std::string& run_id);
  ControlServer(ControlServer&& other) noexcept : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  ControlServer& operator=(ControlServer&&) = delete;
  ~ControlServer();

  /// Readable when somebody has asked.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Answers every question that waits. An answer that is an Error reaches the one who asked as one. Never waits.
  void serve(const std::function<Result<std::string>(const std::string& question)>& answer);

 private:
  ControlServer(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

/// A word that wants no answer: does not wait, and does not matter when nobody listens.
void tell_job(const std::string& run_id, const std::string& word);

/// A resource that one job at a time may use, by its name: a lock that the kernel gives back when its holder dies.
class ResourceLock {
 public:
  /// An Error where no lock can be made at all; `taken` tells whether it is ours.
  [[nodiscard]] Result<void> try_take(const std::string& resource);
  [[nodiscard]] bool taken() const { return static_cast<bool>(fd_); }
  void give_back() { fd_.reset(); }

 private:
  Fd fd_;
};

/// Asks a job. Kind missing where nobody listens: its gramwatt is gone.
[[nodiscard]] Result<std::string> ask_job(const std::string& run_id, const std::string& question);

}  // namespace gramwatt::job
