"""`manage.py prepare`: what must be in place before web and mqtt start, where `up` does not do it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mqtt.supervisor import prepare


class Command(BaseCommand):
    help = (
        "Migrates (after a backup when there is data), gathers the static files, makes the first account. Repeatable."
    )
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        prepare.check_keys()
        prepare.check_database()
        prepare.refuse_newer()
        self.stdout.write(f"{prepare.migrate(self.stdout.write)} migrations applied.")
        if prepare.collect_static():
            self.stdout.write("The static files were gathered anew.")
        password = prepare.make_first_account()
        if password:
            self.stdout.write(f"The first account: user={settings.ADMIN_USERNAME}  password={password}")
