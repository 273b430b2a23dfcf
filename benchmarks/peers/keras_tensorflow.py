"""Keras on TensorFlow."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # before keras is imported

from peers.keras_lstm import Contender

__all__ = ["Contender"]
