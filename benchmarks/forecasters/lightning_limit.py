"""The time limit for what Lightning trains."""

import quiet_lightning
import torch
from pytorch_lightning.callbacks import Callback

torch.set_num_threads(1)

QUIET = {**quiet_lightning.QUIET, "enable_checkpointing": False}


class TimeLimit(Callback):
    """Stop within an epoch."""

    def __init__(self, deadline):
        self.deadline = deadline

    def on_train_batch_end(self, trainer, *args, **kwargs):
        """Stop if the time is over."""
        if self.deadline.passed():
            trainer.should_stop = True
