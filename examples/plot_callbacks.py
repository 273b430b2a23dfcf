"""
Callbacks and a learning rate schedule
======================================

Training is skorch's loop, so ``callbacks=`` takes every callback of skorch, every learning rate
schedule of torch, and your own callbacks.
"""

# %%
# Your own callback is a class with one or two methods. What it records in ``net.history`` stays
# with the fitted model. This one records the distance of the weights from the initial ones.
import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, LRScheduler
from torch.nn.utils import parameters_to_vector
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR

from sklstm import LossCurveDisplay, LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership


class Distance(Callback):
    """Record the distance of the weights from those at the start."""

    def on_train_begin(self, net, **kwargs):
        """Keep the weights."""
        self.start_ = parameters_to_vector(net.module_.parameters()).detach().clone()

    def on_epoch_end(self, net, **kwargs):
        """Compare the weights with those kept."""
        weights = parameters_to_vector(net.module_.parameters()).detach()
        net.history.record("distance", float((weights - self.start_).norm()))


# %%
# The same network with a constant learning rate, and with one that falls along a cosine. Both run
# all epochs; the weights of the epoch with the lowest validation loss are kept.
X = load_chicago_ridership(as_frame=True).data[:3000]
y = forecast_targets(X["ridership"], horizon=7)
epochs = 40
cosine = LRScheduler(policy=CosineAnnealingLR, T_max=epochs)
constant = LRScheduler(policy=ConstantLR, factor=1)  # only to record the rate
models = {}
for name, schedule in {"constant": constant, "cosine": cosine}.items():
    lstm = LSTMRegressor(
        32,
        learning_rate=0.01,
        max_epochs=epochs,
        n_iter_no_change=epochs,
        callbacks=[("schedule", schedule), ("distance", Distance())],
        random_state=0,
    )
    models[name] = make_pipeline(SlidingWindowTransformer(28), lstm).fit(X, y)

# %%
# The loss is that on the residual of the linear map, in units of its size on the training rows. The
# later validation rows have a larger residual, so their loss starts above 1.
figure, axes = plt.subplots(
    3, 2, figsize=(10, 8), layout="constrained", sharex=True, sharey="row", height_ratios=[2, 1, 1]
)
for (loss_ax, rate_ax, distance_ax), (name, model) in zip(axes.T, models.items(), strict=True):
    LossCurveDisplay.from_estimator(model, ax=loss_ax)
    loss_ax.set(title=f"{name} learning rate", xlabel=None)
    loss_ax.legend(loc="center right", bbox_to_anchor=(1, 0.55))
    loss_ax.label_outer()
    history = model[-1].net_.history
    rate_ax.plot(range(1, epochs + 1), history[:, "event_lr"], color="black")
    distance_ax.plot(range(1, epochs + 1), history[:, "distance"], color="black")
    distance_ax.set_xlabel("epoch")
    losses = model[-1].validation_loss_curve_
    best = min(range(epochs), key=losses.__getitem__)
    print(
        f"{name}: lowest validation loss {losses[best]:.3f} in epoch {best + 1}, "
        f"{losses[-1]:.3f} in the last one"
    )
axes[1, 0].set_ylabel("learning rate")
axes[2, 0].set_ylabel("distance of\nthe weights")

# %%
# With both rates the validation loss rises again after its lowest point, from 0.88 and 0.89 to
# 0.93. With the falling rate the weights converge. As early stopping keeps the best epoch, the
# schedule gains nothing here.
