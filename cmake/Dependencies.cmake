# Libraries of others, all from Debian 12 packages (scripts/install-deps holds the one list), all linked statically so that
# the binary needs nothing but glibc. Debian's CMake targets for fmt, toml++ and SQLite name shared objects; hence the
# header-only forms and explicit archives below.
find_package(Threads REQUIRED)

# {fmt}: compiled once, into base (src/base/fmt_static.cpp includes Debian's format-inl.h).
find_path(FMT_INCLUDE_DIR fmt/format.h REQUIRED)
add_library(gramwatt_fmt INTERFACE)
target_include_directories(gramwatt_fmt SYSTEM INTERFACE ${FMT_INCLUDE_DIR})

find_package(tl-expected REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(Boost 1.74 REQUIRED)

find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
add_library(gramwatt_toml INTERFACE)
target_include_directories(gramwatt_toml SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR})
target_compile_definitions(gramwatt_toml INTERFACE TOML_HEADER_ONLY=1)

# Header-only; its own CMake target would do, but not as a system include.
find_path(EIGEN3_INCLUDE_DIR Eigen/Cholesky PATH_SUFFIXES eigen3 REQUIRED)
add_library(gramwatt_eigen INTERFACE)
target_include_directories(gramwatt_eigen SYSTEM INTERFACE ${EIGEN3_INCLUDE_DIR})
target_compile_definitions(gramwatt_eigen INTERFACE EIGEN_MPL2_ONLY=1)

find_library(SQLITE3_ARCHIVE libsqlite3.a REQUIRED)
find_library(SQLITECPP_ARCHIVE libSQLiteCpp.a REQUIRED)
find_path(SQLITECPP_INCLUDE_DIR SQLiteCpp/SQLiteCpp.h REQUIRED)
add_library(gramwatt_sqlite INTERFACE)
target_include_directories(gramwatt_sqlite SYSTEM INTERFACE ${SQLITECPP_INCLUDE_DIR})
target_link_libraries(gramwatt_sqlite INTERFACE ${SQLITECPP_ARCHIVE} ${SQLITE3_ARCHIVE} Threads::Threads m)

find_library(PUGIXML_ARCHIVE libpugixml.a REQUIRED)
find_path(PUGIXML_INCLUDE_DIR pugixml.hpp REQUIRED)
add_library(gramwatt_pugixml INTERFACE)
target_include_directories(gramwatt_pugixml SYSTEM INTERFACE ${PUGIXML_INCLUDE_DIR})
target_link_libraries(gramwatt_pugixml INTERFACE ${PUGIXML_ARCHIVE})

find_library(SSL_ARCHIVE libssl.a REQUIRED)
find_library(CRYPTO_ARCHIVE libcrypto.a REQUIRED)
find_path(OPENSSL_INCLUDE_DIR openssl/ssl.h REQUIRED)
add_library(gramwatt_openssl INTERFACE)
target_include_directories(gramwatt_openssl SYSTEM INTERFACE ${OPENSSL_INCLUDE_DIR})
target_link_libraries(gramwatt_openssl INTERFACE ${SSL_ARCHIVE} ${CRYPTO_ARCHIVE} Threads::Threads ${CMAKE_DL_LIBS})

find_library(ZLIB_ARCHIVE libz.a REQUIRED)
find_path(ZLIB_INCLUDE_DIR zlib.h REQUIRED)
add_library(gramwatt_zlib INTERFACE)
target_include_directories(gramwatt_zlib SYSTEM INTERFACE ${ZLIB_INCLUDE_DIR})
target_link_libraries(gramwatt_zlib INTERFACE ${ZLIB_ARCHIVE})

# Abseil's civil time and time zones: its CMake targets name archives, but drag in every library's flags. In link order.
add_library(gramwatt_absl_time INTERFACE)
find_path(ABSL_INCLUDE_DIR absl/time/time.h REQUIRED)
target_include_directories(gramwatt_absl_time SYSTEM INTERFACE ${ABSL_INCLUDE_DIR})
foreach(part time civil_time time_zone strings strings_internal int128 throw_delegate base spinlock_wait raw_logging_internal log_severity)
  find_library(ABSL_${part}_ARCHIVE libabsl_${part}.a REQUIRED)
  target_link_libraries(gramwatt_absl_time INTERFACE ${ABSL_${part}_ARCHIVE})
endforeach()

if(GRAMWATT_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  include(GoogleTest)
endif()
