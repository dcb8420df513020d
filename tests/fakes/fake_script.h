/* What a fake vendor library says: lines "DEVICE key value" of the text file that an environment variable names, read at every
 * call, so that a test changes it between two reads. A value "!N" is the error code N. A line "delay_ms N" makes every call
 * take that long, as real ones do when the firmware is busy. Device -1: a line without a device. */
#ifndef GRAMWATT_FAKE_SCRIPT_H
#define GRAMWATT_FAKE_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int script_text(const char* variable, int device, const char* key, char* value, size_t size) {
  const char* path = getenv(variable);
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

/* 0: *out is the number. Else the script's error code, or `absent` when there is no such line. */
static long script_number(const char* variable, int device, const char* key, unsigned long long* out, long absent) {
  char text[128];
  if (!script_text(variable, device, key, text, sizeof text)) return absent;
  if (text[0] == '!') return strtol(text + 1, NULL, 0);
  *out = strtoull(text, NULL, 0);
  return 0;
}

static void script_delay(const char* variable) {
  unsigned long long ms = 0;
  if (script_number(variable, -1, "delay_ms", &ms, 1) != 0) return;
  struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};
  nanosleep(&t, NULL);
}

#endif
