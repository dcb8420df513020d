/* A library with NVML's face, told what to say by the text file that GRAMWATT_FAKE_NVML names:
 *
 *   init 0                      return code of nvmlInit
 *   0 name NVIDIA H100 80GB HBM3
 *   0 uuid GPU-11111111-...
 *   0 energy_mj 123456          or: 0 energy_mj !3   (an error code instead of a value)
 *   0 power_mw 70000
 *   0 limit_mw 700000
 *   0 processes 0
 *   1 name ...
 *
 * The file is read at every call, so that a test changes it between two reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7 };

struct nvmlDevice_st {
  int index;
};
static struct nvmlDevice_st devices[16];

/* The value of `key` for `device` (-1: a line without device); 0 when there is no such line. */
static int lookup(int device, const char* key, char* value, size_t size) {
  const char* path = getenv("GRAMWATT_FAKE_NVML");
  FILE* file = path ? fopen(path, "r") : NULL;
  char line[256];
  char prefix[64];
  int found = 0;
  if (!file) return 0;
  if (device < 0) snprintf(prefix, sizeof prefix, "%s ", key);
  else snprintf(prefix, sizeof prefix, "%d %s ", device, key);
  while (!found && fgets(line, sizeof line, file)) {
    if (strncmp(line, prefix, strlen(prefix)) != 0) continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(value, size, "%s", line + strlen(prefix));
    found = 1;
  }
  fclose(file);
  return found;
}

static int number(int device, const char* key, unsigned long long* out) {
  char text[128];
  if (!lookup(device, key, text, sizeof text)) return NOT_SUPPORTED;
  if (text[0] == '!') return atoi(text + 1);
  *out = strtoull(text, NULL, 10);
  return SUCCESS;
}

static int text_of(struct nvmlDevice_st* d, const char* key, char* out, unsigned size) {
  char text[128];
  if (!lookup(d->index, key, text, sizeof text)) return NOT_SUPPORTED;
  snprintf(out, size, "%s", text);
  return SUCCESS;
}

int nvmlInit_v2(void) {
  unsigned long long code = 0;
  return number(-1, "init", &code) == SUCCESS ? (int)code : SUCCESS;
}
int nvmlShutdown(void) { return SUCCESS; }
const char* nvmlErrorString(int code) {
  switch (code) {
    case 3: return "Not Supported";
    case 9: return "Driver Not Loaded";
    case 15: return "GPU is lost";
    default: return "Unknown Error";
  }
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  char text[128];
  *count = 0;
  while (*count < 16 && lookup((int)*count, "name", text, sizeof text)) ++*count;
  return SUCCESS;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct nvmlDevice_st** device) {
  if (index >= 16) return INVALID_ARGUMENT;
  devices[index].index = (int)index;
  *device = &devices[index];
  return SUCCESS;
}
int nvmlDeviceGetName(struct nvmlDevice_st* d, char* out, unsigned size) { return text_of(d, "name", out, size); }
int nvmlDeviceGetUUID(struct nvmlDevice_st* d, char* out, unsigned size) { return text_of(d, "uuid", out, size); }
int nvmlDeviceGetTotalEnergyConsumption(struct nvmlDevice_st* d, unsigned long long* mj) {
  return number(d->index, "energy_mj", mj);
}
int nvmlDeviceGetPowerUsage(struct nvmlDevice_st* d, unsigned* mw) {
  unsigned long long value = 0;
  int code = number(d->index, "power_mw", &value);
  *mw = (unsigned)value;
  return code;
}
int nvmlDeviceGetEnforcedPowerLimit(struct nvmlDevice_st* d, unsigned* mw) {
  unsigned long long value = 0;
  int code = number(d->index, "limit_mw", &value);
  *mw = (unsigned)value;
  return code;
}
int nvmlDeviceGetComputeRunningProcesses_v3(struct nvmlDevice_st* d, unsigned* count, void* infos) {
  unsigned long long value = 0;
  int code = number(d->index, "processes", &value);
  (void)infos;
  if (code != SUCCESS) return code;
  if (value > *count) {
    *count = (unsigned)value;
    return INSUFFICIENT_SIZE;
  }
  *count = (unsigned)value;
  return SUCCESS;
}
