# find_package(gramwatt): targets gramwatt::gramwatt (shared) and gramwatt::static.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/gramwattTargets.cmake)
