"""The linear map beside the network: its solution, and the residual that the network learns."""
