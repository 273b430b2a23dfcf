"""Where are the defaults worse than persistence? ``python benchmarks/never_worse.py``.

On the twelve series of ``make bench-skill`` with one target, on fifty more, most of them short
(short_series.py), and on the wide ones. Trained on the first 80 % of the rows, judged on the
latest 20 %.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings

import series
import short_series
from skill_worker import measure

TOLERANCE = 1.02


def load_all():
    """Yield the tasks, the short ones first."""
    yield from short_series.load_all()
    yield from (series.load(n) for n in series.SINGLE | series.WIDE if n not in series.GENERATED)


def main(tasks=None, max_seconds=600):
    """Print a line for each series, as soon as it is known, and how many are worse.

    Parameters
    ----------
    tasks : iterable of Task, default=None
        None: all.
    max_seconds : float, default=600
        Of a fit.
    """
    ratios = {}
    print("| series | rows | columns | window | persistence | defaults | ratio |")
    print("| --- |", " | ".join(["---:"] * 6), "|")
    for task in load_all() if tasks is None else tasks:
        naive, ours = (
            measure(method, task, 0, max_seconds)["mse"]
            for method in ("persistence", "sklstm_default")
        )
        ratios[task.name] = ours / naive
        n_rows, n_columns = task.rows.shape
        print(
            f"| {task.name} | {n_rows} | {n_columns} | {task.series.window} |",
            f"{naive:.4f} | {ours:.4f} | {ours / naive:.3f} |",
            flush=True,
        )
    worse = {name: ratio for name, ratio in ratios.items() if ratio > TOLERANCE}
    print(f"\nMore than {TOLERANCE - 1:.0%} worse on {len(worse)} of {len(ratios)}:")
    for name in sorted(worse, key=worse.get, reverse=True):
        print(f"  {name} {worse[name]:.3f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
