"""Readings and whole databases from elsewhere, for the commands."""
