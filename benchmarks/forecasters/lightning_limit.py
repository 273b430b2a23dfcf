"""The time limit for what Lightning trains, and how to keep it quiet."""

import logging

import torch
from pytorch_lightning.callbacks import Callback

torch.set_num_threads(1)
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)

QUIET = {
    "accelerator": "cpu",
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "enable_progress_bar": False,
    "logger": False,
}


class TimeLimit(Callback):
    """Stop within an epoch."""

    def __init__(self, deadline):
        self.deadline = deadline

    def on_train_batch_end(self, trainer, *args, **kwargs):
        """Stop if the time is over."""
        if self.deadline.passed():
            trainer.should_stop = True
