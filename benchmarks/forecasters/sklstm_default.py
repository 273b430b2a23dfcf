"""sklstm with its defaults alone."""

import time

import torch
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping

from forecasters.base import Base, Deadline
from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets


class Forecaster(Base):
    """The pipeline of the README."""

    def fit(self, rows):
        """Fit on all rows: targets that are not known yet are NaN, and left out."""
        limit, self.solved = TimeLimit(Deadline(self.max_seconds)), Solved()
        self.start = time.process_time()
        self.model = make_pipeline(
            SlidingWindowTransformer(self.window),
            # n_jobs: one thread, as all others have. callbacks: only the time, and its limit.
            LSTMRegressor(
                random_state=self.seed,
                n_jobs=1,
                callbacks=[("limit", limit), ("solved", self.solved)],
            ),
        )
        self.model.fit(rows, forecast_targets(rows[:, 0], self.horizon))
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
    """Notes when the linear map is solved, and the network starts to learn what it leaves."""

    def on_train_begin(self, net, **kwargs):
        """Note the time."""
        self.time = time.process_time()


def curve(forecaster, rows, start, error):
    """Return the test error of the linear map, and when it was solved.

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
        Processor seconds since the start of the fit, and the test error by then.
    """
    with torch.no_grad():
        for parameter in forecaster.model[-1].net_.module_.head.parameters():
            parameter.zero_()  # the network adds nothing any more
    return [[forecaster.solved.time - forecaster.start, error(forecaster.predict(rows, start))]]
