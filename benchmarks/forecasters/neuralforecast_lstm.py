"""neuralforecast: LSTM, with the features but the targets as historic ones."""

from neuralforecast.models import LSTM

from forecasters.neuralforecast_model import NeuralForecaster


class Forecaster(NeuralForecaster):
    """With its defaults."""

    model = LSTM
