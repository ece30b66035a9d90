from django.apps import AppConfig


class MqttConfig(AppConfig):
    name = "mqtt"
    verbose_name = "MQTT"

    def ready(self) -> None:
        from mqtt import signals  # noqa: F401 - receivers need loaded models
