"""Leaving a broker: for now, for good, or so that another process goes on at once."""

import logging
from collections.abc import Callable

from mqtt.services.mqtt_connection import OWN_WILL, Link, LinkListener
from mqtt.services.sessions.connection_settings import ConnectionSettings
from mqtt.services.sessions.link_reasons import LinkError, Reason

logger = logging.getLogger(__name__)

FAREWELL = 2.0
"""Seconds to get the last words and the DISCONNECT out."""

SETTLING = 3.0
"""Seconds to store and acknowledge what was read before another process goes on."""


def say_goodbye(link: Link, *, ending: bool, quietly: bool) -> None:
    """Leave an open link; `quietly`: nobody hears that we are offline."""
    if not quietly:
        link.announce(b"" if ending else OWN_WILL)
    link.disconnect(end_session=ending)
    link.drain(FAREWELL)


def end_elsewhere(
    old: ConnectionSettings, current: ConnectionSettings, listener: LinkListener, is_wanted: Callable[[], bool]
) -> Reason | None:
    """Have a broker forget a session: one clean connect ends it in every version of MQTT. None: it is done.

    Another broker's session than the `current` one is tried once: it may be the very reason for new settings.
    """
    link = None
    try:
        link = Link(old, listener, clean=True)
        link.open()
        link.wait_until_up(is_wanted)
        say_goodbye(link, ending=True, quietly=False)
    except LinkError as error:
        if old.broker_session[:2] == current.broker_session[:2]:
            return error.reason
        logger.warning("The session with %s could not be ended: %s", old.address, error.reason.code)
    finally:
        if link:
            link.close()
    return None
