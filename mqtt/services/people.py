"""Accounts: passwords and roles. There is no mail, so an administrator or the command line sets a password."""

import secrets

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from mqtt.enums import AuditAction, NodeKind
from mqtt.exceptions import ServiceError
from mqtt.services.audit import Actor, record

ROLES = ("viewer", "operator", "administrator")
ADMINISTRATOR = "administrator"


def new_password() -> str:
    """One that can be read out over the telephone and not be guessed."""
    return secrets.token_urlsafe(12)


def set_password(actor: Actor, user: User, password: str) -> None:
    """Give an account a new password; its sessions elsewhere end. Raises ValidationError for a weak one."""
    validate_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        record(actor, AuditAction.PASSWORD_SET, NodeKind.USER, user)


def set_role(actor: Actor, user: User, role: str) -> None:
    """Give an account one of ROLES, or none (""); administrators may also enter the admin site."""
    if role not in {"", *ROLES}:
        raise ServiceError("no_such_role", role=role)
    with transaction.atomic():
        # One change of roles at a time: two administrators could take the role from each other.
        list(Group.objects.select_for_update(no_key=True).filter(name=ADMINISTRATOR))
        before = role_of(user)
        if before == ADMINISTRATOR != role:
            _refuse_last_administrator(user)
        user.groups.remove(*Group.objects.filter(name__in=ROLES))
        if role:
            user.groups.add(Group.objects.get(name=role))
        user.is_staff = user.is_superuser or role == ADMINISTRATOR
        user.save(update_fields=["is_staff"])
        record(actor, AuditAction.ROLE_SET, NodeKind.USER, user, {"role": {"old": before, "new": role}})


def role_of(user: User) -> str:
    """The highest of the account's roles; "" when it has none. A superuser counts as administrator."""
    if user.is_superuser:
        return ADMINISTRATOR
    held = set(user.groups.values_list("name", flat=True))
    return next((role for role in reversed(ROLES) if role in held), "")


def has_other_administrator(user: User) -> bool:
    """Whether somebody else could care for accounts."""
    others = User.objects.exclude(pk=user.pk).filter(is_active=True)
    return (others.filter(is_superuser=True) | others.filter(groups__name=ADMINISTRATOR)).exists()


def _refuse_last_administrator(user: User) -> None:
    if not has_other_administrator(user):
        raise ServiceError("last_administrator", name=user.get_username())
