"""The engine: starts, supervises and stops everything that decides and trades."""
