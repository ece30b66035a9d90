"""Backups: one archive with everything, made while the console runs, on both databases, and put back from there.

`archive` is the file, `keys` what opens the stored passwords, `sqlite` and `postgresql` the two ways to take and
to put back the data, `making` and `restoring` what commands and jobs call.
"""
