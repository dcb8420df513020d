"""Trains a neural network on handwritten digits, and can be paused: SIGTERM makes it save and exit, --resume goes on from there.

    gramwatt run --within 12h --duration 2h --pausable --pause-with exit --resume-with "python3 train.py --resume" -- python3 train.py
"""

import argparse
import json
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

CHECKPOINT, RESULT = "checkpoint.pickle", "result.json"
SAVED = 75  # EX_TEMPFAIL of sysexits.h, "try again later": tells a pause from a failure

asked_to_pause = False


def pause_soon(*_):
    global asked_to_pause
    asked_to_pause = True  # the epoch under way is finished first


def save(model, epoch):
    """All of it or nothing: a name never points to half a file."""
    with open(CHECKPOINT + ".new", "wb") as f:
        pickle.dump((model, epoch), f)  # weights, the optimizer's state, and the random numbers to come
        f.flush()
        os.fsync(f.fileno())
    os.replace(CHECKPOINT + ".new", CHECKPOINT)


def tell_progress(share):
    """What is left is then planned by what was seen, rather than by --duration."""
    if "GRAMWATT_RUN_ID" in os.environ:
        subprocess.run(["gramwatt", "progress", f"{share:.3f}"], check=False)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--resume", action="store_true", help="go on from the checkpoint, if there is one")
    options.add_argument("--epochs", type=int, default=200)
    options = options.parse_args()
    signal.signal(signal.SIGTERM, pause_soon)

    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(images / 16.0, labels, test_size=0.25, random_state=0)
    model, epoch = MLPClassifier(hidden_layer_sizes=(256, 128), batch_size=64, random_state=np.random.RandomState(0)), 0
    if options.resume and os.path.exists(CHECKPOINT):
        with open(CHECKPOINT, "rb") as f:
            model, epoch = pickle.load(f)

    while epoch < options.epochs:
        if asked_to_pause:
            save(model, epoch)
            print(f"saved after epoch {epoch}", file=sys.stderr)
            sys.exit(SAVED)
        model.partial_fit(train_x, train_y, classes=range(10))
        epoch += 1
        print(f"epoch {epoch:3d}  loss {model.loss_:.6f}", flush=True)
        if epoch % 20 == 0:
            tell_progress(epoch / options.epochs)

    save(model, epoch)
    result = {"accuracy": model.score(test_x, test_y), "loss": log_loss(test_y, model.predict_proba(test_x))}
    with open(RESULT, "w") as f:
        json.dump(result, f)
    print(f"test accuracy {result['accuracy']:.4f}, loss {result['loss']:.6f}")


main()
