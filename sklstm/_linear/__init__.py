"""The linear map beside the network: how it is solved, and the residual that the network learns."""
