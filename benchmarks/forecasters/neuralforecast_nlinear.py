"""neuralforecast: NLinear."""

from neuralforecast.models import NLinear

from forecasters.neuralforecast_model import NeuralForecaster


class Forecaster(NeuralForecaster):
    """With its defaults."""

    model = NLinear
