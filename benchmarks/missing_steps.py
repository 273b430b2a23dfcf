"""Remove rows or single values from real series, and compare ways of filling them.

Run: ``python benchmarks/missing_steps.py [NAME ...]`` (names of series.py); half an hour for the
default ones. Each way is fitted on the first 60 % of the rows, with what is left of their values
and targets, and predicts the rest, where as much is removed. The errors count all true values; they
are divided by those of the same model on the whole series. The table has their geometric means over
series and seeds, on the next 20 % of the rows, on which a way is chosen, and on the last 20 %.

"window" is what LSTMRegressor does by itself, up to windows with half of their steps missing;
"window, up to ..." has another limit, and the limit 0 trains complete windows only. "mark" adds a
feature that tells which values were removed. The others fill the series before the windows, of
which "interpolate" uses later rows.
"""

import argparse
import sys
import warnings

import numpy as np
from internals import replaced
from series import SINGLE
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

DEFAULT = ["chicago", "etth1", "electricity", "weather", "seattle", "melbourne", "co2"]
FRACTIONS = (0.01, 0.05, 0.2)
STRETCH = 10  # mean number of rows in a stretch


def removed(n_rows, n_columns, fraction, in_stretches, rng):
    """Choose what is removed of each column: (n_rows, n_columns)."""
    if not in_stretches:
        return rng.random((n_rows, n_columns)) < fraction
    starts = rng.random((n_rows, n_columns)) < fraction / STRETCH
    lengths = rng.geometric(1 / STRETCH, starts.shape) * starts
    last = np.maximum.accumulate(np.arange(n_rows)[:, np.newaxis] + lengths, axis=0)
    return np.arange(n_rows)[:, np.newaxis] < last


def marked(X):
    """Add a feature: 1 where a row has a missing value."""
    return X.assign(mark=X.isna().any(axis=1).astype(float))


FILLED = {
    "window": (lambda X: X, None),
    "window, mark": (marked, None),
    "ffill": (lambda X: X.ffill().bfill(), None),
    "interpolate": (lambda X: X.interpolate().ffill().bfill(), None),
    "mean": (lambda X: X, SimpleImputer()),
    "nearest rows": (lambda X: X, KNNImputer()),
    "regressions": (lambda X: X, IterativeImputer(random_state=0)),
}
LIMITS = {f"window, up to {limit}": limit for limit in (0.0, 0.25, 0.75, 0.95)}
WAYS = {
    "rows": ["window", *LIMITS, "window, mark", "ffill", "interpolate"],
    "values": ["window", "window, mark", "ffill", "interpolate", *list(FILLED)[4:]],
}


def errors(frame, way, window, horizon, true, seed, max_epochs):
    """Fit one way: root mean squared errors of the two parts after the fit."""
    fill, imputer = FILLED["window" if way in LIMITS else way]
    n_train, n_valid = len(frame) * 6 // 10, len(frame) * 8 // 10
    lstm = LSTMRegressor(16, max_epochs=max_epochs, random_state=seed, n_jobs=1)
    steps = [SlidingWindowTransformer(window), lstm]
    model = make_pipeline(*([imputer, *steps] if imputer else steps))
    y = forecast_targets(frame.iloc[:n_train, 0].to_numpy(), horizon)
    X = fill(frame)
    values = {"most_missing": LIMITS[way]} if way in LIMITS else {}
    try:
        with replaced(**values):
            model.fit(X[:n_train], y)
    except ValueError:
        if way not in LIMITS:
            raise
        return [np.nan, np.nan]  # no window trains
    squares = (model.predict(X)[n_train:] - true[n_train:]) ** 2
    parts = squares[: n_valid - n_train], squares[n_valid - n_train :]
    return [float(np.sqrt(np.nanmean(part))) for part in parts]


def main(arguments=None):
    """Print the table."""
    warnings.filterwarnings("ignore", "The last step of .* lacks feature")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=DEFAULT)
    parser.add_argument("--rows", type=int, default=3000, help="of each series, the last ones")
    parser.add_argument("--max-epochs", type=int, default=20)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--ways", nargs="+", default=[*FILLED, *LIMITS])
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore", ConvergenceWarning)
    found = {}
    for name in asked.names:
        series = SINGLE[name]()
        frame = series.frame.iloc[-asked.rows :].reset_index(drop=True).astype(float)
        frame.columns = frame.columns.astype(str)
        window, horizon = min(series.window, 48), min(series.horizon, 12)
        true = forecast_targets(frame.iloc[:, 0].to_numpy(), horizon)
        for seed in asked.seeds:
            fit = (window, horizon, true, seed, asked.max_epochs)
            unit = np.array(errors(frame, "window", *fit))
            for what in WAYS if frame.shape[1] > 1 else ["rows"]:
                for in_stretches in (False, True):
                    for fraction in FRACTIONS:
                        rng = np.random.default_rng(seed)
                        n_columns = 1 if what == "rows" else frame.shape[1]
                        lost = removed(len(frame), n_columns, fraction, in_stretches, rng)
                        damaged = frame.mask(np.broadcast_to(lost, frame.shape))
                        for way in (way for way in WAYS[what] if way in asked.ways):
                            place = (what, in_stretches, fraction, way)
                            relative = np.log(errors(damaged, way, *fit) / unit)
                            found.setdefault(place, []).append(relative)
                            print(name, seed, *place, np.exp(relative).round(3), file=sys.stderr)
    print_table(found)


def print_table(found):
    """Print the geometric means, validation part / test part."""
    print("| removed | " + " | ".join(f"{fraction:.0%}" for fraction in FRACTIONS) + " |")
    print("|---|" + "---|" * len(FRACTIONS))
    for what, in_stretches, way in dict.fromkeys((key[0], key[1], key[3]) for key in found):
        means = [
            np.exp(np.mean(found[what, in_stretches, fraction, way], axis=0))
            for fraction in FRACTIONS
        ]
        cells = [f"{valid:.3f} / {test:.3f}" for valid, test in means]
        where = "in stretches" if in_stretches else "at random"
        print(f"| {what} {where}: {way} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
