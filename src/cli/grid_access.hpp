#pragma once
// The grid as this user has configured it.

#include "cli/context.hpp"
#include "grid/grid.hpp"
#include "job/reweigh.hpp"
#include "place/place.hpp"

namespace gramwatt::cli {

/// Store, order of trust, and every provider that is named with what it needs: accounts from the environment, else from the
/// configuration.
[[nodiscard]] grid::GridSettings grid_settings(const Settings& settings);

/// What is known of a run's place over its time: providers that may be asked are asked first. `zone`: in place of the run's
/// own.
[[nodiscard]] job::Knowledge grid_knowledge(const Settings& settings, const std::optional<std::string>& zone = {});

/// Where providers are asked for.
[[nodiscard]] grid::Where where_of(const place::Place& place);

/// Over the zones in which the place may as well lie.
[[nodiscard]] grid::Reach reach_of(const place::Place& place);

}  // namespace gramwatt::cli
