"""The benchmark: ``make bench``, or ``python benchmarks/run.py [PART ...]`` for some of it.

Writes what each part measured to results.json, and from that results.md and the plots. With
``--small`` every part takes seconds, and needs no other library: to see that it runs, not for
its numbers.
Everything is measured in turns: round after round, each contender once, in a process of its
own. A ratio is the median over the rounds of the ratios within a round, so that what slows
the whole machine down for a while cancels out.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import growth
import latency
import report
import search
from machine import describe
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
PACKAGES = ["torch", "skorch", "scikit-learn", "numpy", "keras", "jax", "tensorflow-cpu"]
PACKAGES += ["darts", "neuralforecast"]
MEMORY = Workload(1_000_000, 168, 8, (4,), batch_size=256, epochs=1)
MEMORY_SECONDS = 10


def timings(part, contenders, action="fit", n_windows=None, threads=(1, 2), n_pairs=N_PAIRS):
    """Seconds of each contender in each round, at each size, for one thread and two.

    Parameters
    ----------
    part : str
        One of ``N_WINDOWS``.
    contenders : list of str
    action : {"fit", "predict"}
    n_windows : dict, default=None
        Windows for each size; those of the part unless given.
    threads : sequence of int
    n_pairs : int
        Rounds that count.
    """
    found = []
    for n_threads in threads:
        with processes({name: name for name in contenders}, n_threads) as running:
            for size, n in (n_windows or N_WINDOWS[part]).items():
                # What comes before a prediction need not be trained for long.
                epochs = 1 if action == "predict" else SIZES[size].epochs
                workload = replace(SIZES[size], n_windows=n, epochs=epochs)
                prepare(running, dict.fromkeys(contenders, workload))
                if action == "predict":
                    for process in running.values():
                        process.ask("fit")
                seconds, first = rounds(running, n_pairs, action)
                entry = {"size": size, "threads": n_threads, "windows": n * epochs}
                found.append({**entry, "seconds": seconds, "first": first})
                print(part, size, n_threads, seconds)
    return sorted(found, key=lambda entry: list(SIZES).index(entry["size"]))


def fit(contenders=(*OURS, "hand_written_kept"), **sizes):
    """Fit, against the loop by hand."""
    return timings("fit", contenders, **sizes)


def fit_peers(contenders=("sklstm", *PEERS), **sizes):
    """Fit, against other libraries."""
    return timings("fit_peers", contenders, **sizes)


def predict(contenders=OURS, **sizes):
    """Predict 100,000 windows (5,000 of the medium size) in one call, against bare torch."""
    return timings("predict", contenders, "predict", **sizes)


def memory(contenders=("sklstm", "hand_written", *PEERS), workload=MEMORY):
    """Peaks for a million rows; a contender that takes too long is stopped."""
    series = (workload.n_windows + workload.window - 1) * workload.n_features * 4
    found = {"series": series, "peaks": {}}
    for contender in contenders:
        limit = None if contender == "sklstm" else MEMORY_SECONDS
        for action in ("fit", "predict"):
            peak, whole = peak_memory(contender, workload, 2, action, limit)
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
_FEW = {"n_windows": {"small": 128}, "threads": (1,), "n_pairs": 2}
SMALL = {
    "fit": {"contenders": ["sklstm", "hand_written", "hand_written_kept"], **_FEW},
    "fit_peers": {"contenders": ["sklstm", "skorch_plain"], **_FEW},
    "predict": {"contenders": ["sklstm", "hand_written"], **_FEW},
    "latency": {"networks": {"small": latency.NETWORKS["small"]}, "n_pairs": 2, "repeats": 2},
    "memory": {"contenders": ["sklstm"], "workload": replace(MEMORY, n_windows=2_000)},
    "growth": {"numbers": (300, 600), "n_rounds": {"fit": 2, "predict": 2}},
    "search": {"grid": search.Grid((4,), (2, 3), 1, 120, 2), "n_pairs": 2, "workers": (1,)},
}


def main(arguments=None):
    """Measure these parts, or all, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--small", action="store_true", help="a few windows, a few rounds")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the results")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"Unknown parts: {sorted(unknown)}")

    path = asked.results
    results = json.loads(path.read_text()) if asked.parts and path.exists() else {}
    results["machine"] = describe(PACKAGES)
    for part in asked.parts or PARTS:
        start = time.perf_counter()
        results[part] = PARTS[part](**(SMALL[part] if asked.small else {}))
        results.setdefault("part_seconds", {})[part] = round(time.perf_counter() - start)
        path.write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, path.parent)


if __name__ == "__main__":
    main()
