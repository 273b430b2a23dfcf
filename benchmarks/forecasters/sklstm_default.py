"""sklstm with its defaults alone."""

import time

import internals
import numpy as np
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping

from forecasters.base import Base, Deadline
from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

EPOCHS = (2, 5, 10, 20)  # of the shorter fits of the curve


class Forecaster(Base):
    """The pipeline of the README."""

    def fit(self, rows, max_epochs=None):
        """Fit on all rows: targets that are not known yet are NaN, and left out."""
        self.rows, self.solved = rows, Solved()
        limit = TimeLimit(Deadline(self.max_seconds))
        self.model = make_pipeline(
            SlidingWindowTransformer(self.window),
            # n_jobs: one thread, as all others have. callbacks: only the time, and its limit.
            LSTMRegressor(
                random_state=self.seed,
                n_jobs=1,
                callbacks=[("limit", limit), ("solved", self.solved)],
            ),
        )
        if max_epochs is not None:  # for the curve
            self.model[-1].set_params(max_epochs=max_epochs)
        self.start = time.process_time()
        columns = rows[:, : self.n_targets].T
        targets = np.hstack([forecast_targets(column, self.horizon) for column in columns])
        self.model.fit(rows, targets)
        self.end = time.process_time()
        regressor = self.model[-1]
        early = regressor.n_iter_ < regressor.max_epochs
        self.stopped = "limit" if limit.deadline.passed() else "early" if early else "epochs"

    def predict(self, rows, start):
        """Forecast from each row."""
        windows = self.model[:-1].transform(rows)[start : len(rows) - self.horizon]
        return self.model[-1].predict(windows)


class TimeLimit(EarlyStopping):
    """Stop within an epoch, but not within the first one: then there would be no model.

    It is a kind of early stopping since sklstm takes any other KeyboardInterrupt, by which
    skorch stops training, for Ctrl-C.
    """

    def __init__(self, deadline):
        super().__init__()
        self.deadline = deadline

    def on_epoch_end(self, net, **kwargs):
        """Stop if the time is over, whatever the loss."""
        if self.deadline.passed():
            self._stop()

    def on_batch_end(self, net, training=False, **kwargs):
        """Stop if the time is over, and forget the epoch that was not completed."""
        if training and len(net.history) > 1 and self.deadline.passed():
            del net.history[-1]
            self._stop()

    def _stop(self):
        self.misses_ = self.patience
        raise KeyboardInterrupt


class Solved(Callback):
    """Notes when the linear map is solved, and the network starts to learn its residuals."""

    def on_train_begin(self, net, **kwargs):
        """Note the time."""
        self.time = time.process_time()


def curve(forecaster, rows, start, error):
    """Return the test error of shorter fits, and of the linear map alone.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted.
    rows : ndarray of shape (n_rows, n_features)
        The whole series.
    start : int
        The first row of the test part.
    error : callable
        Gives the test error of what ``predict(rows, start)`` returns.

    Returns
    -------
    curve : list of [float, float]
        Processor seconds of a fit that stops there, and its test error. What only the first
        fit of a process takes, such as loading parts of torch, counts for each.
    """
    n_epochs, stopped = forecaster.model[-1].n_iter_, forecaster.stopped
    solved = forecaster.solved.time - forecaster.start
    internals.remove_network(forecaster.model[-1])
    points = [[solved, error(forecaster.predict(rows, start))]]
    for max_epochs in EPOCHS:
        if max_epochs < n_epochs:
            forecaster.fit(forecaster.rows, max_epochs)
            seconds = solved + forecaster.end - forecaster.solved.time
            points.append([seconds, error(forecaster.predict(rows, start))])
    forecaster.stopped = stopped
    return points
