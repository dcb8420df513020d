"""The same load as gpu_load.cu with PyTorch: busy for half of PERIOD_MS, for SECONDS. usage: gpu_load.py SECONDS PERIOD_MS"""
import sys
import time

import torch

length, period = float(sys.argv[1]), float(sys.argv[2]) / 1e3
a = torch.randn(2048, 2048, device="cuda")
torch.cuda.synchronize()
begin = time.perf_counter()
if period < 0:
    time.sleep(length)
    sys.exit()
while (now := time.perf_counter() - begin) < length:
    part = now % period / period if period > 0 else 0
    if part < 0.5:
        a = torch.nn.functional.normalize(a @ a)
        torch.cuda.synchronize()
    else:
        time.sleep((1 - part) * period)
