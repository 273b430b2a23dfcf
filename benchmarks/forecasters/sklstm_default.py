"""sklstm with its defaults alone."""

from sklearn.pipeline import make_pipeline
from skorch.callbacks import EarlyStopping

from forecasters.base import Base, Deadline
from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets


class Forecaster(Base):
    """The pipeline of the README."""

    def fit(self, rows):
        """Fit on all rows: targets that are not known yet are NaN, and left out."""
        limit = TimeLimit(Deadline(self.max_seconds))
        self.model = make_pipeline(
            SlidingWindowTransformer(self.window),
            # n_jobs: one thread, as all others have. callbacks: only the time limit.
            LSTMRegressor(random_state=self.seed, n_jobs=1, callbacks=[("limit", limit)]),
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


def curve(forecaster, rows, start, error):
    """Return the test error that training had reached, and when: TO BE FILLED IN.

    It is called after ``fit``, which never sees the test rows: what the model was at earlier
    times has to be kept by ``fit``, at no cost to the time that is counted.

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
    return []
