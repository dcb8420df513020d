#!/bin/sh
# What does this machine's NVIDIA board do, and is gramwatt right about it? Runs a load with a known beat, compares the energy
# counter with instantaneous and average power, measures period T and (relative) window W, and what the board draws at rest, with
# an idle context, and with a stopped program. Prints markdown for docs/validation.md; raw traces go to OUT.
# Elsewhere it says "no GPU" and ends well.
#
# usage: bench/gpu_check.sh [--build FOLDER] [--out FOLDER] [--load CMD]
#   CMD is run as `CMD SECONDS PERIOD_MS`; without it: a small CUDA program if nvcc is there, else PyTorch.
set -eu
here=$(dirname "$0")
build=$here/../build/bench
out=gpu-check
load=
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --load) load=$2; shift 2 ;;
    *) echo "usage: gpu_check.sh [--build FOLDER] [--out FOLDER] [--load CMD]" >&2; exit 2 ;;
  esac
done
probe=$build/bench/gpu_probe
gramwatt=$build/src/cli/gramwatt
if [ -z "${GRAMWATT_NVML:-}" ] && [ ! -e /dev/nvidiactl ] && [ ! -e /proc/driver/nvidia/version ] && [ ! -e /dev/dxg ]; then
  echo "no GPU: no NVIDIA driver is loaded"
  exit 0
fi
if [ ! -x "$probe" ]; then
  echo "no $probe: cmake --preset bench && cmake --build --preset bench --target gpu_probe gramwatt" >&2
  exit 1
fi
if ! name=$("$probe" name); then
  echo "$name"
  exit 0
fi
mkdir -p "$out"
if [ -z "$load" ]; then
  if command -v nvcc >/dev/null 2>&1 && nvcc -O2 -o "$out/gpu_load" "$here/gpu_load.cu" 2>/dev/null; then
    load="$out/gpu_load"
  elif python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    load="python3 $here/gpu_load.py"
  else
    echo "a GPU ($name), but no load: neither nvcc nor PyTorch is here; give one with --load CMD" >&2
    exit 1
  fi
fi

# mean of one column of a trace between two instants: trace column from to
mean() {
  awk -F, -v c="$2" -v a="$3" -v b="$4" 'NR > 1 && $1 >= a && $1 <= b && $c != "" { s += $c; n++ } END { if (n) printf "%.2f", s / n / 1000; else printf "none" }' "$1"
}
# energy by the counter, from its first to its last step in the trace, and by the trapezoid of a power column over the same time
compare() {
  awk -F, 'NR > 1 && $2 != "" {
      if (seen && $2 != e) { if (!t0) { t0 = $1; e0 = $2 } t1 = $1; e1 = $2; edge[++n] = $1 }
      seen = 1; e = $2; t[++m] = $1; for (c = 3; c <= 5; c++) p[m, c] = $c }
    END {
      if (!t1 || t1 <= t0) { print "| no steps of the counter in the trace | | | | |"; exit }
      printf "| %.1f s | %.2f J", t1 - t0, (e1 - e0) / 1000
      for (c = 3; c <= 5; c++) {
        s = 0; ok = 1
        for (i = 2; i <= m; i++) if (t[i-1] >= t0 && t[i] <= t1) { if (p[i, c] == "") ok = 0; s += (p[i, c] + p[i-1, c]) / 2000 * (t[i] - t[i-1]) }
        if (ok && e1 > e0) printf " | %.2f J (%+.1f %%)", s, 100 * (s / ((e1 - e0) / 1000) - 1); else printf " | none"
      }
      print " |" }' "$1"
}
# spread of the instantaneous reading under a beat: the nearer the beat to T, the more a window W < T shows of it
spread() {
  awk -F, 'NR > 1 && $3 != "" && $1 > 1 { if (!n || $3 < lo) lo = $3; if (!n || $3 > hi) hi = $3; s += $3; n++ } END { if (n) printf "%.0f..%.0f W, mean %.0f", lo / 1000, hi / 1000, s / n / 1000; else printf "none" }' "$1"
}
watch_load() { # seconds period trace
  $load "$1" "$2" &
  pid=$!
  "$probe" watch "$1" 2000 >"$out/$3.csv"
  wait $pid || true
}

echo "### $name"
echo
echo "\`bench/gpu_check.sh\`, $(date -u +%Y-%m-%d), driver $(sed -n 's/.*Module *\([0-9.]*\).*/\1/p' /proc/driver/nvidia/version 2>/dev/null | head -1), load: \`$load\`. Raw traces: $out/*.csv."
echo
"$probe" costs
echo
echo "Publication period T, by hammering each value for 5 s under load:"
echo
$load 30 0 &
pid=$!
sleep 1
"$probe" periods 5
kill $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
echo
sleep 3
"$probe" watch 5 5000 >"$out/idle.csv"
$load 8 -1 &
pid=$!
sleep 3
"$probe" watch 4 5000 >"$out/context.csv"
wait $pid || true
$load 20 0 &
pid=$!
sleep 3
kill -STOP $pid
sleep 2
"$probe" watch 4 5000 >"$out/stopped.csv"
kill -CONT $pid
kill $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
echo "| state | instantaneous | average |"
echo "|---|---|---|"
for s in idle context stopped; do
  echo "| $s | $(mean "$out/$s.csv" 3 0 99) W | $(mean "$out/$s.csv" 4 0 99) W |"
done
echo
echo "| beat | time | counter | instantaneous | average | nvmlDeviceGetPowerUsage |"
echo "|---|---|---|---|---|---|"
for period in 0 50 67 75 100 125 133; do
  watch_load 8 $period "beat-$period"
  printf '%s' "| $period ms "
  compare "$out/beat-$period.csv"
done
echo
echo "Window W, relative to T (SC'24's aliasing test): the instantaneous reading under beats near T. A window as long as T shows the mean, a short one the whole swing."
echo
for period in 50 67 75 100 125 133; do echo "- $period ms: $(spread "$out/beat-$period.csv")"; done
echo
echo "gramwatt on the same load:"
echo
for period in 0 100; do
  "$gramwatt" run --no-ledger --no-network -q --json "$out/run-$period.json" -- $load 5 $period
  echo "- beat $period ms: $(sed -n '/"component": "gpu"/,/}/p' "$out/run-$period.json" | grep -m1 -o '"value": [0-9.]*') J; raw record $out/run-$period.json"
done
