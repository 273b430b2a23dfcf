"""Errors of forecasts on real series: ``make bench-skill``, or ``python benchmarks/skill.py``.

Every method is fitted on every series: on the first 80 % of the rows, of which it may use
what it likes to choose by, and judged on the latest 20 %, which it is not given before all is
chosen (see skill_worker.py). Each run is a process of its own, on one core, with one thread.

Results go to skill.json as they come, so that a run that was cut off goes on when it is
started again; then to skill.md and skill.png. What is there already is kept, but for
failures, and for results with another time limit.

There are two tables, with series and methods of their own: series with one target, and wide
ones, all of whose columns are forecast.
"""

import argparse
import json
import os
import queue
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import series
import skill_report
from forecasters import REFERENCES, SINGLE, WIDE, WIDE_REFERENCES
from machine import describe, thread_limits

RESULTS = Path(__file__).with_name("skill.json")
WORKER = Path(__file__).with_name("skill_worker.py")
SERIES = [name for name in series.SINGLE | series.WIDE if name not in series.GENERATED]
METHODS = list(dict.fromkeys([*SINGLE, *WIDE]))
WITHOUT_SEED = {*REFERENCES, *WIDE_REFERENCES}
MAX_SECONDS, WIDE_MAX_SECONDS = 30, 60
PACKAGES = ["sklstm", "torch", "scikit-learn", "keras", "jax"]
PACKAGES += ["darts", "neuralforecast", "skforecast", "mlforecast", "lightgbm"]

ONE_THREAD = {
    **thread_limits(1),
    **{f"TF_NUM_{pool}_THREADS": "1" for pool in ("INTRAOP", "INTEROP")},
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
}


def jobs(methods, names, seeds, max_seconds=None):
    """List what is to be run; the references, of which none depends on a seed, once."""
    once = [method for method in methods if method in WITHOUT_SEED]
    others = [method for method in methods if method not in WITHOUT_SEED]
    limits = {name: WIDE_MAX_SECONDS if name in series.WIDE else MAX_SECONDS for name in names}
    return [
        {
            "method": method,
            "series": name,
            "seed": seed,
            "max_seconds": float(max_seconds or limits[name]),
        }
        for seed, of_seed in [(0, once), *((seed, others) for seed in seeds)]
        for name in names
        for method in of_seed
        if method in (WIDE if name in series.WIDE else SINGLE)
    ]


def run(job, core):
    """Run a job in a process of its own; return it with its result, or with its error."""
    # -W: some libraries warn when they are loaded, before the worker can say no.
    command = [sys.executable, "-W", "ignore", str(WORKER), json.dumps(job), str(core)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
    if done.returncode == 0:
        return {**job, **json.loads(done.stdout)}
    said = [line for line in done.stderr.splitlines() if line.strip()]
    last = said[-1] if said else "no message"
    without_paths = re.sub(r"(/[^\s/'\"]+)+/", "", last)
    return {**job, "error": f"exit status {done.returncode}: {without_paths}"}


def place(result):
    """Return what a result is one of."""
    return result["method"], result["series"], result["seed"]


def is_result_of(result, job):
    """Whether a result is one of this job, and no failure."""
    same = place(result) == place(job)
    # References know no time limit.
    free = job["method"] in WITHOUT_SEED or result["max_seconds"] == job["max_seconds"]
    return same and free and "error" not in result


def save(found, path):
    """Write the results beside the old ones first: a run may be cut off at any time."""
    beside = path.with_suffix(".tmp")
    lines = ",\n".join(json.dumps(result) for result in found["results"])
    beside.write_text(f'{{"machine": {json.dumps(found["machine"])},\n"results": [\n{lines}\n]}}\n')
    beside.replace(path)


def main(arguments=None):
    """Run what is asked for and not there yet, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, metavar="METHOD")
    every = list(series.SINGLE | series.WIDE)
    parser.add_argument("--series", nargs="+", choices=every, default=SERIES, metavar="SERIES")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    limits = f"default: {MAX_SECONDS}, and {WIDE_MAX_SECONDS} for the wide ones"
    parser.add_argument("--max-seconds", type=float, help=limits)
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--again", action="store_true", help="replace what is there already")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the results")
    asked = parser.parse_args(arguments)

    path = asked.results
    found = json.loads(path.read_text()) if path.exists() else {"results": []}
    # Versions that earlier results were measured with stay, unless they are installed here.
    earlier = found.get("machine", {}).get("packages", {})
    machine = describe(PACKAGES)
    found["machine"] = {**machine, "packages": earlier | machine["packages"]}
    todo = jobs(asked.methods, asked.series, asked.seeds, asked.max_seconds)
    if not asked.again:
        todo = [job for job in todo if not any(is_result_of(r, job) for r in found["results"])]

    cores = queue.SimpleQueue()
    here = sorted(os.sched_getaffinity(0))
    for slot in range(asked.jobs):
        cores.put(here[slot % len(here)])
    lock = Lock()

    def carry_out(job):
        core = cores.get()
        result = run(job, core)
        cores.put(core)
        with lock:
            others = [r for r in found["results"] if place(r) != place(job)]
            found["results"] = [*others, result]
            save(found, path)
        shown = {name: result.get(name) for name in ("mse", "seconds", "stopped", "error")}
        print(*place(job), shown, flush=True)

    with ThreadPoolExecutor(asked.jobs) as pool:
        list(pool.map(carry_out, todo))
    skill_report.write(found, path.parent)


if __name__ == "__main__":
    main()
