from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def give_rights(apps, schema_editor):
    """Every role may see corrections, administrators may write them."""
    import_module("mqtt.migrations.0002_groups").create_groups(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('mqtt', '0018_rollups'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SensorCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateTimeField(verbose_name='valid from')),
                ('gain', models.FloatField(default=1.0, verbose_name='gain')),
                ('offset', models.FloatField(default=0.0, verbose_name='offset')),
                ('zero', models.FloatField(default=0.0, verbose_name='zero reading')),
                ('reason', models.CharField(max_length=250, verbose_name='reason')),
                ('author_name', models.CharField(max_length=150, verbose_name='who')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sensor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='mqtt.sensordevice')),
            ],
            options={
                'verbose_name': 'correction',
                'verbose_name_plural': 'corrections',
                'ordering': ['-valid_from'],
                'constraints': [models.UniqueConstraint(fields=('sensor', 'valid_from'), name='one_correction_a_moment')],
            },
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
