#pragma once
// Asks what the grid will do, in a thread of its own: a server that is slow must neither delay a pause nor a resumption.
//
// One question at a time; the answer is taken by the loop that asked. A question that is never answered costs nothing: the plan
// goes on with what was known.

#include <functional>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "job/executor.hpp"

namespace gramwatt::job {

using Foresee = std::function<Result<Outlook>(grid::Window)>;

class Foreseer {
 public:
  /// `foresee` is called in another thread and must own all that it needs: it may outlive this object by one question.
  explicit Foreseer(Foresee foresee);
  ~Foreseer();
  Foreseer(const Foreseer&) = delete;
  Foreseer& operator=(const Foreseer&) = delete;

  /// Ignored while a question is open.
  void ask(grid::Window window);
  /// Readable when an answer is there.
  [[nodiscard]] int fd() const;
  [[nodiscard]] std::optional<Result<Outlook>> take();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gramwatt::job
