"""Tests with the libraries that docs/guide/other_libraries.md is about: `make test-clients`."""
