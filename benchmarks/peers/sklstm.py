"""sklstm itself."""

from peers import LARGEST_GRADIENT, LEARNING_RATE, NETWORK_ALONE
from sklstm import LSTMRegressor, SlidingWindowTransformer


class Contender:
    """Windows that are a view of the series."""

    options = {}

    def __init__(self, workload, series, target, threads):
        start = workload.window - 1  # the windows before are incomplete
        self.X = SlidingWindowTransformer(workload.window).fit_transform(series)[start:]
        self.y = target[start:]
        self.model = LSTMRegressor(
            workload.hidden_layer_sizes,
            learning_rate=LEARNING_RATE,
            batch_size=workload.batch_size,
            max_epochs=workload.epochs,
            early_stopping=False,
            n_iter_no_change=10**6,
            tol=0,
            gradient_clip=LARGEST_GRADIENT,
            random_state=0,
            n_jobs=threads,
            **NETWORK_ALONE,
            **self.options,
        )

    def fit(self):
        """Train a new network."""
        self.model.fit(self.X, self.y)

    def predict(self):
        """One prediction per window."""
        return self.model.predict(self.X)
