#!/usr/bin/env python
"""Django's command line for Vedetta."""

import os
import sys

OPTIONS_OF_UP = ("DEMO", "LAN")
"""Options that change settings: in the environment before the settings are read, and so for the children too."""


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
    is_up = sys.argv[1:2] == ["up"]
    for option in OPTIONS_OF_UP:
        if is_up and f"--{option.lower()}" in sys.argv:
            os.environ[option] = "on"
    if is_up:
        from mqtt.management.commands.up import Command  # it needs settings and no apps: these take 70 MB, for ever

        Command().run_from_argv(sys.argv)
        return
    from django.core.management import execute_from_command_line  # settings must be named first

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
