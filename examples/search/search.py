"""Looks for the best parameters of a classifier, and can be paused between trials: SIGTERM lets the trial under way finish, and
the next start goes on with the one after it.

    gramwatt run --within 12h --duration 2h --pausable --pause-with exit -- python3 search.py
"""

import argparse
import json
import os
import signal
import subprocess
import sys

from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import ParameterSampler, cross_val_score
from sklearn.svm import SVC

TRIALS, BEST = "trials.json", "best.json"
SAVED = 75  # EX_TEMPFAIL of sysexits.h, "try again later": tells a pause from a failure

asked_to_pause = False


def pause_soon(*_):
    global asked_to_pause
    asked_to_pause = True


def write(name, what):
    """All of it or nothing: a name never points to half a file."""
    with open(name + ".new", "w") as f:
        json.dump(what, f, indent=1)
        f.flush()
        os.fsync(f.fileno())
    os.replace(name + ".new", name)


def tell_progress(share):
    """What is left is then planned by what was seen, rather than by --duration."""
    if "GRAMWATT_RUN_ID" in os.environ:
        subprocess.run(["gramwatt", "progress", f"{share:.3f}"], check=False)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--trials", type=int, default=40)
    options = options.parse_args()
    signal.signal(signal.SIGTERM, pause_soon)

    images, labels = load_digits(return_X_y=True)
    space = {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-5, 1e-1)}
    plan = list(ParameterSampler(space, options.trials, random_state=0))  # the same trials in the same order at every start
    done = []
    if os.path.exists(TRIALS):
        with open(TRIALS) as f:
            done = json.load(f)

    for parameters in plan[len(done):]:
        if asked_to_pause:
            print(f"paused after trial {len(done)}", file=sys.stderr)
            sys.exit(SAVED)
        accuracy = cross_val_score(SVC(**parameters), images, labels, cv=5).mean()
        done.append({"parameters": parameters, "accuracy": accuracy})
        write(TRIALS, done)
        print(f"trial {len(done):2d}  C {parameters['C']:8.3f}  gamma {parameters['gamma']:.2e}  accuracy {accuracy:.4f}", flush=True)
        tell_progress(len(done) / len(plan))

    best = max(done, key=lambda trial: trial["accuracy"])
    write(BEST, best)
    print(f"best: {best}")


main()
