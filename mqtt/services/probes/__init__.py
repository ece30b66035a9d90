"""Looks at the way to a broker, one layer after the other, with plain sockets and without MQTT.

Each probe returns what it found or raises ReasonError with the code of a sentence that a person can act on.
"""
