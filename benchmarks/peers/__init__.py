"""The contenders: one module each, so that a process imports the library it measures only.

Each module has a class ``Contender(workload, series, target, threads)`` that prepares the
data as its library's users do once. Its ``fit()`` trains from fresh weights for
``workload.epochs`` passes over the windows (Adam, 1e-3, squared error, gradients clipped at
a norm of one; no validation, no early stopping, no logs), and its ``predict()`` returns one
prediction per window, (n_windows,). Arithmetic is float32 if the name says nothing else.
"""

NAMES = (
    "sklstm",
    "sklstm_bfloat16",
    "hand_written",
    "hand_written_kept",
    "skorch_plain",
    "keras_jax",
    "keras_tensorflow",
    "darts_block_rnn",
    "neuralforecast_lstm",
)

LEARNING_RATE = 1e-3
LARGEST_GRADIENT = 1.0

# Windows in a call of the network where a library lets its user choose: their defaults
# (32 in keras) would be slower.
PREDICTION_BATCH = 256

# sklstm as the others train: without the linear map, a loss at every step and averaged weights.
NETWORK_ALONE = {"linear_skip": False, "supervise": "last", "ema_decay": 0.0}

# glibc's allocator as it is by default hands a step's memory back to the system in some
# processes, and keeps it in others, by chance.
ENVIRONMENTS = {
    "hand_written_kept": {
        "MALLOC_TRIM_THRESHOLD_": str(2**32),
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
    }
}
