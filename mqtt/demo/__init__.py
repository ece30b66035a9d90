"""Simulated field devices: programs that speak to a broker as real ones do.

They play the other side of the wire, so they bring an MQTT client of their own (`link.py`) instead of the
product's session: nothing here is imported by the console, and nothing of the console is needed to run it.
"""
