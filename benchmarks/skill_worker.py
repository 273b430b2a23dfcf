"""One method on one series, in a process of its own: ``python skill_worker.py JOB CORE``.

JOB is a JSON object with ``method``, ``series``, ``seed`` and ``max_seconds``. The answer is
a line of JSON with ``mse``, ``seconds``, ``stopped`` and, for series with one target, ``curve``.

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


def measure(method, task, seed, max_seconds, with_curve=False):
    """Fit and judge a method on a task of series.py.

    Parameters
    ----------
    method : str
    task : Task
    seed : int
    max_seconds : float
    with_curve : bool, default=False
        Whether shorter fits are judged too, where the method has them.

    Returns
    -------
    dict
        "mse": mean squared error over test rows, targets and leads, each target in units of
        its standard deviation in the training part. "seconds": processor time of the fit.
    """
    import numpy as np

    module = importlib.import_module(f"forecasters.{method}")
    shape = task.series
    start, end = task.valid_end, len(task.rows) - shape.horizon
    forecaster = module.Forecaster(
        shape.window, shape.horizon, shape.season, seed, max_seconds, shape.n_targets
    )

    known = task.rows[:start].copy()  # a copy: a view would hold the test rows
    before = time.process_time()
    forecaster.fit(known)
    seconds = time.process_time() - before

    def error(forecasts):
        return float(np.mean((forecasts - task.targets[start:end]) ** 2))

    forecasts = np.asarray(forecaster.predict(task.rows.copy(), start))
    expected = (end - start, shape.n_targets * shape.horizon)
    if forecasts.shape != expected or not np.isfinite(forecasts).all():
        raise ValueError(f"The forecasts are not finite, or not {expected}.")
    check_sees_no_future(forecaster, task.rows, start, forecasts)
    # Only now, when nothing is left to be chosen, are the test values looked at.
    answer = {"mse": error(forecasts), "seconds": seconds, "stopped": forecaster.stopped}
    judged = with_curve and hasattr(module, "curve")
    curve = module.curve(forecaster, task.rows, start, error) if judged else []
    return {**answer, "curve": curve}


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
    import series  # after warnings and output are set, since libraries are loaded

    task = series.load(job["series"])
    single = task.series.n_targets == 1
    answer = measure(job["method"], task, job["seed"], job["max_seconds"], with_curve=single)
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]))
