"""Keras on JAX."""

import os

os.environ["KERAS_BACKEND"] = "jax"  # before keras is imported

from peers.keras_lstm import Contender

__all__ = ["Contender"]
