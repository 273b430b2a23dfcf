"""Keras on JAX, the time limit for it, and how every fit with it begins and ends."""

import os

os.environ["KERAS_BACKEND"] = "jax"  # before keras is imported

import keras

from forecasters.base import Deadline


class TimeLimit(keras.callbacks.Callback):
    """Stop within an epoch."""

    def __init__(self, deadline):
        super().__init__()
        self.deadline = deadline

    def on_train_batch_end(self, batch, logs=None):
        """Stop if the time is over."""
        if self.deadline.passed():
            self.model.stop_training = True


def begin(forecaster):
    """Start the clock of a fit, and seed Keras."""
    deadline = Deadline(forecaster.max_seconds)
    keras.utils.set_random_seed(forecaster.seed)
    return deadline


def reason(deadline, n_epochs, epochs):
    """Say why a fit of so many epochs has stopped."""
    return "limit" if deadline.passed() else "early" if n_epochs < epochs else "epochs"
