#!/usr/bin/env python3
"""Writes data/cloud_instances.csv: what a cloud's instance types are made of, for `gramwatt estimate --instance`.

usage: tools/build_cloud_instances.py FOLDER_OF_RAW_DATA

vCPUs, memory, processor and GPUs of a type are facts that the providers publish (aws.amazon.com/ec2/instance-types,
cloud.google.com/compute/docs, learn.microsoft.com/azure/virtual-machines/sizes). They are typed here a family at a time, since most families
have one memory per vCPU and sizes that double; which sizes exist is cloud-carbon-footprint's list of types (Apache-2.0), so that no type is
made up, and types newer than that list are typed whole. GPUs are compared with mlco2/impact's list (MIT). Where a family runs on several
processors, the newest common one stands. `threads` are hardware threads of the host: vCPUs, or twice as many where a vCPU is a whole
core. Same inputs, same bytes.
"""

import csv
import os
import re
import sys

E5V3, E5V4, SKX, CLX, ICX = "Xeon E5-2666 v3", "Xeon E5-2686 v4", "Xeon Platinum 8175M", "Xeon Platinum 8259CL", "Xeon Platinum 8375C"
SPR, ROME, MILAN, GENOA = "Xeon Platinum 8488C", "EPYC 7R32", "EPYC 7R13", "EPYC 9R14"
# family: (processor, GB a vCPU)
AWS = {"a1": ("Graviton Cortex-A72", 2), "c4": (E5V3, 1.875), "c5": ("Xeon Platinum 8275CL", 2), "c5d": ("Xeon Platinum 8275CL", 2),
       "c5n": ("Xeon Platinum 8124M", 2.625), "c5a": (ROME, 2), "c5ad": (ROME, 2), "c6a": (MILAN, 2), "c6i": (ICX, 2), "c6id": (ICX, 2),
       "c6in": (ICX, 2), "c6g": ("Graviton2", 2), "c6gd": ("Graviton2", 2), "c6gn": ("Graviton2", 2), "c7a": (GENOA, 2),
       "c7i": (SPR, 2), "c7g": ("Graviton3", 2), "c7gd": ("Graviton3", 2), "c7gn": ("Graviton3", 2), "c8g": ("Graviton4", 2),
       "m4": ("Xeon E5-2676 v3", 4), "m5": (CLX, 4), "m5d": (CLX, 4), "m5n": (CLX, 4), "m5dn": (CLX, 4), "m5a": ("EPYC 7571", 4),
       "m5ad": ("EPYC 7571", 4), "m6a": (MILAN, 4), "m6i": (ICX, 4), "m6id": (ICX, 4), "m6in": (ICX, 4), "m6g": ("Graviton2", 4),
       "m6gd": ("Graviton2", 4), "m7a": (GENOA, 4), "m7i": (SPR, 4), "m7g": ("Graviton3", 4), "m7gd": ("Graviton3", 4),
       "m8g": ("Graviton4", 4), "r4": (E5V4, 7.625), "r5": (CLX, 8), "r5d": (CLX, 8), "r5n": (CLX, 8), "r5dn": (CLX, 8),
       "r5b": (CLX, 8), "r5a": ("EPYC 7571", 8), "r5ad": ("EPYC 7571", 8), "r6a": (MILAN, 8), "r6i": (ICX, 8), "r6id": (ICX, 8),
       "r6in": (ICX, 8), "r6g": ("Graviton2", 8), "r6gd": ("Graviton2", 8), "r7a": (GENOA, 8), "r7i": (SPR, 8),
       "r7g": ("Graviton3", 8), "r7gd": ("Graviton3", 8), "r8g": ("Graviton4", 8), "z1d": ("Xeon Platinum 8151", 8)}
SIZES = {"medium": 1, "large": 2, "xlarge": 4, **{"%dxlarge" % n: 4 * n for n in (2, 3, 4, 6, 8, 9, 10, 12, 16, 18, 24, 32, 48)}}
# families newer than the list of types: sizes typed here
AWS_NEW = {f: ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"]
           for f in ("c6a", "m6a", "r6a", "c7a", "m7a", "r7a", "c7i", "m7i", "r7i")}
AWS_NEW.update({f: ["medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
                for f in ("c6g", "m6g", "r6g", "c7g", "m7g", "r7g")})
AWS_NEW.update({f: ["medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"]
                for f in ("c8g", "m8g", "r8g")})
BURST = {"t2": {"nano": (1, .5), "micro": (1, 1), "small": (1, 2), "medium": (2, 4), "large": (2, 8), "xlarge": (4, 16), "2xlarge": (8, 32)},
         "t3": {"nano": (2, .5), "micro": (2, 1), "small": (2, 2), "medium": (2, 4), "large": (2, 8), "xlarge": (4, 16), "2xlarge": (8, 32)}}
BURST["t3a"] = BURST["t4g"] = BURST["t3"]
BURST_CPU = {"t2": E5V4, "t3": CLX, "t3a": "EPYC 7571", "t4g": "Graviton2"}
# GPU types, whole: (vCPUs, GB, processor, GPU, how many)
GPU_SIZES = [("xlarge", 4, 1), ("2xlarge", 8, 1), ("4xlarge", 16, 1), ("8xlarge", 32, 1), ("12xlarge", 48, 4), ("16xlarge", 64, 1),
             ("24xlarge", 96, 4), ("48xlarge", 192, 8)]
AWS_GPU = {"p2.xlarge": (4, 61, E5V4, "K80", 1), "p2.8xlarge": (32, 488, E5V4, "K80", 8), "p2.16xlarge": (64, 732, E5V4, "K80", 16),
           "p3.2xlarge": (8, 61, E5V4, "V100", 1), "p3.8xlarge": (32, 244, E5V4, "V100", 4),
           "p3.16xlarge": (64, 488, E5V4, "V100", 8), "p3dn.24xlarge": (96, 768, SKX, "V100", 8),
           "p4d.24xlarge": (96, 1152, "Xeon Platinum 8275CL", "A100 SXM 40GB", 8),
           "p4de.24xlarge": (96, 1152, "Xeon Platinum 8275CL", "A100 SXM 80GB", 8),
           "p5.48xlarge": (192, 2048, MILAN, "H100 SXM", 8), "p5.4xlarge": (16, 256, MILAN, "H100 SXM", 1),
           "p5e.48xlarge": (192, 2048, MILAN, "H200", 8),
           "p5en.48xlarge": (192, 2048, SPR, "H200", 8), "p6-b200.48xlarge": (192, 2048, "Xeon Platinum 8559C", "B200", 8),
           "g4dn.xlarge": (4, 16, CLX, "T4", 1), "g4dn.2xlarge": (8, 32, CLX, "T4", 1), "g4dn.4xlarge": (16, 64, CLX, "T4", 1),
           "g4dn.8xlarge": (32, 128, CLX, "T4", 1), "g4dn.12xlarge": (48, 192, CLX, "T4", 4),
           "g4dn.16xlarge": (64, 256, CLX, "T4", 1), "g4dn.metal": (96, 384, CLX, "T4", 8)}
for family, cpu, gpu, gb in (("g5", ROME, "A10G", 4), ("g6", MILAN, "L4", 4), ("g6e", MILAN, "L40S", 8)):
    AWS_GPU.update({"%s.%s" % (family, size): (n, n * gb, cpu, gpu, count) for size, n, count in GPU_SIZES})

GCP_KIND = {"standard": 4, "highmem": 8, "highcpu": 1}
GCP = {"n1": ("Xeon Skylake", {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9}), "n2": ("Xeon Cascade Lake", GCP_KIND),
       "n2d": ("EPYC 7B12", GCP_KIND), "e2": ("Xeon Skylake", GCP_KIND), "c2": ("Xeon Cascade Lake", {"standard": 4}),
       "c2d": ("EPYC 7B13", {"standard": 4, "highmem": 8, "highcpu": 2}), "t2d": ("EPYC 7B13", {"standard": 4}),
       "c3": ("Xeon Platinum 8481C", {"standard": 4, "highmem": 8, "highcpu": 2}),
       "c3d": ("EPYC 9B14", {"standard": 4, "highmem": 8, "highcpu": 2}), "n4": ("Xeon Platinum 8581C", {"standard": 4, "highmem": 8, "highcpu": 2})}
GCP_NEW = {"c3": (4, 8, 22, 44, 88, 176), "c3d": (4, 8, 16, 30, 60, 90, 180, 360), "c2d": (2, 4, 8, 16, 32, 56, 112),
           "t2d": (1, 2, 4, 8, 16, 32, 48, 60), "n4": (2, 4, 8, 16, 32, 48, 64, 80)}
GCP_GPU = {"a3-highgpu-8g": (208, 1872, "Xeon Platinum 8481C", "H100 SXM", 8), "a3-megagpu-8g": (208, 1872, "Xeon Platinum 8481C", "H100 SXM", 8),
           "a2-megagpu-16g": (96, 1360, "Xeon Cascade Lake", "A100 SXM 40GB", 16)}
for n in (1, 2, 4, 8):
    GCP_GPU["a2-highgpu-%dg" % n] = (12 * n, 85 * n, "Xeon Cascade Lake", "A100 SXM 40GB", n)
    GCP_GPU["a2-ultragpu-%dg" % n] = (12 * n, 170 * n, "Xeon Cascade Lake", "A100 SXM 80GB", n)
for n, count in ((4, 1), (8, 1), (12, 1), (16, 1), (32, 1), (24, 2), (48, 4), (96, 8)):
    GCP_GPU["g2-standard-%d" % n] = (n, 4 * n if n != 32 else 128, "Xeon Cascade Lake", "L4", count)

SKYLAKE8, CASCADE8, ICE8 = "Xeon Platinum 8171M", "Xeon Platinum 8272CL", "Xeon Platinum 8370C"
# what stands around the number: (processor, GB a vCPU)
AZURE = {"d#s v3": (SKYLAKE8, 4), "d# v3": (SKYLAKE8, 4), "e#s v3": (SKYLAKE8, 8), "e# v3": (SKYLAKE8, 8), "d# v4": (CASCADE8, 4),
         "d#s v4": (CASCADE8, 4), "d#d v4": (CASCADE8, 4), "d#ds v4": (CASCADE8, 4), "e# v4": (CASCADE8, 8), "e#s v4": (CASCADE8, 8),
         "e#d v4": (CASCADE8, 8), "e#ds v4": (CASCADE8, 8), "d# v5": (ICE8, 4), "d#s v5": (ICE8, 4), "d#d v5": (ICE8, 4),
         "d#ds v5": (ICE8, 4), "e# v5": (ICE8, 8), "e#s v5": (ICE8, 8), "e#d v5": (ICE8, 8), "e#ds v5": (ICE8, 8),
         "d#a v4": ("EPYC 7452", 4), "d#as v4": ("EPYC 7452", 4), "e#a v4": ("EPYC 7452", 8), "e#as v4": ("EPYC 7452", 8),
         "d#as v5": ("EPYC 7763", 4), "d#ads v5": ("EPYC 7763", 4), "e#as v5": ("EPYC 7763", 8), "e#ads v5": ("EPYC 7763", 8),
         "f#s v2": (CASCADE8, 2)}
AZURE_NEW = {k: (2, 4, 8, 16, 32, 48, 64, 96) for k in ("d#as v5", "d#ads v5", "e#as v5", "e#ads v5", "d#s v5", "d#ds v5", "e#s v5", "e#ds v5")}
AZURE_GPU = {"nc6s v3": (6, 112, "Xeon E5-2690 v4", "V100 PCIe", 1), "nc12s v3": (12, 224, "Xeon E5-2690 v4", "V100 PCIe", 2),
             "nc24s v3": (24, 448, "Xeon E5-2690 v4", "V100 PCIe", 4), "nc4as t4 v3": (4, 28, "EPYC 7V12", "T4", 1),
             "nc8as t4 v3": (8, 56, "EPYC 7V12", "T4", 1), "nc16as t4 v3": (16, 110, "EPYC 7V12", "T4", 1),
             "nc64as t4 v3": (64, 440, "EPYC 7V12", "T4", 4), "nc24ads a100 v4": (24, 220, "EPYC 7V13", "A100 PCIe 80GB", 1),
             "nc48ads a100 v4": (48, 440, "EPYC 7V13", "A100 PCIe 80GB", 2), "nc96ads a100 v4": (96, 880, "EPYC 7V13", "A100 PCIe 80GB", 4),
             "nd96asr v4": (96, 900, "EPYC 7V12", "A100 SXM 40GB", 8), "nd96amsr a100 v4": (96, 1900, "EPYC 7V12", "A100 SXM 80GB", 8),
             "nd96isr h100 v5": (96, 1900, "Xeon Platinum 8480C", "H100 SXM", 8),
             "nd96isr h200 v5": (96, 1850, "Xeon Platinum 8480C", "H200", 8), "nc40ads h100 v5": (40, 320, "EPYC 9V84", "H100 NVL", 1),
             "nc80adis h100 v5": (80, 640, "EPYC 9V84", "H100 NVL", 2)}


# Whose vCPU is a whole core of a processor that has two threads a core: SMT is off there.
WHOLE_CORES = re.compile(r"^([cmr]7a\.|t2d-|nc.*h100 v5$)")


def plain(rows, provider, name, vcpus, gb, cpu, gpu="", count=0):
    rows[provider, name] = [vcpus * (2 if WHOLE_CORES.match(name) and "EPYC" in cpu else 1), "%g" % gb, cpu, gpu, count]


def main():
    raw = sys.argv[1]
    with open(os.path.join(raw, "coefficients/ccf_embodied_kgco2e.csv"), newline="") as f:
        listed = [(r["provider"], r["type"].lower()) for r in csv.DictReader(f)]
    rows = {}
    listed += [("aws", "%s.%s" % (f, s)) for f, sizes in AWS_NEW.items() for s in sizes]
    for provider, name in listed:
        if provider == "aws" and name.count(".") == 1:
            family, size = name.split(".")
            if family in AWS and size in SIZES:
                cpu, gb = AWS[family]
                plain(rows, "aws", name, SIZES[size], gb * SIZES[size], cpu)
            elif family in BURST and size in BURST[family]:
                plain(rows, "aws", name, *BURST[family][size], BURST_CPU[family])
        elif provider == "gcp" and (m := re.fullmatch(r"(\w+)-(standard|highmem|highcpu)-(\d+)", name)) and m[1] in GCP:
            cpu, kinds = GCP[m[1]]
            if m[2] in kinds:
                plain(rows, "gcp", name, int(m[3]), kinds[m[2]] * int(m[3]), cpu)
        elif provider == "azure" and (m := re.fullmatch(r"([a-z]+)(\d+)([a-z]* v\d)", name)):
            found = AZURE.get("%s#%s" % (m[1], m[3]))
            if found:
                plain(rows, "azure", name, int(m[2]), found[1] * int(m[2]), found[0])
    for family, sizes in GCP_NEW.items():
        cpu, kinds = GCP[family]
        for kind, gb in kinds.items():
            for n in sizes:
                plain(rows, "gcp", "%s-%s-%d" % (family, kind, n), n, gb * n, cpu)
    for shape, sizes in AZURE_NEW.items():
        for n in sizes:
            plain(rows, "azure", shape.replace("#", str(n)), n, AZURE[shape][1] * n, AZURE[shape][0])
    for provider, table in (("aws", AWS_GPU), ("gcp", GCP_GPU), ("azure", AZURE_GPU)):
        for name, facts in table.items():
            plain(rows, provider, name, *facts)
    with open(os.path.join(raw, "coefficients/instances_mlco2.csv"), newline="") as f:
        for r in csv.DictReader(f):
            ours = rows[r["provider"], r["id"]][3]
            assert ours in r["gpu"], (r, ours)
    out = os.path.join(os.path.dirname(__file__), "../data/cloud_instances.csv")
    with open(out, "w", newline="") as f:
        write = csv.writer(f, lineterminator="\n")
        write.writerow(["instance", "threads", "memory_gb", "cpu", "gpu", "gpus"])
        for (provider, name), facts in sorted(rows.items()):
            write.writerow(["%s/%s" % (provider, name), *facts])
    print(len(rows), "types")


if __name__ == "__main__":
    main()
