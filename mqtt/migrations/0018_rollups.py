import django.db.models.deletion
from django.db import migrations, models

TABLE = """
CREATE TABLE mqtt_rollup (
    sensor_id bigint NOT NULL,
    level integer NOT NULL,
    time bigint NOT NULL,
    count integer NOT NULL,
    low {number} NOT NULL,
    high {number} NOT NULL,
    mean {number} NOT NULL,
    first {number} NOT NULL,
    last {number} NOT NULL,
    PRIMARY KEY (sensor_id, level, time) {include}
) {clustered}
"""
DUE = """
CREATE TABLE mqtt_rollupdue (
    sensor_id bigint NOT NULL,
    hour bigint NOT NULL,
    PRIMARY KEY (sensor_id, hour)
) {clustered}
"""


def create_tables(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    words = {
        "number": "real" if is_sqlite else "double precision",
        "include": "" if is_sqlite else "INCLUDE (count, low, high, mean, first, last)",
        "clustered": "WITHOUT ROWID" if is_sqlite else "",
    }
    for table in (TABLE, DUE):
        schema_editor.execute(table.format(**words))


def drop_tables(apps, schema_editor):
    for name in ("mqtt_rollupdue", "mqtt_rollup"):
        schema_editor.execute(f"DROP TABLE {name}")


def roll_up_everything(apps, schema_editor):
    """What is stored already is rolled up by the mqtt process, in its own time."""
    apps.get_model("mqtt", "SensorState").objects.update(unrolled_us=0)


class Migration(migrations.Migration):

    dependencies = [
        ('mqtt', '0017_deleted_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='sensorstate',
            name='unrolled_us',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(create_tables, drop_tables)],
            state_operations=[
                migrations.CreateModel(
                    name='Rollup',
                    fields=[
                        ('pk', models.CompositePrimaryKey('sensor_id', 'level', 'time', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('level', models.IntegerField()),
                        ('time', models.BigIntegerField()),
                        ('count', models.IntegerField()),
                        ('low', models.FloatField()),
                        ('high', models.FloatField()),
                        ('mean', models.FloatField()),
                        ('first', models.FloatField()),
                        ('last', models.FloatField()),
                        ('sensor', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='mqtt.sensordevice')),
                    ],
                    options={
                        'verbose_name': 'rollup',
                        'verbose_name_plural': 'rollups',
                    },
                ),
                migrations.CreateModel(
                    name='RollupDue',
                    fields=[
                        ('pk', models.CompositePrimaryKey('sensor_id', 'hour', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('hour', models.BigIntegerField()),
                        ('sensor', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='mqtt.sensordevice')),
                    ],
                    options={
                        'verbose_name': 'hour to roll up',
                        'verbose_name_plural': 'hours to roll up',
                    },
                ),
            ],
        ),
        migrations.RunPython(roll_up_everything, migrations.RunPython.noop),
    ]
