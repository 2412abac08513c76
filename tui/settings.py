"""Config of all packages, joined."""
