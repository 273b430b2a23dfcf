"""What Lightning is told by every method that trains with it: nothing on the screen."""

import logging

logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)

QUIET = {
    "accelerator": "cpu",
    "enable_model_summary": False,
    "enable_progress_bar": False,
    "logger": False,
}
