#pragma once
// Asks for carbon intensity while a run goes on.
//
// Providers are asked at once and then every half hour, in a thread of its own, so that neither the program nor the sampling
// nor the ledger waits for somebody's server. What they said is in the store when the account is made. A run that ends sooner
// than the first answer gives it a moment, and then goes without: `reweigh` mends it later.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gramwatt::job {

class Fetcher {
 public:
  /// `fetch` asks and returns what failed, a line each; it is called in the new thread and must own all that it needs: it may
  /// outlive this object by one request.
  explicit Fetcher(std::function<std::vector<std::string>()> fetch, std::chrono::milliseconds every = std::chrono::minutes(30));
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  struct Outcome {
    bool in_time = true;              ///< no request was under way any more
    std::vector<std::string> failed;  ///< of the last round that ended
  };
  /// Ends: no new round begins; one under way is waited for, for `patience` at most.
  [[nodiscard]] Outcome end(std::chrono::milliseconds patience);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gramwatt::job
