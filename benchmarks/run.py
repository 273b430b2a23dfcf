"""The benchmark: ``make bench``, or ``python benchmarks/run.py [PART ...]`` for some of it.

Writes what each part measured to results.json, and from that results.md and the plots.
Everything is measured in turns: round after round, each contender once, in a process of its
own. A ratio is the median over the rounds of the ratios within a round, so that what slows
the whole machine down for a while cancels out.
"""

import json
import os
import platform
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import growth
import latency
import report
import search
from peers.workload import Workload
from rounds import peak_memory, prepare, processes, rounds

RESULTS = Path(__file__).with_name("results.json")
N_PAIRS = 5

SIZES = {  # windows x steps x features, layers
    "small": Workload(2_000, 12, 1, (16,), batch_size=64, epochs=20),
    "medium": Workload(20_000, 48, 8, (64, 64), batch_size=128, epochs=1),
    "large": Workload(10_000, 96, 8, (256, 256), batch_size=64, epochs=1),
}
# Of these windows each part takes so many. A step takes the same time however many there are,
# and all contenders at all windows would take hours.
N_WINDOWS = {
    "fit": {"small": 2_000, "medium": 6_400, "large": 1_280},
    "fit_peers": {"small": 2_000, "medium": 1_920, "large": 320},
    "predict": {"small": 100_000, "medium": 5_000},
}
PEERS = ["skorch_plain", "keras_jax", "keras_tensorflow", "darts_block_rnn", "neuralforecast_lstm"]
OURS = ["sklstm", "sklstm_bfloat16", "hand_written"]
MEMORY = Workload(1_000_000, 168, 8, (4,), batch_size=256, epochs=1)
MEMORY_SECONDS = 10


def timings(part, contenders, action="fit"):
    """Seconds of each contender in each round, at each size, for one thread and two."""
    found = []
    for threads in (1, 2):
        with processes({name: name for name in contenders}, threads) as running:
            for size, n_windows in N_WINDOWS[part].items():
                # What comes before a prediction need not be trained for long.
                epochs = 1 if action == "predict" else SIZES[size].epochs
                workload = replace(SIZES[size], n_windows=n_windows, epochs=epochs)
                prepare(running, dict.fromkeys(contenders, workload))
                if action == "predict":
                    for process in running.values():
                        process.ask("fit")
                seconds, first = rounds(running, N_PAIRS, action)
                entry = {"size": size, "threads": threads, "windows": n_windows * epochs}
                found.append({**entry, "seconds": seconds, "first": first})
                print(part, size, threads, seconds)
    return sorted(found, key=lambda entry: list(SIZES).index(entry["size"]))


def fit():
    """Fit, against the loop by hand."""
    return timings("fit", [*OURS, "hand_written_kept"])


def fit_peers():
    """Fit, against other libraries."""
    return timings("fit_peers", ["sklstm", *PEERS])


def predict():
    """Predict 100,000 windows (5,000 of the medium size) in one call, against bare torch."""
    return timings("predict", OURS, "predict")


def memory():
    """Peaks for a million rows; a contender that takes too long is stopped."""
    series = (MEMORY.n_windows + MEMORY.window - 1) * MEMORY.n_features * 4
    found = {"series": series, "peaks": {}}
    for contender in ["sklstm", "hand_written", *PEERS]:
        limit = None if contender == "sklstm" else MEMORY_SECONDS
        for action in ("fit", "predict"):
            peak, whole = peak_memory(contender, MEMORY, 2, action, limit)
            found["peaks"].setdefault(contender, {})[action] = {"bytes": peak, "whole": whole}
            print("memory", contender, action, peak / series, whole)
            if not whole:  # it was still at its fit
                break
    return found


PARTS = {
    "fit": fit,
    "fit_peers": fit_peers,
    "predict": predict,
    "latency": latency.measure,
    "memory": memory,
    "growth": growth.measure,
    "search": search.measure,
}


def machine():
    """Describe what the numbers were measured on."""
    with open("/proc/cpuinfo") as file:
        name = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    packages = ["torch", "skorch", "scikit-learn", "numpy", "keras", "jax", "tensorflow-cpu"]
    return {
        "processor": f"{name}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in [*packages, "darts", "neuralforecast"]},
    }


def main(parts):
    """Measure these parts, or all, and write the report."""
    results = json.loads(RESULTS.read_text()) if parts and RESULTS.exists() else {}
    results["machine"] = machine()
    for part in parts or PARTS:
        start = time.perf_counter()
        results[part] = PARTS[part]()
        results.setdefault("part_seconds", {})[part] = round(time.perf_counter() - start)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, RESULTS.parent)


if __name__ == "__main__":
    main(sys.argv[1:])
