"""The time limit for Keras, whose backend is to be chosen before this is imported."""

import keras


class TimeLimit(keras.callbacks.Callback):
    """Stop within an epoch."""

    def __init__(self, deadline):
        super().__init__()
        self.deadline = deadline

    def on_train_batch_end(self, batch, logs=None):
        """Stop if the time is over."""
        if self.deadline.passed():
            self.model.stop_training = True


def reason(deadline, n_epochs, epochs):
    """Say why a fit of so many epochs has stopped."""
    return "limit" if deadline.passed() else "early" if n_epochs < epochs else "epochs"
