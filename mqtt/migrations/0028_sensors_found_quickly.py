"""Sensors by name in an index that also knows whose they are, and on PostgreSQL parts of their words in another."""

from django.db import DatabaseError, migrations, models, transaction

# Django's `icontains` compares UPPER(field): the index has to say the same.
WORDS = """
CREATE INDEX IF NOT EXISTS sensors_by_words ON mqtt_sensordevice
USING gin (upper(name) gin_trgm_ops, upper(label) gin_trgm_ops, upper(key) gin_trgm_ops, upper(unit) gin_trgm_ops)
"""


def index_words(apps, schema_editor):
    """Where the server lacks pg_trgm, or forbids it, a search reads all sensors: slower, and as right."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        try:
            with transaction.atomic(using=schema_editor.connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return
        cursor.execute(WORDS)


def forget_words(apps, schema_editor):
    """The extension stays: it may have been there before."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS sensors_by_words")


class Migration(migrations.Migration):
    dependencies = [("mqtt", "0027_sensors_by_name")]

    operations = [
        migrations.RemoveIndex(model_name="sensordevice", name="sensors_by_name"),
        migrations.AddIndex(
            model_name="sensordevice",
            index=models.Index(fields=["name", "id", "connection"], name="sensors_by_name"),
        ),
        migrations.RunPython(index_words, forget_words),
    ]
