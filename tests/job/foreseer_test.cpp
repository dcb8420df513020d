// Asking the grid in a thread of its own: the only thread of a job's loop, so this is what the thread sanitizer sees of it.

#include "job/foreseer.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>

namespace gramwatt::job {
namespace {

bool is_answered(const Foreseer& f) {
  pollfd wait{f.fd(), POLLIN, 0};
  return ::poll(&wait, 1, 10'000) == 1;
}

TEST(Foreseer, AnswersWhatItIsAskedAndOneQuestionAtATime) {
  std::atomic<int> asked = 0;
  std::promise<void> may_answer;
  Foreseer f([&, go = may_answer.get_future().share()](grid::Window window) -> Result<Outlook> {
    ++asked;
    go.wait();
    Outlook o;
    o.errors_from = window.start;
    return o;
  });
  f.ask({Nanoseconds(1), Nanoseconds(2)});
  f.ask({Nanoseconds(3), Nanoseconds(4)});  // one is open: ignored
  EXPECT_FALSE(f.take());
  may_answer.set_value();
  ASSERT_TRUE(is_answered(f));
  const auto answer = f.take();
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((**answer).errors_from, Nanoseconds(1));
  EXPECT_FALSE(f.take());
  EXPECT_EQ(asked, 1);
}

TEST(Foreseer, AFailureIsAnAnswer) {
  Foreseer f([](grid::Window) -> Result<Outlook> { return fail("the provider does not answer"); });
  f.ask({});
  ASSERT_TRUE(is_answered(f));
  const auto answer = f.take();
  ASSERT_TRUE(answer);
  EXPECT_FALSE(*answer);
}

TEST(Foreseer, MayEndWhileAQuestionIsOpen) {
  auto entered = std::make_shared<std::promise<void>>();
  auto may_answer = std::make_shared<std::promise<void>>();
  {
    Foreseer f([entered, go = may_answer->get_future().share()](grid::Window) -> Result<Outlook> {
      entered->set_value();
      go.wait();
      return Outlook{};
    });
    f.ask({});
    entered->get_future().wait();
  }
  may_answer->set_value();
}

}  // namespace
}  // namespace gramwatt::job
