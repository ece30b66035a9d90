"""`manage.py reset_password NAME`."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from mqtt.services.audit import Actor
from mqtt.services.people import new_password, set_password


class Command(BaseCommand):
    """There is no mail: who may use this machine's shell may set a password."""

    help = (
        "Sets a new password for an account, prints it, and ends the account's sessions. "
        "With --stdin the password is the first line of the standard input and is not printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The account and where its password comes from."""
        parser.add_argument("username", help="the account's user name")
        parser.add_argument("--stdin", action="store_true", help="read the new password instead of making one")
        parser.add_argument("--activate", action="store_true", help="also let a switched-off account in again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set it, audit it, say it."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            names = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:20])
            raise CommandError(f"There is no account {options['username']!r}. Accounts: {names or 'none'}.")
        password = sys.stdin.readline().rstrip("\n") if options["stdin"] else new_password()
        try:
            set_password(Actor.command("reset_password"), user, password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if options["activate"] and not user.is_active:
            user.is_active = True
            user.save(update_fields=["is_active"])
        if not user.is_active:
            self.stderr.write("The account is switched off: it cannot log in. Add --activate to let it in again.")
        self.stdout.write(f"user={user.username}" + ("" if options["stdin"] else f" password={password}"))
