"""What a failed call must leave as it was: a fitted model, and the state of the process."""

import random
import warnings

import joblib
import numpy as np
import sklearn
import threadpoolctl
import torch

from sklstm._network.allocator import freed_memory_kept
from sklstm._network.runtime import _exact_on_a_gpu, _float32_by_default
from sklstm._network.threads import one_thread_of_torch

SETTINGS = (freed_memory_kept, _float32_by_default, _exact_on_a_gpu, one_thread_of_torch)


def process_state():
    """Everything outside of a model that a call could change."""
    return {
        "random numbers": (
            torch.get_rng_state().tolist(),
            repr(np.random.get_state()),
            random.getstate(),
        ),
        "threads": (
            torch.get_num_threads(),
            torch.get_num_interop_threads(),
            [pool["num_threads"] for pool in threadpoolctl.threadpool_info()],
        ),
        "types": (torch.get_default_dtype(), str(torch.get_default_device())),
        "modes": (
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.is_autocast_enabled("cpu"),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
        ),
        "calls that changed a setting": [dict(setting.calls) for setting in SETTINGS],
        "warnings": (list(map(str, warnings.filters)), warnings.showwarning),
        "numpy": (np.geterr(), np.get_printoptions()),
        "scikit-learn": sklearn.get_config(),
        "joblib": joblib.parallel.get_active_backend()[1],
    }


def identities(model):
    """The attributes of a model, and which objects they are."""
    return {name: id(value) for name, value in vars(model).items()}
