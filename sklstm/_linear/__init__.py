"""The linear map beside the network: how it is solved, and what it leaves."""
