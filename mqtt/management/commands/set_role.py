"""`manage.py set_role NAME ROLE`."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.services.audit import Actor
from mqtt.services.people import ROLES, new_password, set_password, set_role


class Command(BaseCommand):
    """The same as in the admin site, for the shell."""

    help = (
        "Gives an account a role: viewer (looks), operator (also switches, tests and publishes), administrator (also "
        "configures and cares for accounts) or none. With --create a missing account is made and its password printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The account and its role."""
        parser.add_argument("username", help="the account's user name")
        parser.add_argument("role", choices=[*ROLES, "none"])
        parser.add_argument("--create", action="store_true", help="make the account when there is none")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set it, audit it, say it."""
        actor = Actor.command("set_role")
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            if not options["create"]:
                raise CommandError(f"There is no account {options['username']!r}. Add --create to make it.")
            try:
                User(username=options["username"]).clean_fields(exclude={"password"})
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            user = User.objects.create_user(options["username"])
            password = new_password()
            set_password(actor, user, password)
            self.stdout.write(f"user={user.username} password={password}")
        try:
            set_role(actor, user, "" if options["role"] == "none" else options["role"])
        except ServiceError as error:
            raise CommandError(reasons.explain(error.code, error.context)) from error
        self.stdout.write(f"{user.username} is now {options['role']}.")
