/* A library with the face of Level Zero's Sysman; see fake_script.h. Variable: GRAMWATT_FAKE_LEVELZERO.
 *   init 0
 *   0 bus 3                  PCI bus; a device exists while it has one
 *   0 card 0                 the domain that zesDeviceGetCardPowerDomain gives ("!0x78000003": not supported)
 *   0 domains 2              how many zesDeviceEnumPowerDomains gives; 16 a device
 *   N domain / N tile / N energy_uj   of power domain N = 16 * device + index: 1 card, 2 package; on a tile?; the counter
 * FAKE_OLD: without zesInit, as loaders before 1.9 were. */
#include <stdint.h>

#include "fake_script.h"

#define VARIABLE "GRAMWATT_FAKE_LEVELZERO"
#define UNSUPPORTED 0x78000003L

static int devices[8] = {0, 1, 2, 3, 4, 5, 6, 7};
static int domains[128];

struct pci_address {
  uint32_t domain, bus, device, function;
};
struct pci_properties {
  int32_t stype;
  void* next;
  struct pci_address address;
  int64_t speed[2];
  uint8_t has[3];
};
struct power_properties {
  int32_t stype;
  void* next;
  uint8_t on_subdevice;
  uint32_t subdevice;
  uint8_t can_control, threshold;
  int32_t limits[3];
};
struct power_ext_properties {
  int32_t stype;
  void* next;
  int32_t domain;
  void* limit;
};

static int32_t read_number(int device, const char* key, unsigned long long* value) {
  script_delay(VARIABLE);
  return (int32_t)script_number(VARIABLE, device, key, value, UNSUPPORTED);
}

#ifndef FAKE_OLD
int32_t zesInit(uint32_t flags) {
  unsigned long long none = 0;
  (void)flags;
  return (int32_t)script_number(VARIABLE, -1, "init", &none, 0);
}
#endif
int32_t zesDriverGet(uint32_t* count, void** out) {
  if (out && *count > 0) out[0] = devices;
  *count = 1;
  return 0;
}
int32_t zesDeviceGet(void* driver, uint32_t* count, void** out) {
  char text[64];
  uint32_t n = 0;
  (void)driver;
  while (n < 8 && script_text(VARIABLE, (int)n, "bus", text, sizeof text)) ++n;
  if (out)
    for (uint32_t i = 0; i < n && i < *count; ++i) out[i] = &devices[i];
  *count = n;
  return 0;
}
int32_t zesDevicePciGetProperties(void* device, struct pci_properties* p) {
  unsigned long long bus = 0;
  if (p->stype != 2) return UNSUPPORTED;
  int32_t code = read_number(*(int*)device, "bus", &bus);
  p->address.domain = 0;
  p->address.bus = (uint32_t)bus;
  p->address.device = 0;
  p->address.function = 0;
  return code;
}
int32_t zesDeviceGetCardPowerDomain(void* device, void** domain) {
  unsigned long long index = 0;
  int32_t code = read_number(*(int*)device, "card", &index);
  if (code != 0) return code;
  index += (unsigned long long)(16 * *(int*)device);
  domains[index] = (int)index;
  *domain = &domains[index];
  return 0;
}
int32_t zesDeviceEnumPowerDomains(void* device, uint32_t* count, void** out) {
  unsigned long long n = 0;
  int32_t code = read_number(*(int*)device, "domains", &n);
  if (code != 0) return code;
  if (out)
    for (uint32_t i = 0; i < n && i < *count; ++i) {
      int index = 16 * *(int*)device + (int)i;
      domains[index] = index;
      out[i] = &domains[index];
    }
  *count = (uint32_t)n;
  return 0;
}
int32_t zesPowerGetProperties(void* domain, struct power_properties* p) {
  unsigned long long tile = 0, kind = 0;
  if (p->stype != 0xd) return UNSUPPORTED;
  (void)read_number(*(int*)domain, "tile", &tile);
  p->on_subdevice = tile != 0;
  struct power_ext_properties* ext = p->next;
  if (ext && ext->stype == 0x28 && read_number(*(int*)domain, "domain", &kind) == 0) ext->domain = (int32_t)kind;
  return 0;
}
int32_t zesPowerGetEnergyCounter(void* domain, uint64_t* energy_and_time) {
  unsigned long long energy = 0;
  int32_t code = read_number(*(int*)domain, "energy_uj", &energy);
  energy_and_time[0] = energy;
  energy_and_time[1] = 1;
  return code;
}
