"""Whether a search picks the window that is best when all history is known.

Run: ``python benchmarks/known_history.py`` in the environment of ``make bench-skill``.

On folds of 60 rows and of default size it compares the errors of three windows

- by a plain ``GridSearchCV`` without a gap, which leaves out the targets that lie in the test rows;
- by hand: fitted on all rows up to the fold with the targets that are known then, predicted from
  windows over the whole series;
- with a gap: the same fits, predicted from windows without the ``horizon - 1`` rows before the
  fold, as a gap in the splitter withholds them.

Prints the errors of each window, the best window marked, and how often the search ranks the windows
as they rank by hand.
"""

import argparse

import numpy as np
import pandas as pd
import series as all_series
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets, known_targets_scorer

SERIES = ["chicago", "seattle", "melbourne", "weather", "electricity", "etth1"]
WAYS = ["search", "by hand", "with a gap"]


def mean_error(predicted, actual):
    """Return the mean absolute error of each output on its known targets, averaged."""
    return np.nanmean(np.abs(predicted - actual), axis=0).mean()


def by_search(pipe, rows, y, windows, cv):
    """Return the errors (folds, windows) of a search without a gap."""
    scorer = known_targets_scorer("neg_mean_absolute_error")
    search = GridSearchCV(
        pipe, {"window__window_size": windows}, cv=cv, scoring=scorer, error_score="raise",
        refit=False,
    ).fit(rows, y)  # fmt: skip
    found = search.cv_results_
    return np.array([-found[f"split{fold}_test_score"] for fold in range(cv.get_n_splits())])


def by_hand(pipe, rows, y, windows, cv):
    """Return the errors (folds, windows) with all history, and with that of a gap withheld."""
    horizon, errors = y.shape[1], []
    for train, test in cv.split(rows):
        end, last = len(train), test[-1] + 1
        then = forecast_targets(rows.iloc[:end, 0], horizon)  # NaN for what is known later
        for size in windows:
            window = SlidingWindowTransformer(size)
            whole = window.fit_transform(rows[:last])
            lstm = clone(pipe["lstm"]).fit(whole[:end], then)
            withheld = window.fit(rows[: end - horizon + 1]).transform(rows[end:last])
            actual = y.iloc[test].to_numpy()
            errors.append([mean_error(lstm.predict(X), actual) for X in (whole[end:], withheld)])
    return np.moveaxis(np.reshape(errors, (-1, len(windows), 2)), 2, 0)


def compare(name, n_rows, max_epochs):
    """Yield the name of the folds and the mean errors {way: (windows,)} for a series."""
    task = all_series.load(name)
    size, horizon = task.series.window, task.series.horizon
    windows = [size // 4, size // 2, size]
    hours = pd.date_range("2000-01-01", periods=len(task.rows), freq="h")
    rows = pd.DataFrame(task.rows, index=hours)[-n_rows:]
    y = forecast_targets(rows[0].rename("target"), horizon)
    lstm = LSTMRegressor(8, max_epochs=max_epochs, n_jobs=1, random_state=0)
    pipe = Pipeline([("window", SlidingWindowTransformer()), ("lstm", lstm)])
    for test_size in (60, None):
        cv = TimeSeriesSplit(3, test_size=test_size)
        errors = [by_search(pipe, rows, y, windows, cv), *by_hand(pipe, rows, y, windows, cv)]
        means = dict(zip(WAYS, (error.mean(axis=0) for error in errors), strict=True))
        yield windows, "60 rows" if test_size else "default", means


def ranking(errors):
    """Return the numbers of the windows, the best one first."""
    return np.argsort(errors, kind="stable").tolist()


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", nargs="+", default=SERIES)
    parser.add_argument("--rows", type=int, default=1500, help="of each series, the last ones")
    parser.add_argument("--max-epochs", type=int, default=15)
    asked = parser.parse_args(arguments)
    print(f"| series | windows | folds | {' | '.join(WAYS)} |")
    print("|---|---|---|---|---|---|")
    same, best = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0)
    for name in asked.series:
        for windows, folds, errors in compare(name, asked.rows, asked.max_epochs):
            right, cells = ranking(errors["by hand"]), []
            for way in WAYS:
                found = ranking(errors[way])
                same[way] += found == right
                best[way] += found[0] == right[0]
                values = [f"{error:.3f}" for error in errors[way]]
                values[found[0]] += "*"
                cells.append(", ".join(values))
            sizes = ", ".join(map(str, windows))
            print(f"| {name} | {sizes} | {folds} | {' | '.join(cells)} |", flush=True)
    n_cases = 2 * len(asked.series)
    for way in ("search", "with a gap"):
        print(f"{way}: ranks as by hand in {same[way]} of {n_cases}, best window in {best[way]}")


if __name__ == "__main__":
    main()
