from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def give_rights(apps, schema_editor):
    """Operators and administrators may publish, and every role may see the commands."""
    import_module("mqtt.migrations.0002_groups").create_groups(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('mqtt', '0008_announcements'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='mqttconnection',
            options={'ordering': ['name'], 'permissions': [('operate_mqttconnection', 'Can switch connections on and off and test them'), ('publish_mqttconnection', 'Can publish messages to devices')], 'verbose_name': 'connection', 'verbose_name_plural': 'connections'},
        ),
        migrations.CreateModel(
            name='Command',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(max_length=1000, verbose_name='topic')),
                ('payload', models.BinaryField(default=b'')),
                ('qos', models.PositiveSmallIntegerField(choices=[(0, '0, at most once'), (1, '1, at least once')], default=1, verbose_name='QoS')),
                ('retain', models.BooleanField(default=False, verbose_name='retained')),
                ('state', models.CharField(choices=[('queued', 'waiting'), ('running', 'being sent'), ('done', 'published'), ('failed', 'not published'), ('unconfirmed', 'not confirmed')], default='queued', max_length=12, verbose_name='state')),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('context', models.JSONField(blank=True, default=dict)),
                ('actor', models.CharField(max_length=150, verbose_name='who')),
                ('requested_at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='asked')),
                ('finished_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commands', to='mqtt.mqttconnection')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'command',
                'verbose_name_plural': 'commands',
                'ordering': ['-requested_at', '-id'],
                'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'running'])), fields=['requested_at'], name='open_commands')],
            },
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
