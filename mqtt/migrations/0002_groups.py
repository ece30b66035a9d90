"""The three roles: viewer, operator, administrator."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = {
    "viewer": ("view_",),
    "operator": ("view_", "operate_", "publish_", "tail_"),
    "administrator": ("view_", "operate_", "publish_", "tail_", "add_", "change_", "delete_"),
}
PEOPLE = ("view_user", "add_user", "change_user", "delete_user", "view_group")
"""Only administrators care for accounts."""


def create_groups(apps, schema_editor):
    group_model = apps.get_model("auth", "Group")
    permission_model = apps.get_model("auth", "Permission")
    # Permissions are otherwise made after all migrations have run.
    for label in ("auth", "mqtt"):
        config = apps.get_app_config(label)
        before, config.models_module = getattr(config, "models_module", None), True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = before
    for name, prefixes in ROLES.items():
        group, _ = group_model.objects.get_or_create(name=name)
        granted = [
            permission
            for permission in permission_model.objects.filter(content_type__app_label="mqtt")
            if permission.codename.startswith(prefixes)
        ]
        if name == "administrator":
            granted += permission_model.objects.filter(content_type__app_label="auth", codename__in=PEOPLE)
        group.permissions.add(*granted)


class Migration(migrations.Migration):
    dependencies = [("mqtt", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
