"""The `--no-ui` front end."""
