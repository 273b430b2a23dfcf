"""neuralforecast: PatchTST."""

from neuralforecast.models import PatchTST

from forecasters.neuralforecast_model import NeuralForecaster


class Forecaster(NeuralForecaster):
    """With its defaults."""

    model = PatchTST
