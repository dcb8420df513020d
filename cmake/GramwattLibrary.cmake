# One CMake library a folder of src/, linking only the folders that stand in its row of docs/architecture.md:
# an include that goes against the arrows finds no header, because every library exports its own folder only.

# Functions apart, so that the linker drops those that nobody calls.
add_compile_options(-ffunction-sections -fdata-sections)

set(GRAMWATT_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror=return-type)

add_library(gramwatt_options INTERFACE)
if(GRAMWATT_SANITIZE)
  target_compile_options(gramwatt_options INTERFACE -fsanitize=${GRAMWATT_SANITIZE} -fno-omit-frame-pointer
                                                    -fno-sanitize-recover=all)
  target_link_options(gramwatt_options INTERFACE -fsanitize=${GRAMWATT_SANITIZE})
  # Beast and CLI11 trip g++ 12's flow warnings only under sanitizers.
  target_compile_options(gramwatt_options INTERFACE -Wno-maybe-uninitialized)
endif()

# gramwatt_library(NAME SOURCES a.cpp … [LINKS other…] [PRIVATE_LINKS …])
# Headers of folder NAME are included as "NAME/header.hpp" by those that link it.
function(gramwatt_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/include-${name})
  file(MAKE_DIRECTORY ${view})
  if(NOT EXISTS ${view}/${name})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)
  endif()
  add_library(gramwatt_${name} STATIC ${ARG_SOURCES})
  target_include_directories(gramwatt_${name} PUBLIC ${view})
  target_compile_options(gramwatt_${name} PRIVATE ${GRAMWATT_WARNINGS})
  target_link_libraries(gramwatt_${name} PUBLIC gramwatt_options ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

# gramwatt_test(NAME SOURCES … LINKS …): one GoogleTest program; its cases become ctest cases.
function(gramwatt_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_compile_options(test_${name} PRIVATE ${GRAMWATT_WARNINGS})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINKS} gramwatt_testing GTest::gmock GTest::gtest_main)
  gtest_discover_tests(test_${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
endfunction()
