"""Generated daily bars with every oddity that real ones have; registered for all tests by conftest.py."""
