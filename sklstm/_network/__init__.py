"""The network: torch modules, and how skorch trains them."""
