"""Keras, on the backend that the environment variable KERAS_BACKEND names."""

import keras

from peers import LARGEST_GRADIENT, LEARNING_RATE, PREDICTION_BATCH
from peers.dense import dense_windows


class Contender:
    """Stacked layers, trained by ``model.fit`` on dense windows.

    The model is built once and each fit starts from its initial weights, so that only the
    first fit, which is not counted, compiles it: that takes seconds.
    """

    def __init__(self, workload, series, target, threads):
        # JAX and TensorFlow have taken as many threads as the process has cores.
        self.workload = workload
        self.X = dense_windows(series, workload.window)
        self.y = target[workload.window - 1 :, None]  # (n_windows, 1)
        self.model = _compiled_model(workload)
        self.variables = [*self.model.variables, *self.model.optimizer.variables]
        self.initial = [variable.numpy() for variable in self.variables]

    def fit(self):
        """Train from the initial weights."""
        for variable, value in zip(self.variables, self.initial, strict=True):
            variable.assign(value)
        self.model.fit(
            self.X,
            self.y,
            batch_size=self.workload.batch_size,
            epochs=self.workload.epochs,
            shuffle=True,
            verbose=0,
        )

    def predict(self):
        """One prediction per window."""
        return self.model.predict(self.X, batch_size=PREDICTION_BATCH, verbose=0)[:, 0]


def _compiled_model(workload):
    keras.utils.set_random_seed(0)
    *sizes, last = workload.hidden_layer_sizes
    model = keras.Sequential(
        [
            keras.Input((workload.window, workload.n_features)),
            *(keras.layers.LSTM(size, return_sequences=True) for size in sizes),
            keras.layers.LSTM(last),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=LARGEST_GRADIENT)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, loss="mean_squared_error")
    return model
