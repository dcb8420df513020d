# gramwatt_portable(TARGET): links the C++ runtime statically and keeps to symbols of glibc 2.34; see compat/glibc_compat.c. Under a
# sanitizer the runtime is shared anyway, and nothing is promised.
# Position-independent, although static OpenSSL's 19,000 pointers are relocated at every start for it (0.4 ms): a binary that may be
# given capabilities keeps its addresses to itself.
function(gramwatt_portable target)
  if(GRAMWATT_SANITIZE)
    return()
  endif()
  target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/compat/glibc_compat.c)
  target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections -Wl,--exclude-libs,ALL)
endfunction()
