from importlib import import_module

from django.db import migrations


def give_rights(apps, schema_editor):
    """Every role may see notes and the work on devices in the admin site."""
    import_module("mqtt.migrations.0002_groups").create_groups(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('mqtt', '0025_retention'),
    ]

    operations = [
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
