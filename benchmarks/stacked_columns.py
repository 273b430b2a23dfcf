"""Columns as series of one model, or as columns: ``python benchmarks/stacked_columns.py``.

The wide series of series.py, all of whose columns are forecast. Fits are on the first 80 % of the
rows. Printed are the mean squared errors on the others, in units of the standard deviation of each
column, and the processor time of the fit: of a frame as it is, and after ``stack()``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
import warnings

import numpy as np
import pandas as pd
import series
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets


def errors(name, is_stacked):
    """Return the error on the test part, and the seconds of the fit."""
    task = series.load(name)
    shape, start = task.series, task.valid_end
    frame = pd.DataFrame(task.rows).add_prefix("column").rename_axis("row")
    end = len(frame) - shape.horizon
    if is_stacked:
        frame = frame.stack().swaplevel().sort_index().to_frame("value")
        row = frame.index.get_level_values(1)
    else:
        row = frame.index
    y = pd.concat([forecast_targets(frame[column], shape.horizon) for column in frame], axis=1)
    lstm = LSTMRegressor(random_state=0, n_jobs=1)
    model = make_pipeline(SlidingWindowTransformer(shape.window, history="none"), lstm)
    before = time.process_time()
    model.fit(frame[row < start], y[row < start])
    seconds = time.process_time() - before
    is_test = (row >= start) & (row < end)
    mistakes = model.predict(frame)[is_test] - y[is_test].to_numpy()
    return np.square(mistakes).mean(), seconds


def main(arguments=None):
    """Print a line for each series."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [name for name in series.WIDE if name not in series.GENERATED]
    parser.add_argument("series", nargs="*", metavar="SERIES", help=f"of {', '.join(names)}")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    print("| series | columns | as columns | stacked |\n| --- | ---: | ---: | ---: |")
    for name in asked.series or names:
        found = [errors(name, is_stacked) for is_stacked in (False, True)]
        shown = " | ".join(f"{error:.3f} ({seconds:.0f} s)" for error, seconds in found)
        print(f"| {name} | {series.load(name).series.n_targets} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
