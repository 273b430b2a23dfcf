"""Make the files of a new format in saved_files/: ``python -m tests.saving.make_saved_files``.

Later versions have to load them. So a file that is there is never made again.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    save,
)
from sklstm._saving.archive import FORMAT

FOLDER = Path(__file__).with_name("saved_files")


def one_series():
    """Hours, of which one is missing."""
    index = pd.date_range("2024-01-01", periods=90, freq="h").delete(30)
    hour = np.arange(len(index))
    return pd.DataFrame({"load": np.sin(hour / 4), "cold": np.cos(hour / 9)}, index=index)


def two_series():
    """Days of two shops, whose names have two levels."""
    days = pd.date_range("2024-01-01", periods=60)
    index = pd.MultiIndex.from_tuples(
        [(*shop, day) for shop in (("north", 1), ("south", 2)) for day in days],
        names=["region", "shop", "day"],
    )
    return pd.DataFrame({"sales": 5 + np.sin(np.arange(120) / 3) * np.repeat([1, 4], 60)}, index)


def lstm(**params):
    return LSTMRegressor((3, 2), max_epochs=3, n_jobs=1, random_state=0, **params)


def models():
    """Yield a name, a model that is not fitted, and the rows that it is fitted on."""
    scaled = make_pipeline(StandardScaler(), SlidingWindowTransformer(6), lstm())
    yield "lstm", scaled.set_output(transform="pandas"), one_series()
    flat = SlidingWindowTransformer(6, padding="edge", flatten=True, freq="h")
    yield "ridge", make_pipeline(flat, KnownTargetsRegressor(Ridge())), one_series()
    quantiles = make_pipeline(SlidingWindowTransformer(5), lstm(loss="quantile"))
    yield "intervals", ConformalRegressor(quantiles, coverage=0.8), two_series()


def results(model, X):
    """Return what a model predicts: of rows that were fitted, and of later ones."""
    times = X.index.levels[-1] if X.index.nlevels > 1 else X.index
    shift = times[-1] - times[0] + (times[1] - times[0])
    later = X.copy()
    later.index = (
        X.index.set_levels(times + shift, level=-1) if X.index.nlevels > 1 else times + shift
    )
    predict = getattr(model, "predict_interval", model.predict)
    return np.stack([predict(rows).reshape(len(rows), -1) for rows in (X, later)])


if __name__ == "__main__":
    for name, model, X in models():
        path = FOLDER / f"format_{FORMAT}_{name}.sklstm"
        if path.exists():
            continue
        model.fit(X, forecast_targets(X.iloc[:, 0], 2))
        save(model, path)
        np.save(path.with_suffix(".npy"), results(model, X))
        print(path)
