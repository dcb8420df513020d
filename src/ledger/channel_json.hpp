#pragma once
// Channels as JSON, for the ledger's own rows (implemented in record_json.cpp, the one file that includes the JSON library).

#include <string>
#include <string_view>

#include "base/account.hpp"
#include "base/error.hpp"

namespace gramwatt::ledger {

[[nodiscard]] std::string channel_to_json(const Channel& channel);
[[nodiscard]] Result<Channel> channel_from_json(std::string_view text);

}  // namespace gramwatt::ledger
