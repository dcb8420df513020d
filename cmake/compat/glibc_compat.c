/* The binary must run on glibc 2.34 (Ubuntu 22.04, RHEL 9), and is built where glibc is newer. Two static libraries of the
 * compiler ask for newer symbols when they are linked: libstdc++.a for arc4random (2.36; std::random_device) and libgcc_eh.a
 * for _dl_find_object (2.35; finding the unwind tables of a frame). Both are defined here by what glibc 2.34 has, so that the
 * linker never looks further. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)

uint32_t arc4random(void) {
  uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) abort();
  return value;
}

struct search {
  uintptr_t pc;
  struct dl_find_object* found;
  int ok;
};

/* Fills `found` when the object holds the address in one of its loaded segments and has an unwind table. */
static int look(struct dl_phdr_info* object, size_t size, void* data) {
  struct search* s = data;
  const ElfW(Phdr)* table = NULL;
  uintptr_t low = UINTPTR_MAX;
  uintptr_t high = 0;
  int holds = 0;
  (void)size;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)* p = &object->dlpi_phdr[i];
    const uintptr_t start = object->dlpi_addr + p->p_vaddr;
    if (p->p_type == PT_GNU_EH_FRAME) table = p;
    if (p->p_type != PT_LOAD) continue;
    if (start < low) low = start;
    if (start + p->p_memsz > high) high = start + p->p_memsz;
    if (s->pc >= start && s->pc < start + p->p_memsz) holds = 1;
  }
  if (!holds || !table) return 0;
  s->found->dlfo_flags = 0;
  s->found->dlfo_map_start = (void*)low;
  s->found->dlfo_map_end = (void*)high;
  s->found->dlfo_link_map = NULL;
  s->found->dlfo_eh_frame = (void*)(object->dlpi_addr + table->p_vaddr);
  s->ok = 1;
  return 1;
}

int _dl_find_object(void* address, struct dl_find_object* result) {
  struct search s = {(uintptr_t)address, result, 0};
  dl_iterate_phdr(look, &s);
  return s.ok ? 0 : -1;
}

#endif
