"""`manage.py prepare`: what must be in place before web and mqtt start; `up` calls it too."""

import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from mqtt.services.broker_places import write_places
from mqtt.supervisor import prepare
from mqtt.supervisor.broker import BrokerSettings
from mqtt.supervisor.embedded_connection import keep_embedded_connection
from mqtt.supervisor.preparation import CHECKED, PASSWORD


class Command(BaseCommand):
    help = (
        "Migrates (after a backup when there is data), gathers the static files, makes the first account. Repeatable."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--for-up", action="store_true", help="as `up` has it done: with the connection to the embedded broker"
        )

    def handle(self, *_: Any, for_up: bool, **__: Any) -> None:
        if for_up:  # asked to stop, it cleans up like everybody else
            signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        prepare.check_keys()
        prepare.check_database()
        prepare.refuse_newer()
        before = BrokerSettings.read(settings.DATA_DIR)  # `up` writes it anew once it may start
        if for_up:
            self._say(CHECKED)
        steps = prepare.migrate(self._say)
        if for_up and settings.EMBEDDED_BROKER:
            keep_embedded_connection(BrokerSettings.from_settings(), before)
            write_places(settings.PLACES_FILE)
        if not (for_up and settings.DEBUG) and prepare.collect_static():
            self._say("The static files were gathered anew.")
        if for_up:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a password that is made must be told
        password = prepare.make_first_account()
        if for_up:
            self._say(f"{PASSWORD}{password}")
            return
        self._say(f"{steps} migrations applied.")
        if password:
            self._say(f"The first account: user={settings.ADMIN_USERNAME}  password={password}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()  # `up` reads it through a pipe
