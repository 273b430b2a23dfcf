"""The base class of LSTM estimators, for any kind of target: fit, outputs, pickling."""

from __future__ import annotations

import copy
import warnings
from abc import ABCMeta, abstractmethod
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from sklstm._fit_tasks import CallbackSupportMixin, FitTask, with_callbacks
from sklstm._linear.residual import residual_targets, solve_skip
from sklstm._linear.skip import LinearSkip
from sklstm._misplaced_lags import check_step_order
from sklstm._network.allocator import large_blocks_kept
from sklstm._network.architecture import Architecture
from sklstm._network.batches import (
    EveryStepDataset,
    WindowDataset,
    auto_batch_size,
    labels_are_sparse,
)
from sklstm._network.building import (
    Hyperparameters,
    TrainingRun,
    build_net,
)
from sklstm._network.callbacks import untrained
from sklstm._network.device import is_cpu, resolve_device
from sklstm._network.epoch_tasks import EpochTasks
from sklstm._network.microbatches import SMALLEST_MICROBATCH
from sklstm._network.net import WindowNet
from sklstm._network.network_weight import choose_network_weight
from sklstm._network.prediction import predict_windows
from sklstm._network.runtime import torch_state
from sklstm._network.saved import architecture_of, check_weights_of_net, hyperparameters_of
from sklstm._network.series_tensor import (
    check_magnitude,
    check_not_tiny,
    standardised,
    standardised_series,
)
from sklstm._network.state import load_net_state, loaded_net, net_state
from sklstm._network.threads import n_threads
from sklstm._network.training import release, train
from sklstm._parameters import check_parameters
from sklstm._preparation import (
    FitRows,
    check_outputs_known,
    feature_statistics,
    partly_unknown,
    relative_weights,
    split_latest,
    units_of_series,
    usable_windows,
)
from sklstm._saved_attributes import check_attributes
from sklstm._series.caller import level_of_caller
from sklstm._series.labels import check_same_labels
from sklstm._series.panel import Panel, check_labels_of
from sklstm._series.plain import of_plain, plain, plain_state, state_of_plain
from sklstm._series.scaling import SeriesScaling
from sklstm._series.storage import row_blocks
from sklstm._series.windows import Windows, separate_windows
from sklstm._target_codec import TargetCodec
from sklstm._target_leads import find_leads, hide_unknown, unknown_rows_before
from sklstm._validation import (
    CheckedWindows,
    check_output_names,
    check_params,
    check_weights,
    check_windows,
    names_of_outputs,
)

# All rows are in such a batch. torch cannot count in numbers of more than 64 bits.
_LARGEST_BATCH = 2**31
_VALUES_OF_NEW_SERIES = 2**20  # in windows that are scaled at once


class BaseLSTM(CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of LSTM estimators, for any kind of target.

    A subclass defines the parameters, their constraints and the public methods. Its codec encodes
    the targets for the network, and decodes the outputs of the network to predictions. The codec
    is a frozen dataclass of arrays and plain values, with the methods of
    :class:`~sklstm._target_codec.TargetCodec`.
    """

    _codec_type: ClassVar[type[TargetCodec]] = TargetCodec
    _codec: TargetCodec  # _codec, _architecture and _trained_with belong to the fitted net_
    _architecture: Architecture
    _trained_with: Hyperparameters
    _scaling: SeriesScaling | None = None  # of several series
    net_: WindowNet
    target_leads_: np.ndarray
    _output_names: list[str]  # of the columns of y; empty without
    _always_known: np.ndarray  # features known in the last step of every training window

    @abstractmethod
    def _set_target_attributes(self, codec: TargetCodec) -> None:
        """Set the public attributes that describe the targets."""

    # Fitting.

    @with_callbacks
    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        max_epochs: int,
        early_stopping: bool | str,
        resumed: bool,
    ) -> None:
        """Train from the start, or continue the training of the last call (``resumed``)."""
        params = check_parameters(self)
        task = FitTask(self, X, y, int(max_epochs))
        check_same_labels(X=X, y=y, sample_weight=sample_weight)
        checked = check_windows(self, X, reset=not resumed)
        windows = checked.windows
        split = (early_stopping, params.validation_fraction)
        codec, rows = self._check_rows(checked, y, sample_weight, split, resumed)
        gap = rows.gap
        windows, rows = self._in_units_of_series(windows, rows, resumed)
        if not resumed:
            self._set_input_attributes(checked)
            codec = self._standardise(windows, codec, rows)
        self._set_target_attributes(codec)
        self.window_counts_ = rows.counts()
        architecture = self._new_architecture(params, codec)
        if resumed:
            self._check_shape(architecture)
        elif not self.standardize:
            check_not_tiny("X", windows.rows, architecture.dtype)
            check_not_tiny("y", rows.y[rows.usable], architecture.dtype)
        hyperparameters = Hyperparameters.of(params)
        run = self._training_run(params, architecture, windows, rows, resumed, task)
        with torch_state(training=True):
            device = resolve_device(self.device)
            usable = self._data_set(windows, codec, rows, architecture.dtype, device)
            in_training, in_validation = rows.parts()
            del checked, windows, rows  # training does not need their arrays
            training = usable.part(in_training)
            validation = None if in_validation is None else usable.part(in_validation)
            skip, training, validation, spread = self._skip_and_residuals(
                usable, training, validation, gap, resumed
            )
            del usable  # the data sets now have residuals as targets
            net = build_net(architecture, hyperparameters, device, run, validation)
            if resumed:
                load_net_state(net, net_state(self.net_, self._architecture, self._trained_with))
            elif (layer := net.module_.quantiles) is not None:
                layer.start_from(spread, training.weights)
            del spread
            dataset = EveryStepDataset(training) if run.every_step else training
            if skip is not None:
                net.set_loss_units(training, validation)
            with large_blocks_kept.changed():
                train(net, dataset, int(max_epochs), run.threads, validation)
                if skip is not None:
                    self._set_network_weight(skip, net, validation, early_stopping, resumed)
                    net.module_.skip = skip
            release(net)
        self.net_, self._architecture, self._codec = net, architecture, codec
        self._trained_with = hyperparameters
        self._set_training_attributes(net, validated=validation is not None)
        task.end()

    def _check_rows(
        self,
        checked: CheckedWindows,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        split: tuple[bool | str, float],
        resumed: bool,
    ) -> tuple[TargetCodec, FitRows]:
        windows = checked.windows
        panel, order = checked.panel, checked.order
        check_labels_of(panel, order, y=y, sample_weight=sample_weight)
        targets = self._codec_type.check(self, y, windows.n_windows)
        if resumed:
            check_output_names(self._output_names, y)
        weight = relative_weights(check_weights(sample_weight, windows.n_windows))
        if order is not None:
            targets, weight = targets[order], weight[order]
        codec = self._codec if resumed else self._codec_type.of(targets)
        if not codec.fits(targets):
            raise ValueError(
                f"y has shape {targets.shape}, but y of the first call had {self.n_outputs_} "
                "output(s). Pass y with the same outputs, or call fit to start again."
            )
        targets = targets.reshape(len(targets), -1)  # (n, outputs)
        before = self.target_leads_ if resumed else None
        # Targets without a weight may be anything.
        told = targets if weight.all() else np.where(weight[:, np.newaxis] > 0, targets, np.nan)
        leads = find_leads(self.target_leads, y, told, windows, before)
        targets = hide_unknown(targets, leads, self.target_leads, panel)
        usable, left_out = usable_windows(windows, checked.missing, targets, weight)
        gap = min(unknown_rows_before(leads), windows.n_windows)
        parts = split_latest(usable, *split, gap, panel)
        self.target_leads_ = leads
        if not resumed:
            self._output_names = names_of_outputs(y)
            check_outputs_known(targets, parts[0])
            if panel is None:
                check_step_order(self, windows, targets)
            self._always_known = partly_unknown(windows, usable) == 0
        return codec, FitRows(targets, weight, usable, gap, *parts, left_out, panel)

    def _in_units_of_series(
        self, windows: Windows, rows: FitRows, resumed: bool
    ) -> tuple[Windows, FitRows]:
        """Scale each of several series: the targets, and the features that they are of."""
        if not resumed:
            self._scaling = None
        scaling, panel = self._scaling, rows.panel
        if panel is None:
            if scaling is not None:
                raise ValueError(self._no_series())
            return windows, rows
        if scaling is None and (
            resumed or isinstance(self.standardize, str) or not self.standardize
        ):
            return windows, rows
        self._scaling = scaling = units_of_series(
            windows, panel, rows.y, rows.usable, rows.training, self.target_leads_, scaling
        )
        return scaling.scaled(windows, panel), replace(rows, y=scaling.targets(rows.y, panel))

    def _set_input_attributes(self, checked: CheckedWindows) -> None:
        self.window_size_ = checked.windows.window_size
        self.n_features_in_ = checked.n_columns
        if checked.names is not None:
            self.feature_names_in_ = checked.names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _standardise(self, windows: Windows, codec: TargetCodec, rows: FitRows) -> TargetCodec:
        """Compute the standardisation of features and targets from the training rows."""
        mean, scale = feature_statistics(windows, rows.weight, rows.training)
        if not self.standardize:
            mean, scale = np.zeros_like(mean), np.where(np.isinf(scale), scale, 1.0)
        self.feature_mean_, self.feature_scale_ = mean, scale
        used = rows.training if self.standardize else rows.training[:0]
        return codec.standardising(rows.y, rows.weight, used)

    def _seed(self, resumed: bool) -> int:
        # For None, a new generator: check_random_state(None) would advance numpy's global one.
        source = np.random.RandomState() if self.random_state is None else self.random_state
        seed = check_random_state(source).randint(np.iinfo(np.int32).max)
        return int(seed) + (self.n_iter_ if resumed else 0)

    def _new_architecture(self, params: SimpleNamespace, codec: TargetCodec) -> Architecture:
        return Architecture(
            n_features=len(self.feature_mean_),
            hidden_layer_sizes=params.hidden_layer_sizes,
            n_outputs=codec.n_outputs,
            bidirectional=params.bidirectional,
            beside_linear=params.linear_skip,
            precision=str(params.precision),
            quantiles=params.quantiles,
        )

    def _check_shape(self, new: Architecture) -> None:
        """Refuse to go on with a network of another shape; another precision is a cast."""
        before, now = self._architecture.quantiles, new.quantiles
        if bool(before) != bool(now):
            raise ValueError(
                f"Training cannot go on with loss={self.loss!r}, since the fitted network has "
                f"{'' if before else 'no '}quantiles. Set loss={self._trained_with.loss!r}, or "
                "call fit with warm_start=False to start again."
            )
        for name in ("hidden_layer_sizes", "bidirectional", "linear_skip", "quantiles"):
            field = "beside_linear" if name == "linear_skip" else name
            before, now = getattr(self._architecture, field), getattr(new, field)
            if before != now:
                raise ValueError(
                    f"Training cannot go on with {name}={now}, since the fitted network has "
                    f"{name}={before}. Set it back, or call fit with warm_start=False to start "
                    "again."
                )

    def _trains_every_step(self, windows: Windows, rows: FitRows) -> bool:
        """Whether each training window has a loss at each of its steps."""
        new_series = None if rows.panel is None else np.diff(rows.panel.series) != 0
        # Then each step is a row with a target.
        window_per_row = windows.follow_each_other(new_series)
        if self.supervise == "every_step" and (self.bidirectional or not window_per_row):
            what = (
                "with bidirectional=True the output of a step depends on later steps"
                if self.bidirectional
                else "the windows in X do not follow each other row by row"
            )
            raise ValueError(
                f"supervise='every_step', but {what}. Pass windows as SlidingWindowTransformer "
                "makes them and set bidirectional=False, or set supervise='last'."
            )
        if self.supervise == "auto":
            possible = window_per_row and not self.bidirectional
            return possible and not labels_are_sparse(windows.starts[rows.training], windows)
        return bool(self.supervise == "every_step")

    def _training_run(
        self,
        params: SimpleNamespace,
        architecture: Architecture,
        windows: Windows,
        rows: FitRows,
        resumed: bool,
        task: FitTask,
    ) -> TrainingRun:
        window_size, every_step = windows.window_size, self._trains_every_step(windows, rows)
        automatic = auto_batch_size(len(rows.training), window_size, every_step)
        batch_size = automatic if params.batch_size == "auto" else params.batch_size
        batch_size = min(batch_size, _LARGEST_BATCH)
        work = architecture.multiply_adds(window_size, batch_size)
        threads = n_threads(params.n_jobs, work, batch_size // SMALLEST_MICROBATCH)
        seed = self._seed(resumed)
        callbacks, tasks = self.callbacks or (), EpochTasks(task.begin_epoch)
        return TrainingRun(batch_size, window_size, threads, seed, every_step, callbacks, tasks)

    def _data_set(
        self,
        windows: Windows,
        codec: TargetCodec,
        rows: FitRows,
        dtype: torch.dtype,
        device: str,
    ) -> WindowDataset:
        """Put the usable rows on the device."""
        series = standardised_series(
            windows, self.feature_mean_, self.feature_scale_, dtype, device
        )
        targets, weights = codec.encode(rows.y, rows.weight, rows.usable)
        for at in row_blocks(targets):
            check_magnitude("y", targets[at], rows.y[rows.usable[at]], codec.scale, dtype)
        tensor = torch.from_numpy(targets).to(dtype)
        del targets  # which take twice as much memory
        return WindowDataset(series, windows, rows.usable, tensor, weights, rows.panel)

    def _skip_and_residuals(
        self,
        usable: WindowDataset,
        training: WindowDataset,
        validation: WindowDataset | None,
        gap: int,
        resumed: bool,
    ) -> tuple[LinearSkip | None, WindowDataset, WindowDataset | None, torch.Tensor]:
        """Solve the linear map, or reuse that of the last call; replace targets by residuals.

        Last, return values that spread as the targets of rows to come do around the map.
        """
        held_out = None
        if not resumed and self.linear_skip:
            with_spread = self.loss == "quantile"
            skip, found = solve_skip(
                usable, training, validation, gap, self.target_leads_, with_spread
            )
            residuals, held_out = found.train, found.validation
            spread = residuals if found.left_out is None else found.left_out
        elif resumed and self.net_.module_.skip is not None:
            # A copy, so that an error does not change net_; in the new precision, on its device.
            skip = copy.deepcopy(self.net_.module_.skip).to(training.targets)
            spread = residuals = residual_targets(training, skip)
            if validation is not None:
                held_out = residual_targets(validation, skip)
        else:
            return None, training, validation, training.targets
        if validation is not None and held_out is not None:
            validation = validation.with_targets(held_out)
        return skip, training.with_targets(residuals), validation, spread

    def _set_network_weight(
        self,
        skip: LinearSkip,
        net: WindowNet,
        validation: WindowDataset | None,
        early_stopping: bool | str,
        resumed: bool,
    ) -> None:
        if validation is not None:
            of_map = self.loss == "squared_error"  # the loss that the linear map minimises
            n_leads = len(np.unique(self.target_leads_))
            weight = choose_network_weight(
                net,
                validation,
                n_leads if of_map else None,
                with_error=self.loss != "absolute_error",
                instead=net.module_.without_learning,
            )
            # Where no map is better than persistence on left-out blocks, validation rows on which
            # a network helps are mostly luck.
            skip.network_weight.fill_(0.0 if of_map and skip.is_persistence else weight)
        elif early_stopping == "auto" and not resumed:
            skip.network_weight.zero_()  # no validation row can show that the network helps

    def _set_training_attributes(self, net: WindowNet, validated: bool) -> None:
        self.n_iter_ = len(net.history)
        skip = net.module_.skip
        self.network_weight_ = 1.0 if skip is None else float(skip.network_weight)
        self.loss_curve_ = [float(epoch["train_loss"]) for epoch in net.history]
        self.validation_loss_curve_ = self.best_epoch_ = None
        if validated:
            self.best_epoch_ = dict(net.callbacks_)["keep_best"].epoch_
            losses = [epoch.get("valid_loss", np.nan) for epoch in net.history]
            self.validation_loss_curve_ = [float(loss) for loss in losses]

    # Prediction and pickling.

    def _predictions(self, X: ArrayLike, each_quantile: bool = False) -> np.ndarray:
        """Predict the targets of every window: (n,) or (n, outputs).

        With ``each_quantile``: (n, quantiles) or (n, outputs, quantiles).
        """
        checked = check_windows(self, X, reset=False)
        self._warn_of_unknown(checked)
        windows, panel, order = checked.windows, checked.panel, checked.order
        if self._scaling is None:
            y = self._codec.decode(self._outputs(windows, each_quantile))
        elif panel is None:
            raise ValueError(self._no_series())
        else:
            y = self._predictions_of_series(self._scaling, windows, panel, each_quantile)
        if order is None:
            return y
        in_order = np.empty_like(y)
        in_order[order] = y
        return in_order

    def _no_series(self) -> str:
        return (
            f"{type(self).__name__} was fitted on several series, each in its own unit, but "
            "the windows in X do not say which series they are of. Pass them as "
            "SlidingWindowTransformer makes them of a frame with the index of the fit: "
            "numpy.asarray(windows) loses it. Or fit with standardize='together'."
        )

    def _predictions_of_series(
        self, scaling: SeriesScaling, windows: Windows, panel: Panel, each_quantile: bool
    ) -> np.ndarray:
        """Predict in the unit of each series; those of new series are scaled by their windows."""
        is_known = (scaling.numbers(panel) < len(scaling.names))[panel.series]
        n_quantiles = len(self._architecture.quantiles) if each_quantile else 1
        y = np.empty((windows.n_windows, self._codec.n_outputs, n_quantiles))

        def predict(part: Windows) -> np.ndarray:
            scaled = self._codec.decode(self._outputs(part, each_quantile))
            return scaled.reshape(part.n_windows, -1, n_quantiles)

        if is_known.any():
            part = replace(scaling.scaled(windows, panel), starts=windows.starts[is_known])
            y[is_known] = scaling.predictions(predict(part), panel.take(is_known))
        view, new = windows.view(), np.flatnonzero(~is_known)
        n_rows = max(_VALUES_OF_NEW_SERIES // max(view[:1].size, 1), 1)
        for start in range(0, len(new), n_rows):
            rows = new[start : start + n_rows]
            values, target_scale = scaling.of_windows(view[windows.starts[rows]])
            y[rows] = predict(separate_windows(values)) * target_scale[:, :, np.newaxis]
        y = y if each_quantile else y[:, :, 0]
        return y[:, 0] if self._codec.is_1d else y

    def _outputs(self, windows: Windows, each_quantile: bool = False) -> np.ndarray:
        """Compute the sum of network and linear map for every window: (n, outputs).

        With ``each_quantile``: (n, outputs, quantiles). Else the middle one, if there are some.
        """
        architecture, module = self._architecture, self.net_.module_
        columns = slice(None) if each_quantile else module.predicted
        weight = module.head.weight
        on_cpu = is_cpu(weight.device)
        batch_size = architecture.prediction_batch(windows.window_size, on_cpu)
        threads, n_batches = 1, -(-windows.n_windows // batch_size)
        if n_batches > 1 and on_cpu:
            work = architecture.multiply_adds(windows.window_size, windows.n_windows)
            threads = n_threads(check_params(self, "n_jobs").n_jobs, work, n_batches)
        with torch_state(training=False):
            series = standardised_series(
                windows, self.feature_mean_, self.feature_scale_, weight.dtype, weight.device
            )
            smallest = module.smallest_batch(batch_size, windows.window_size)
            outputs = predict_windows(
                module, series, windows, batch_size, smallest, threads, columns
            )
        n_quantiles = len(architecture.quantiles)
        return outputs.reshape(len(outputs), -1, n_quantiles) if each_quantile else outputs

    def _warn_of_unknown(self, checked: CheckedWindows) -> None:
        """Warn of features that a fit always knew, such as forecasts of the weather."""
        if not checked.has_nan:
            return
        windows = checked.windows
        counts = partly_unknown(windows, np.arange(windows.n_windows)) * self._always_known
        if counts.any():
            features = np.flatnonzero(counts).tolist()
            warnings.warn(
                f"The last step of {counts.max()} of {windows.n_windows} windows lacks feature(s) "
                f"{', '.join(map(str, features[:5]))}{', ...' if len(features) > 5 else ''}, which "
                "were known in every training window. The last known value in the window takes "
                "their place. If they are known, pass them: what lies ahead of a row, such as a "
                "forecast of the weather, must reach beyond the end of the series.",
                stacklevel=level_of_caller(),
            )

    def __getstate__(self) -> dict[str, Any]:
        state = plain_state(super().__getstate__())
        state["callbacks"] = untrained(self.callbacks)
        if "net_" in state:
            state["net_"] = net_state(self.net_, self._architecture, self._trained_with)
            state["_codec"] = asdict(self._codec)
            if (scaling := self._scaling) is not None:
                state["_scaling"] = asdict(scaling) | {"names": plain(scaling.names)}
            del state["_architecture"], state["_trained_with"]  # net_state holds them
        return state

    def __sklearn_clone__(self) -> Self:
        """Clone without what training added to the callbacks, which is no parameter of them."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(vars(self), callbacks=None)
        cloned = super(BaseLSTM, twin).__sklearn_clone__()
        cloned.callbacks = untrained(self.callbacks)
        return cloned

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state_of_plain(state))
        saved = self.__dict__.get("net_")
        if not isinstance(saved, dict):
            return
        self._architecture = architecture_of(saved)
        check_attributes(self.__dict__, self._architecture)
        check_weights_of_net(saved, self._architecture, self.window_size_)
        self._codec = self._codec_type(**self.__dict__["_codec"])
        if self._codec.n_outputs != self._architecture.n_outputs:
            raise ValueError(
                f"The saved state has {self._codec.n_outputs} targets, but its network "
                f"{self._architecture.n_outputs} outputs."
            )
        self._trained_with = hyperparameters_of(saved)
        scaling = self.__dict__["_scaling"]
        if scaling is not None:
            self._scaling = SeriesScaling(**scaling | {"names": of_plain(scaling["names"])})
        with torch_state(training=True):
            self.net_ = loaded_net(saved, self._architecture, self._trained_with)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


def standardised_window(estimator: BaseLSTM, checked: CheckedWindows, row: int) -> np.ndarray:
    """Return the window of one row as the network gets it: (window, features)."""
    found, panel, scaling = checked.windows, checked.panel, estimator._scaling
    place = row if checked.order is None else int(np.flatnonzero(checked.order == row)[0])
    start = found.starts[place]
    window = found.view()[start]
    if scaling is not None and panel is not None:
        if panel.names[int(panel.series[place])] in scaling.names:
            scaled = scaling.scaled(found, panel)
            window = scaled.rows[np.arange(found.window_size) * found.lag_step + start]
        else:
            window = scaling.of_windows(window[np.newaxis])[0][0]
    return standardised(window, estimator.feature_mean_, estimator.feature_scale_)
