"""What the bases of the linear map were chosen by: ``python benchmarks/linear_maps.py``.

The map alone, without a network, against ridge regression on the same windows (its penalty by
leave-one-out): the twelve series of ``make bench-skill``, and fifty more that nothing else was
tuned on, most of them short. Each is judged three times: trained on the first 40, 50 and 60 %, and
judged on the 20 % that follow. The last 20 %, the test part, is cut off before anything is done.
What was measured is in notes.md.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings

import internals
import numpy as np
import series
import short_series
from sklearn.linear_model import RidgeCV

from sklstm import SlidingWindowTransformer, forecast_targets


def best_alone(errors):
    """Give all the weight to the basis of the least error."""
    sizes = errors.trace(axis1=1, axis2=2)[:, np.newaxis, np.newaxis]
    best = (errors / sizes).mean(axis=0).diagonal().argmin()
    return np.eye(errors.shape[1])[best]


TWO = {name: basis for name, basis in internals.BASES.items() if name != "levels"}
VARIANTS = {
    "three bases, stacked (the default)": {},
    "maps of all columns only": {"scopes": ("all",)},
    "without persistence": {"persistence": False},
    "the best of three bases": {"stacking_weights": best_alone},
    "two bases (no levels), stacked": {"bases": TWO},
    "the best of two bases": {"bases": TWO, "stacking_weights": best_alone},
    "three bases, equal weights": {"towards_equal": 1e6},
    "three bases, chosen from 100 rows on only": {"rows_to_choose": 100},
    "the map before: the best of two bases, from 100 rows on": {
        "bases": TWO,
        "stacking_weights": best_alone,
        "rows_to_choose": 100,
    },
    "three bases, 5 blocks": {"n_blocks": 5},
    "three bases, the best penalty of each": {"standard_errors": 0.0},
}


def load_all():
    """Yield name, rows without the test part, window, horizon."""
    names = [name for name in series.SINGLE if name not in series.GENERATED]
    for task in [*map(series.load, names), *short_series.load_all()]:
        yield task.name, task.rows[: task.valid_end], task.series.window, task.series.horizon


def errors(rows, window, horizon, end, stop):
    """Errors of the variants over that of ridge, trained before ``end``, judged until ``stop``."""
    scale = rows[:end].std(axis=0)
    rows = ((rows - rows[:end].mean(axis=0))[:, scale > 0]) / scale[scale > 0]
    targets = forecast_targets(rows[:, 0], horizon)[window - 1 :]
    windows = SlidingWindowTransformer(window).fit_transform(rows)[window - 1 :]
    n_train = end - horizon - window + 1
    judged = slice(end - window + 1, min(stop, len(rows) - horizon) - window + 1)
    if n_train < 40 or judged.stop - judged.start < 10:
        return None
    flat = windows.reshape(len(windows), -1)
    ridge = RidgeCV(np.logspace(-3, 3, 7)).fit(flat[:n_train], targets[:n_train])
    expected = np.square(ridge.predict(flat[judged]) - targets[judged]).mean()
    found = []
    for constants in VARIANTS.values():
        with internals.replaced(**constants):
            weights, intercept = internals.fit_linear_map(windows, targets, n_train, horizon - 1)
        residuals = flat[judged] @ weights.T + intercept - targets[judged]
        found.append(np.square(residuals).mean() / expected)
    return found


def main(loaded=None):
    """Print a line for each variant: over the twelve series, and over the others.

    Parameters
    ----------
    loaded : iterable of (str, ndarray, int, int), default=None
        Name, rows without the test part, window and horizon. The others have a "/" in the
        name. None: all series.
    """
    logs = {}
    for name, rows, window, horizon in load_all() if loaded is None else loaded:
        n_rows = len(rows) / 0.8
        found = [
            errors(rows, window, horizon, round(part * n_rows), round((part + 0.2) * n_rows))
            for part in (0.4, 0.5, 0.6)
        ]
        found = [ratios for ratios in found if ratios is not None]
        if found:
            logs[name] = np.log(found).mean(axis=0)
    twelve = np.array([found for name, found in logs.items() if "/" not in name])
    others = np.array([found for name, found in logs.items() if "/" in name])
    print("Errors over those of ridge: geometric mean, largest, how many are above 1.02\n")
    print(f"| variant | {len(twelve)} series | | | {len(others)} others | | |")
    print("| --- |", " | ".join(["---:"] * 6), "|")
    for number, variant in enumerate(VARIANTS):
        cells = []
        for group in (twelve[:, number], others[:, number]):
            ratios = np.exp(group)
            cells += [f"{np.exp(group.mean()):.3f}", f"{ratios.max():.2f}"]
            cells += [str(np.count_nonzero(ratios > 1.02))]
        print(f"| {variant} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
