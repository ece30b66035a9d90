"""One machine's console: broker, Valkey, mqtt and web as children of `manage.py up`."""
