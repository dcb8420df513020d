/* A library with NVML's face, told what to say by the text file that GRAMWATT_FAKE_NVML names:
 *
 *   init 0                      return code of nvmlInit
 *   delay_ms 10                 how long an energy call takes
 *   lost_after 20               from the so many-th call for energy or power on, the GPU is lost
 *   0 name NVIDIA H100 80GB HBM3
 *   0 uuid GPU-11111111-...
 *   0 pci 0 3b 0                domain, bus, device (hexadecimal)
 *   0 arch 9
 *   0 energy_mj 123456          or: 0 energy_mj !3   (an error code instead of a value)
 *   0 power_mw 70000
 *   0 field_186 70000           a field of scope 0; field_186@1: of scope 1; its error as !code
 *   0 field_186_type 3          its value type (default: unsigned int; field 83: unsigned long long)
 *   0 wave LOW HIGH PERIOD STEP energy_mj, power_mw and field_186 of a square wave of that power (mW) and period (ms),
 * published every STEP ms of the real clock 0 limit_mw 700000 0 utilisation 40 0 processes 0               how many compute
 * processes, when they are not listed: 0 running PID [INSTANCE]    a compute process; may be repeated 0 use PID SM TIMESTAMP a
 * sample of process utilisation; may be repeated; 0 use_code 6: an error code instead 0 mig 1                     partitioned,
 * with instances 0 mig_0 UUID INSTANCE SLICES
 *
 * The file is read at every call, so that a test changes it between two reads. With -DFAKE_NVML_OLD it is a library of a driver
 * that lacks whatever came after the first versions. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15 };

struct nvmlDevice_st {
  int index;
  int mig; /* number of the instance from 1; 0: a board */
};
static struct nvmlDevice_st devices[16];
static struct nvmlDevice_st instances[16][8];
static int calls;

/* The value of the `nth` line of `key` for `device` (-1: a line without device); 0 when there is no such line. */
static int lookup_nth(int device, const char* key, int nth, char* value, size_t size) {
  const char* path = getenv("GRAMWATT_FAKE_NVML");
  FILE* file = path ? fopen(path, "r") : NULL;
  char line[256];
  char prefix[64];
  int found = 0;
  if (!file) return 0;
  if (device < 0) snprintf(prefix, sizeof prefix, "%s ", key);
  else snprintf(prefix, sizeof prefix, "%d %s ", device, key);
  while (!found && fgets(line, sizeof line, file)) {
    if (strncmp(line, prefix, strlen(prefix)) != 0 || nth-- > 0) continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(value, size, "%s", line + strlen(prefix));
    found = 1;
  }
  fclose(file);
  return found;
}

static int lookup(int device, const char* key, char* value, size_t size) { return lookup_nth(device, key, 0, value, size); }

static int number(int device, const char* key, unsigned long long* out) {
  char text[128];
  if (!lookup(device, key, text, sizeof text)) return NOT_SUPPORTED;
  if (text[0] == '!') return atoi(text + 1);
  *out = strtoull(text, NULL, 10);
  return SUCCESS;
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Energy since the machine started (mJ) of a square wave, and its mean power over the last step (mW). */
static int wave(int device, unsigned long long* mj, unsigned long long* mw) {
  char text[128];
  double low, high, period, step;
  if (!lookup(device, "wave", text, sizeof text)) return 0;
  if (sscanf(text, "%lf %lf %lf %lf", &low, &high, &period, &step) != 4) return 0;
  double energy[2];
  const double edge = step * (double)(long long)(now_ms() / step);
  for (int i = 0; i < 2; ++i) {
    const double t = edge - (i ? step : 0);
    const double whole = (double)(long long)(t / period);
    const double part = t - whole * period;
    const double up = part < period / 2 ? part : period / 2;
    energy[i] = (whole * (low + high) * period / 2 + up * high + (part - up) * low) * 1e-3;
  }
  *mj = (unsigned long long)energy[0];
  *mw = (unsigned long long)((energy[0] - energy[1]) / step * 1e3);
  return 1;
}

static int is_lost(void) {
  unsigned long long after = 0;
  ++calls;
  return number(-1, "lost_after", &after) == SUCCESS && calls > (int)after;
}

static void take_time(void) {
  unsigned long long ms = 0;
  if (number(-1, "delay_ms", &ms) != SUCCESS) return;
  const struct timespec t = {0, (long)ms * 1000000L};
  nanosleep(&t, NULL);
}

static int reading(struct nvmlDevice_st* d, const char* key, int energy, unsigned long long* out) {
  unsigned long long mj, mw;
  if (is_lost()) return GPU_IS_LOST;
  if (energy) take_time();
  if (wave(d->index, &mj, &mw)) {
    *out = energy ? mj : mw;
    return SUCCESS;
  }
  return number(d->index, key, out);
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
int nvmlDeviceGetUUID(struct nvmlDevice_st* d, char* out, unsigned size) {
  char key[32], text[128], uuid[96];
  if (!d->mig) return text_of(d, "uuid", out, size);
  snprintf(key, sizeof key, "mig_%d", d->mig - 1);
  if (!lookup(d->index, key, text, sizeof text) || sscanf(text, "%95s", uuid) != 1) return NOT_FOUND;
  snprintf(out, size, "%s", uuid);
  return SUCCESS;
}
int nvmlDeviceGetTotalEnergyConsumption(struct nvmlDevice_st* d, unsigned long long* mj) {
  return reading(d, "energy_mj", 1, mj);
}
int nvmlDeviceGetPowerUsage(struct nvmlDevice_st* d, unsigned* mw) {
  unsigned long long value = 0;
  int code = reading(d, "power_mw", 0, &value);
  *mw = (unsigned)value;
  return code;
}
int nvmlDeviceGetEnforcedPowerLimit(struct nvmlDevice_st* d, unsigned* mw) {
  unsigned long long value = 0;
  int code = number(d->index, "limit_mw", &value);
  *mw = (unsigned)value;
  return code;
}

#ifndef FAKE_NVML_OLD
struct process {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};
int nvmlDeviceGetComputeRunningProcesses_v3(struct nvmlDevice_st* d, unsigned* count, struct process* infos) {
  unsigned long long value = 0;
  char text[128];
  unsigned listed = 0;
  while (lookup_nth(d->index, "running", (int)listed, text, sizeof text)) {
    if (listed < *count) {
      infos[listed].gpu_instance = infos[listed].compute_instance = ~0U;
      sscanf(text, "%u %u", &infos[listed].pid, &infos[listed].gpu_instance);
    }
    ++listed;
  }
  if (listed == 0) {
    const int code = number(d->index, "processes", &value);
    if (code != SUCCESS) return code;
    for (unsigned i = 0; i < value && i < *count; ++i) infos[i].pid = 1;
  } else {
    value = listed;
  }
  const int fits = value <= *count;
  *count = (unsigned)value;
  return fits ? SUCCESS : INSUFFICIENT_SIZE;
}

struct use {
  unsigned pid;
  unsigned long long timestamp;
  unsigned sm, memory, encoder, decoder;
};
int nvmlDeviceGetProcessUtilization(struct nvmlDevice_st* d, struct use* uses, unsigned* count, unsigned long long after) {
  char text[128];
  unsigned found = 0;
  unsigned long long code = 0;
  if (number(d->index, "use_code", &code) == SUCCESS) return (int)code;
  for (int i = 0; lookup_nth(d->index, "use", i, text, sizeof text); ++i) {
    struct use u = {0, 0, 0, 0, 0, 0};
    sscanf(text, "%u %u %llu", &u.pid, &u.sm, &u.timestamp);
    if (u.timestamp <= after && u.sm <= 100) continue; /* garbage comes whatever is asked for */
    if (found < *count) uses[found] = u;
    ++found;
  }
  const int fits = found <= *count;
  *count = found;
  return found == 0 ? NOT_FOUND : fits ? SUCCESS : INSUFFICIENT_SIZE;
}

struct field {
  unsigned id, scope;
  long long timestamp, latency;
  int type, code;
  union {
    double d;
    unsigned u;
    unsigned long long ull;
    long long sll;
  } value;
};
int nvmlDeviceGetFieldValues(struct nvmlDevice_st* d, int count, struct field* fields) {
  if (is_lost()) return GPU_IS_LOST;
  for (int i = 0; i < count; ++i) {
    char key[64];
    unsigned long long value = 0, type = fields[i].id == 83 ? 3 : 1, mj, mw;
    snprintf(key, sizeof key, fields[i].scope ? "field_%u@%u" : "field_%u", fields[i].id, fields[i].scope);
    fields[i].code = number(d->index, key, &value);
    if (fields[i].code != SUCCESS && fields[i].id == 186 && fields[i].scope == 0 && wave(d->index, &mj, &mw)) {
      value = mw;
      fields[i].code = SUCCESS;
    }
    snprintf(key, sizeof key, "field_%u_type", fields[i].id);
    (void)number(d->index, key, &type);
    fields[i].type = (int)type;
    memset(&fields[i].value, 0xAA, sizeof fields[i].value);
    if (fields[i].code != SUCCESS) continue;
    if (type == 0) fields[i].value.d = (double)value;
    else if (type == 1) fields[i].value.u = (unsigned)value;
    else if (type == 4) fields[i].value.sll = (long long)value;
    else fields[i].value.ull = value;
  }
  return SUCCESS;
}

int nvmlDeviceGetArchitecture(struct nvmlDevice_st* d, unsigned* out) {
  unsigned long long value = 0;
  const int code = number(d->index, "arch", &value);
  *out = (unsigned)value;
  return code;
}

struct pci {
  char legacy[16];
  unsigned domain, bus, device, ids[2];
  char id[32];
};
int nvmlDeviceGetPciInfo_v3(struct nvmlDevice_st* d, struct pci* out) {
  char text[128];
  memset(out, 0, sizeof *out);
  if (!lookup(d->index, "pci", text, sizeof text)) return NOT_SUPPORTED;
  return sscanf(text, "%x %x %x", &out->domain, &out->bus, &out->device) == 3 ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetUtilizationRates(struct nvmlDevice_st* d, unsigned* out) {
  unsigned long long value = 0;
  const int code = number(d->index, "utilisation", &value);
  out[0] = (unsigned)value;
  out[1] = 0;
  return code;
}

int nvmlDeviceGetMigMode(struct nvmlDevice_st* d, unsigned* current, unsigned* pending) {
  unsigned long long value = 0;
  const int code = number(d->index, "mig", &value);
  *current = *pending = (unsigned)value;
  return code;
}
int nvmlDeviceGetMaxMigDeviceCount(struct nvmlDevice_st* d, unsigned* count) {
  (void)d;
  *count = 7;
  return SUCCESS;
}
int nvmlDeviceGetMigDeviceHandleByIndex(struct nvmlDevice_st* d, unsigned i, struct nvmlDevice_st** out) {
  char key[32], text[128];
  snprintf(key, sizeof key, "mig_%u", i);
  if (i >= 7 || !lookup(d->index, key, text, sizeof text)) return NOT_FOUND;
  *out = &instances[d->index][i];
  **out = (struct nvmlDevice_st){d->index, (int)i + 1};
  return SUCCESS;
}
static int instance(struct nvmlDevice_st* d, unsigned* id, unsigned* slices) {
  char key[32], text[128];
  snprintf(key, sizeof key, "mig_%d", d->mig - 1);
  if (!d->mig || !lookup(d->index, key, text, sizeof text)) return NOT_FOUND;
  return sscanf(text, "%*s %u %u", id, slices) == 2 ? SUCCESS : NOT_FOUND;
}
int nvmlDeviceGetGpuInstanceId(struct nvmlDevice_st* d, unsigned* id) {
  unsigned slices = 0;
  return instance(d, id, &slices);
}
struct attributes {
  unsigned sms, shared[5], gpu_slices, compute_slices;
  unsigned long long memory;
};
int nvmlDeviceGetAttributes_v2(struct nvmlDevice_st* d, struct attributes* out) {
  unsigned id = 0;
  memset(out, 0, sizeof *out);
  return instance(d, &id, &out->gpu_slices);
}
#endif
