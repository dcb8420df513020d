#pragma once
// A model that is tried day after day, as time goes by: its forecasts for earlier origins, made then, and the errors that came
// of them. Internal to grid.

#include <optional>
#include <vector>

#include "grid/forecast.hpp"
#include "grid/hourly.hpp"
#include "grid/ridge.hpp"

namespace gramwatt::grid {

class Rolling {
 public:
  /// `data` must outlive it. Origins are at `phase` (0..23).
  Rolling(const Hourly& data, Model model, Hour phase, Horizon horizon);

  struct Made {
    Model model = Model::ridge;  ///< the wanted one, or climatology where that needs more history
    std::vector<double> values;
    std::vector<std::vector<double>> paths;  ///< relative errors of earlier origins, oldest first
    int borrowed = 0;                        ///< of `paths`: climatology's, where the model itself has too few
    int filled = 0;                          ///< lags that were missing
    int rows = 0;                            ///< days that a regression learnt from; 0: no regression
  };
  /// From everything before `origin` and nothing else. Origins must ascend. Nothing: not even climatology can be made.
  [[nodiscard]] std::optional<Made> at(Hour origin);
  /// The same without paths: nothing is tried on earlier days.
  [[nodiscard]] std::optional<Made> values_at(Hour origin);

 private:
  struct Trial {
    Hour origin = 0;
    std::vector<double> values;
    std::vector<double> errors;  ///< once the truth is known; empty where it has holes
    bool judged = false;
  };
  using Trials = std::vector<Trial>;

  void advance(Hour now);
  void try_ridge(Hour origin);
  void judge(Trials& trials, Hour now) const;
  [[nodiscard]] std::vector<double> errors_of(const Trial& trial) const;
  void add_paths(Made& made) const;

  const Hourly& data_;
  Model model_;
  Horizon horizon_;
  Hour next_ = 0;  ///< the first origin that has not been tried
  int tried_ = 0;
  std::optional<Ridge> ridge_;
  Ridge::Coefficients standing_;  ///< of the trials: renewed each week
  Trials own_, simple_;           ///< of the model, and of climatology where that may have to stand in
};

/// The models that need no fit. Nothing where too little is known before `origin`.
[[nodiscard]] std::optional<Prediction> seasonal_naive(const Hourly& data, Hour origin, Horizon horizon);
[[nodiscard]] std::optional<Prediction> climatology(const Hourly& data, Hour origin, Horizon horizon);

/// The 90 % band of each horizon hour around a value of 1.
[[nodiscard]] std::vector<Shift> bands(const std::vector<std::vector<double>>& paths, std::size_t hours);

}  // namespace gramwatt::grid
