"""One method on one series, in a process of its own: ``python skill_worker.py JOB CORE``.

JOB is a JSON object with ``method``, ``series``, ``seed`` and ``max_seconds``. The answer is
a line of JSON with ``mse``, ``seconds``, ``stopped`` and ``curve``.

The protocol: the method is fitted on the first 80 % of the rows and is given no others, not
even as what lies beyond the end of an array. Then it forecasts from each row of the test
part, the latest 20 %. That its forecasts do not depend on rows after the one that they are
made from is checked: the test error could not be trusted otherwise.
"""

import importlib
import json
import os
import sys
import time
import warnings


def measure(method, series_name, seed, max_seconds):
    """Fit and judge a method.

    Returns
    -------
    dict
        "mse": mean squared error over test rows and leads, of the target in units of its
        standard deviation in the training part. "seconds": processor time of the fit.
    """
    import numpy as np
    import series

    module = importlib.import_module(f"forecasters.{method}")
    task = series.load(getattr(series, series_name))
    shape = task.series
    start, end = task.valid_end, len(task.rows) - shape.horizon
    forecaster = module.Forecaster(shape.window, shape.horizon, shape.season, seed, max_seconds)

    known = task.rows[:start].copy()  # a copy: a view would hold the test rows
    before = time.process_time()
    forecaster.fit(known)
    seconds = time.process_time() - before

    def error(forecasts):
        return float(np.mean((forecasts - task.targets[start:end]) ** 2))

    forecasts = np.asarray(forecaster.predict(task.rows.copy(), start))
    if forecasts.shape != (end - start, shape.horizon) or not np.isfinite(forecasts).all():
        raise ValueError(f"The forecasts are not finite, or not {(end - start, shape.horizon)}.")
    check_sees_no_future(forecaster, task.rows, start, forecasts)
    # Only now, when nothing is left to be chosen, are the test values looked at.
    curve = module.curve(forecaster, task.rows, start, error) if hasattr(module, "curve") else []
    return {
        "mse": error(forecasts),
        "seconds": seconds,
        "stopped": forecaster.stopped,
        "curve": curve,
    }


def check_sees_no_future(forecaster, rows, start, forecasts):
    """Raise if other rows in the second half of the test part change forecasts in the first."""
    import numpy as np

    middle = len(forecasts) // 2
    other = rows.copy()
    other[start + middle :] = 1 - other[start + middle :]
    again = np.asarray(forecaster.predict(other, start))
    # The last bits may differ with a row's place in a batch.
    if not np.allclose(again[:middle], forecasts[:middle], rtol=1e-3, atol=1e-3):
        raise ValueError("Forecasts depend on rows after the one that they are made from.")


def main(job, core):
    """Carry out a job on this core."""
    os.sched_setaffinity(0, {core})  # before a library starts a thread for each core
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    answer = measure(job["method"], job["series"], job["seed"], job["max_seconds"])
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]))
