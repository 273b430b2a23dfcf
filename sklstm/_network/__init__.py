"""The network: torch modules, and their training with skorch."""
