#!/usr/bin/python3
"""Derives data/cloud_hosts.csv: what the hosts of cloud instance types are made of, beyond a bare server with one CPU.

usage: tools/build_cloud_hosts.py FOLDER_OF_RAW_DATA

From cloud-carbon-footprint's embodied table, whose totals are 1,000 kg for the bare server plus memory, storage, further CPUs and GPUs
of the WHOLE host. The base and the memory are left out here: the base is the same for all, and a guest knows its own memory (the
table's is that of the largest type of the family, at the same 1.39 kg/GB). Rows are a family each, because its members share a host:

  aws    what stands before the dot         m5.large        -> m5
  gcp    what stands before the first dash  n2-standard-4   -> n2
  azure  the name without its numbers of CPUs  D4s v3, E16-8ds v4 -> d#s v3, e#ds v4

Managed services (cache., db., .elasticsearch) are no machines that one runs on. Where members differ, the commonest value stands.
Same inputs, same bytes.
"""

import collections
import csv
import os
import re
import sys

SERVICE = re.compile(r"^(cache|db|dax|kafka|ml)\.|\.elasticsearch$")


def family(provider, name):
    """The same rule as `host_family` in src/footprint/embodied.cpp."""
    if provider == "aws":
        return name.split(".")[0]
    if provider == "gcp":
        return name.split("-")[0]
    return re.sub(r"^([a-z]+)\d+(-\d+)?", r"\1#", name.lower())


def main():
    raw = sys.argv[1]
    with open(os.path.join(raw, "coefficients/ccf_embodied_kgco2e.csv"), newline="") as f:
        rows = [r for r in csv.DictReader(f) if not SERVICE.search(r["type"])]
    seen = collections.defaultdict(collections.Counter)
    for r in rows:
        parts = tuple(f"{float(r[k]):g}" for k in ("storage_kg", "cpu_kg", "gpu_kg"))
        assert abs(1000 + sum(map(float, parts)) + float(r["memory_kg"]) - float(r["total_kg"])) < 0.02, r
        seen[r["provider"], family(r["provider"], r["type"])][parts] += 1
    out = os.path.join(os.path.dirname(__file__), "../data/cloud_hosts.csv")
    with open(out, "w", newline="") as f:
        write = csv.writer(f, lineterminator="\n")
        write.writerow(["provider", "family", "storage_kg", "further_cpu_kg", "gpu_kg"])
        for (provider, name), parts in sorted(seen.items()):
            # Ties go to the larger host: storage is what small members of a family lack.
            best = max(parts.items(), key=lambda item: (item[1], tuple(map(float, item[0]))))[0]
            write.writerow([provider, name, *best])


if __name__ == "__main__":
    main()
