# gramwatt_portable(TARGET): links the C++ runtime statically and keeps to symbols of glibc 2.34; see compat/glibc_compat.c. Under a
# sanitizer the runtime is shared anyway, and nothing is promised.
# Not position-independent: static OpenSSL holds 19,000 pointers that would be relocated at every start, and its pages copied for
# it, used or not: 0.4 ms, half of what `gramwatt version` takes (docs/validation.md). Stack, heap and libraries stay randomised.
function(gramwatt_portable target)
  if(GRAMWATT_SANITIZE)
    return()
  endif()
  target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/compat/glibc_compat.c)
  target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections -Wl,--exclude-libs,ALL
                                            -no-pie)
endfunction()
