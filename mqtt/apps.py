from django.apps import AppConfig


class MqttConfig(AppConfig):
    name = "mqtt"
    verbose_name = "MQTT"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mqtt import signals  # noqa: F401 - receivers need loaded models
