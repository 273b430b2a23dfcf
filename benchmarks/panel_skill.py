"""One model for many series against others: ``python benchmarks/panel_skill.py``.

Nine panels (panels.py). All methods are fitted on the times of the first 80 %, and forecast from
each row of the others that has a whole window and knows the values that follow. The error of a
series is its mean absolute error over all leads, over that of the seasonal naive forecast in the
training part (MASE). Printed is its mean over series, and the processor time of the fit, on one
core. Those that train for a time have a minute. The last lines have the geometric means of errors,
and the mean ranks.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import copy
import time
import warnings

import numpy as np
import pandas as pd
import panels
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

MAX_SECONDS = 60


class Task:
    """A panel, what is fitted on, and the rows that are forecast from.

    Attributes
    ----------
    values : Series of shape (n_rows,)
        Of all times, by series and time.
    targets : DataFrame of shape (n_rows, horizon)
    train : ndarray of bool of shape (n_rows,)
    whole : Series of bool of shape (n_rows,)
        Which rows have a whole window and know the values that follow.
    judged : MultiIndex
        Those of the test part, of series with such rows in the training part.
    table : DataFrame of shape (n_times, n_series)
        All values for libraries that take no holes: the value before stands in one.
    """

    def __init__(self, name):
        self.values, self.season, self.horizon, self.window = panels.load(name)
        times = self.values.index.get_level_values("time")
        every = times.unique().sort_values()
        self.start, self.end = every[int(0.8 * len(every))], every[-1] + pd.Timedelta(days=1)
        self.train = times < self.start
        self.targets = forecast_targets(self.values, self.horizon)
        # A day may have no row in any series.
        step = (every[1:] - every[:-1]).min()
        is_daily = step <= pd.Timedelta(days=1)
        grid = pd.date_range(every[0], every[-1], freq=step, name="time") if is_daily else every
        table = self.values.unstack("series").reindex(grid)
        self.table = table.ffill().where(table.bfill().notna())
        whole = self.values.groupby(level=0).cumcount() >= self.window - 1
        self.whole = whole & self.targets.notna().all(axis=1)
        names = self.values.index.get_level_values("series")
        has_fit = names.isin(names[self.whole & self.train])
        self.judged = self.values.index[self.whole & ~self.train & has_fit]

    def of_series(self, name):
        """Return the task of one series."""
        task = copy.copy(self)
        rows = self.values.index.get_level_values("series") == name
        task.values, task.targets = self.values.loc[name], self.targets.loc[name]
        task.train = self.train[rows]
        return task

    def error(self, forecasts):
        """Return the mean of MASE over series; forecasts has a row for each judged one."""
        if not np.isfinite(forecasts.loc[self.judged]).to_numpy().all():
            raise ValueError("A forecast is missing.")
        targets = self.targets.loc[self.judged].reindex(self.values.index)
        forecasts = forecasts.reindex(self.values.index).set_axis(targets.columns, axis=1)
        part = (self.start, self.end)
        return panels.error(self.values, targets, forecasts, part, self.season)


def seasonal_naive(task):
    """Repeat the latest season."""
    table, leads = task.table, np.arange(1, task.horizon + 1)
    back = leads - task.season * -(-leads // task.season)
    found = [table.shift(-lead).stack().swaplevel() for lead in back]
    return pd.concat(found, axis=1).loc[task.judged], 0.0


def lstm_forecasts(task):
    """Fit on the training part, and forecast from all rows."""
    X, lstm = task.values.to_frame(), LSTMRegressor(random_state=0, n_jobs=1)
    pipe = make_pipeline(SlidingWindowTransformer(task.window, history="none"), lstm)
    start = time.process_time()
    pipe.fit(X[task.train], task.targets[task.train])
    seconds = time.process_time() - start
    return pd.DataFrame(pipe.predict(X), X.index), seconds


def sklstm_together(task):
    """Fit one model of all series."""
    forecasts, seconds = lstm_forecasts(task)
    return forecasts.loc[task.judged], seconds


def sklstm_each(task):
    """Fit one model for each series."""
    names = task.judged.get_level_values("series").unique()
    forecasts, seconds = zip(*[lstm_forecasts(task.of_series(name)) for name in names], strict=True)
    forecasts = pd.concat(dict(zip(names, forecasts, strict=True)))
    return forecasts.loc[task.judged], sum(seconds)


def long(table):
    """Return the values of a table as mlforecast and neuralforecast take them."""
    steps = table.set_axis(np.arange(len(table))).rename_axis("ds")
    rows = steps.melt(ignore_index=False, var_name="unique_id", value_name="y")
    return rows.dropna().reset_index()[["unique_id", "ds", "y"]]


class LightGBM:
    """One model of mlforecast, of levels or differences, of values as they are or in units.

    Parameters
    ----------
    task : Task
    table : DataFrame of shape (n_times, n_series)
        The values to fit on.
    differences : list of int
    is_scaled : bool
        Whether values are in units of the standard deviation of each series.
    """

    def __init__(self, task, table, differences, is_scaled):
        from lightgbm import LGBMRegressor
        from mlforecast import MLForecast
        from mlforecast.target_transforms import Differences

        self.task, std = task, table.std()
        self.units = std.where(std > 0, 1.0) if is_scaled else std * 0 + 1
        self.model = MLForecast(
            models=[LGBMRegressor(random_state=0, n_jobs=1, verbosity=-1)],
            freq=1,
            lags=range(1, task.window + 1 - len(differences)),
            target_transforms=[Differences(differences)] if differences else None,
            num_threads=1,
        )
        rows = long(table / self.units)
        # The library wants a row to fit on from each series.
        length = rows.groupby("unique_id")["y"].transform("size")
        self.model.fit(rows[length > task.window + 1], static_features=[])

    def forecast(self, origins):
        """Forecast from rows: the window of each is a series to the library."""
        table, horizon = self.task.table / self.units, self.task.horizon
        at = table.index.get_indexer(origins.get_level_values("time"))
        column = table.columns.get_indexer(origins.get_level_values("series"))
        steps = np.arange(1 - self.task.window, 1)
        values = table.to_numpy()[at[:, None] + steps, column[:, None]]  # (n_origins, window)
        windows = pd.DataFrame(values.T, steps)
        found = self.model.predict(horizon, new_df=long(windows))
        found = found.sort_values(["unique_id", "ds"])["LGBMRegressor"].to_numpy()
        units = self.units.to_numpy()[column, None]
        return pd.DataFrame(found.reshape(-1, horizon) * units, origins)


def lightgbm(task):
    """Choose how LightGBM takes the values on the latest quarter of the training part."""
    start = time.process_time()
    train = task.table[task.table.index < task.start]
    cut, end = train.index[int(0.75 * len(train))], train.index[-task.horizon - 1]
    times = task.values.index.get_level_values("time")
    known = task.targets[task.whole & (times >= cut) & (times <= end)]
    known = known[:: max(1, len(known) // 1000)]
    units = train.std()[known.index.get_level_values("series")].to_numpy()[:, None]

    def error(way):
        forecasts = LightGBM(task, train[train.index < cut], *way).forecast(known.index)
        return np.nanmean(np.abs(forecasts.to_numpy() - known.to_numpy()) / np.maximum(units, 1e-9))

    ways = [(differences, is_scaled) for differences in ([], [1]) for is_scaled in (False, True)]
    best = LightGBM(task, train, *min(ways, key=error))
    seconds = time.process_time() - start
    return best.forecast(task.judged), seconds


def neuralforecast(task, name):
    """Train a model of neuralforecast with its defaults, in units of each series."""
    from forecasters.base import Deadline
    from forecasters.lightning_limit import QUIET, TimeLimit
    from neuralforecast import NeuralForecast, models

    start = time.process_time()
    limit = TimeLimit(Deadline(MAX_SECONDS))
    sizes = {"h": task.horizon, "input_size": task.window}
    model = getattr(models, name)(**sizes, random_seed=0, callbacks=[limit], devices=1, **QUIET)
    library = NeuralForecast(models=[model], freq=1, local_scaler_type="standard")
    n_train = int((task.table.index < task.start).sum())
    library.fit(long(task.table[:n_train]))
    seconds = time.process_time() - start
    found = []
    # The test part of the library is counted from the end of each series.
    last = task.table.notna()[::-1].idxmax()
    for end, names in last.groupby(last).groups.items():
        table = task.table.loc[:end, names]
        if (n_test := len(table) - n_train) >= task.horizon:
            sizes = {"n_windows": None, "test_size": n_test, "step_size": 1}
            found.append(library.cross_validation(long(table), use_fitted=True, **sizes))
    rows = pd.concat(found).reset_index()
    rows["lead"], rows["time"] = rows["ds"] - rows["cutoff"], task.table.index[rows["cutoff"]]
    forecasts = rows.pivot(index=["unique_id", "time"], columns="lead", values=name)
    return forecasts.reindex(task.judged), seconds


METHODS = {
    "sklstm, all series": sklstm_together,
    "sklstm, each series": sklstm_each,
    "seasonal naive": seasonal_naive,
    "LightGBM (mlforecast)": lightgbm,
    "LSTM (neuralforecast)": lambda task: neuralforecast(task, "LSTM"),
    "NHITS (neuralforecast)": lambda task: neuralforecast(task, "NHITS"),
}


def main(arguments=None):
    """Print a line for each panel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("panels", nargs="*", metavar="PANEL", choices=[[], *panels.PANELS])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    table = []
    print(f"| panel | series | {' | '.join(asked.methods)} |")
    print("| --- |" + " ---: |" * (1 + len(asked.methods)))
    for name in asked.panels or panels.PANELS:
        task, line = Task(name), []
        for method in asked.methods:
            forecasts, seconds = METHODS[method](task)
            line.append((task.error(forecasts), seconds))
        table.append([error for error, _ in line])
        shown = " | ".join(f"{error:.3f} ({seconds:.0f} s)" for error, seconds in line)
        n_series = task.judged.get_level_values(0).nunique()
        print(f"| {name} | {n_series} | {shown} |", flush=True)
    means, ranks = np.exp(np.log(table).mean(axis=0)), pd.DataFrame(table).rank(axis=1).mean()
    print(f"| geometric mean | | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    print(f"| mean rank | | {' | '.join(f'{rank:.2f}' for rank in ranks)} |")


if __name__ == "__main__":
    main()
