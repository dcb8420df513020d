// The exact plan against a solver that knows nothing of tables: GLPK, on windows too long to weigh every schedule.
//
// Binary variables a slot: x runs, h held, o off, s a restart, d done.
//     x + h + o + d + w = 1      (w: waits)
//     s[i] ≥ o[i-1] + x[i] − 1   h only after x or h, o only after x or o, w only after w, d only after x or d, x never after d
// and the sum of x is the length of the job.

#include <array>
#include <cmath>

#include <glpk.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "make_problem.hpp"
#include "plan/exact.hpp"

namespace gramwatt::plan {
namespace {

class Milp {
 public:
  explicit Milp(const Problem& p) : p_(p), lp_(glp_create_prob()) {
    glp_term_out(GLP_OFF);
    glp_set_obj_dir(lp_, GLP_MIN);
    columns();
    rows();
  }
  ~Milp() { glp_delete_prob(lp_); }
  Milp(const Milp&) = delete;
  Milp& operator=(const Milp&) = delete;

  Cost least() {
    glp_iocp options;
    glp_init_iocp(&options);
    options.presolve = GLP_ON;
    if (glp_intopt(lp_, &options) != 0 || glp_mip_status(lp_) != GLP_OPT) return -1;
    return std::llround(glp_mip_obj_val(lp_));
  }

 private:
  enum Kind { run, held, off, wait, done, restart, kinds };

  [[nodiscard]] int column(int slot, Kind kind) const { return slot * kinds + kind + 1; }

  void columns() {
    glp_add_cols(lp_, p_.slots() * kinds);
    for (int i = 0; i < p_.slots(); ++i) {
      const double c = p_.intensity[static_cast<std::size_t>(i)];
      const std::array<double, kinds> energy{static_cast<double>(p_.steps.front()),
                                             static_cast<double>(p_.hold.value_or(0)),
                                             static_cast<double>(p_.wait),
                                             static_cast<double>(p_.wait),
                                             p_.wait_after ? static_cast<double>(p_.wait) : 0.0,
                                             static_cast<double>(p_.restart_energy)};
      for (int k = 0; k < kinds; ++k) {
        glp_set_col_kind(lp_, column(i, static_cast<Kind>(k)), GLP_BV);
        glp_set_obj_coef(lp_, column(i, static_cast<Kind>(k)), energy[static_cast<std::size_t>(k)] * c);
      }
      if (p_.is_blocked(i)) glp_set_col_bnds(lp_, column(i, run), GLP_FX, 0, 0);
      if (!p_.hold) glp_set_col_bnds(lp_, column(i, held), GLP_FX, 0, 0);
      if (!p_.may_exit) glp_set_col_bnds(lp_, column(i, off), GLP_FX, 0, 0);
    }
  }

  struct Term {
    int column;
    double factor;
  };
  void row(int type, double bound, const std::vector<Term>& terms) {
    const int r = glp_add_rows(lp_, 1);
    std::vector<int> index{0};
    std::vector<double> value{0};
    for (const Term& t : terms) {
      index.push_back(t.column);
      value.push_back(t.factor);
    }
    glp_set_row_bnds(lp_, r, type, bound, bound);
    glp_set_mat_row(lp_, r, static_cast<int>(terms.size()), index.data(), value.data());
  }
  /// `kind` in a slot only after itself or `before`; in the first slot not at all.
  void only_after(int slot, Kind kind, Kind before) {
    if (slot == 0) return row(GLP_FX, 0, {{column(0, kind), 1}});
    row(GLP_UP, 0, {{column(slot, kind), 1}, {column(slot - 1, kind), -1}, {column(slot - 1, before), -1}});
  }

  void rows() {
    std::vector<Term> work;
    for (int i = 0; i < p_.slots(); ++i) {
      work.push_back({column(i, run), 1});
      row(GLP_FX, 1,
          {{column(i, run), 1}, {column(i, held), 1}, {column(i, off), 1}, {column(i, wait), 1}, {column(i, done), 1}});
      only_after(i, held, run);
      only_after(i, off, run);
      only_after(i, done, run);
      if (i == 0) continue;
      row(GLP_UP, 0, {{column(i, wait), 1}, {column(i - 1, wait), -1}});
      row(GLP_UP, 1, {{column(i - 1, off), 1}, {column(i, run), 1}, {column(i, restart), -1}});
      row(GLP_UP, 1, {{column(i - 1, off), 1}, {column(i, held), 1}});
      row(GLP_UP, 1, {{column(i - 1, held), 1}, {column(i, off), 1}});
      row(GLP_UP, 1, {{column(i - 1, done), 1}, {column(i, run), 1}});
    }
    row(GLP_FX, p_.length(), work);
  }

  const Problem& p_;
  glp_prob* lp_;
};

TEST(Exact, EqualsAMilpSolverOnLongerWindows) {
  for (int seed = 0; seed < 40; ++seed) {
    rc::Random random(static_cast<std::uint64_t>(seed));
    const auto in = [&](int low, int high) {
      return low + static_cast<int>(random.next() % static_cast<std::uint64_t>(high - low + 1));
    };
    Problem p;
    for (int i = 0, n = in(20, 36); i < n; ++i) p.intensity.push_back(in(0, 500));
    p.steps.assign(static_cast<std::size_t>(in(4, 12)), 10);
    p.restart_energy = in(0, 20);
    p.wait = in(0, 1) * in(0, 3);
    p.wait_after = in(0, 1) == 1;
    if (in(0, 1) == 1) p.hold = in(1, 5);
    if (in(0, 2) == 0) {
      for (int i = 0; i < p.slots(); ++i) p.blocked.push_back(in(0, 7) == 0);
    }
    const auto best = exact(p);
    const Cost least = Milp(p).least();
    ASSERT_EQ(best.has_value(), least >= 0) << p;
    if (best) {
      EXPECT_EQ(weigh(p, *best), least) << p << show(*best);
    }
  }
}

}  // namespace
}  // namespace gramwatt::plan
