/* A library with AMD SMI's face (ABI 24 to 26), or rocm_smi's; see fake_script.h. Variable: GRAMWATT_FAKE_AMDSMI.
 *   year 25 / major 7      what the version call says (with year 0: ABI 26, major first)
 *   init 0
 *   0 bdf 0xc100           bus << 8 | device << 3 | function
 *   0 energy 123456
 *   0 resolution_n 15300   nJ a count
 *   0 power_uw 70000000    rocm_smi
 * FAKE_WITHOUT_ENERGY: the energy call is missing. */
#include <stdint.h>

#include "fake_script.h"

#define VARIABLE "GRAMWATT_FAKE_AMDSMI"
enum { INVAL = 1, NOT_SUPPORTED = 2 };

static int handles[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static uint32_t device_count(void) {
  char text[64];
  uint32_t n = 0;
  while (n < 8 && script_text(VARIABLE, (int)n, "bdf", text, sizeof text)) ++n;
  return n;
}

static long energy_of(int device, uint64_t* counts, float* resolution, uint64_t* timestamp) {
  unsigned long long value = 0;
  unsigned long long nj = 15300;
  script_delay(VARIABLE);
  long code = script_number(VARIABLE, device, "energy", &value, NOT_SUPPORTED);
  if (code != 0) return code;
  (void)script_number(VARIABLE, device, "resolution_n", &nj, 0);
  *counts = value;
  *resolution = (float)nj / 1000.0F;
  *timestamp = 1;
  return 0;
}

/* AMD SMI */
uint32_t amdsmi_get_lib_version(uint32_t* version) {
  unsigned long long year = 25, major = 25;
  (void)script_number(VARIABLE, -1, "year", &year, 0);
  (void)script_number(VARIABLE, -1, "major", &major, 0);
  if (year != 0) {
    version[0] = (uint32_t)year;
    version[1] = (uint32_t)major;
  } else {
    version[0] = (uint32_t)major;
  }
  return 0;
}
uint32_t amdsmi_init(uint64_t flags) {
  unsigned long long none = 0;
  if (flags != 2) return INVAL;
  printf("amdsmi: text that nobody asked for\n");
  fflush(stdout);
  return (uint32_t)script_number(VARIABLE, -1, "init", &none, 0);
}
uint32_t amdsmi_shut_down(void) { return 0; }
uint32_t amdsmi_get_socket_handles(uint32_t* count, void** out) {
  uint32_t n = device_count();
  if (out)
    for (uint32_t i = 0; i < n && i < *count; ++i) out[i] = &handles[i];
  *count = n;
  return 0;
}
uint32_t amdsmi_get_processor_handles(void* socket, uint32_t* count, void** out) {
  if (out && *count > 0) out[0] = socket;
  *count = 1;
  return 0;
}
uint32_t amdsmi_get_gpu_device_bdf(void* handle, uint64_t* bdf) {
  unsigned long long value = 0;
  long code = script_number(VARIABLE, *(int*)handle, "bdf", &value, NOT_SUPPORTED);
  *bdf = value;
  return (uint32_t)code;
}
#ifndef FAKE_WITHOUT_ENERGY
uint32_t amdsmi_get_energy_count(void* handle, uint64_t* counts, float* resolution, uint64_t* timestamp) {
  return (uint32_t)energy_of(*(int*)handle, counts, resolution, timestamp);
}
#endif

/* rocm_smi */
uint32_t rsmi_init(uint64_t flags) {
  (void)flags;
  fprintf(stderr, "rsmi: text that nobody asked for\n");
  return 0;
}
uint32_t rsmi_shut_down(void) { return 0; }
uint32_t rsmi_num_monitor_devices(uint32_t* n) {
  *n = device_count();
  return 0;
}
uint32_t rsmi_dev_pci_id_get(uint32_t device, uint64_t* bdf) {
  unsigned long long value = 0;
  long code = script_number(VARIABLE, (int)device, "bdf", &value, NOT_SUPPORTED);
  *bdf = value;
  return (uint32_t)code;
}
uint32_t rsmi_dev_energy_count_get(uint32_t device, uint64_t* counts, float* resolution, uint64_t* timestamp) {
  return (uint32_t)energy_of((int)device, counts, resolution, timestamp);
}
uint32_t rsmi_dev_power_ave_get(uint32_t device, uint32_t sensor, uint64_t* microwatts) {
  unsigned long long value = 0;
  (void)sensor;
  long code = script_number(VARIABLE, (int)device, "power_uw", &value, NOT_SUPPORTED);
  *microwatts = value;
  return (uint32_t)code;
}
