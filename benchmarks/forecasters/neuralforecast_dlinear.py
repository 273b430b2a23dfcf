"""neuralforecast: DLinear."""

from neuralforecast.models import DLinear

from forecasters.neuralforecast_model import NeuralForecaster


class Forecaster(NeuralForecaster):
    """With its defaults."""

    model = DLinear
