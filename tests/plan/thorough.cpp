// Properties are tried thousands of times: planning small problems takes microseconds, and rare ties are where planners err.

#include <cstdlib>

namespace {
const int kSet = ::setenv("RC_PARAMS", "max_success=3000", 0);
}  // namespace
