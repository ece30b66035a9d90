"""What open pages are told every 2 s without the database: alerts, how a connection flows, a sign of life."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from mqtt import alerts
from mqtt.fragments import render_part
from mqtt.live.viewer import Viewer
from mqtt.services import pressure

HEARTBEAT = 10.0
"""The browser calls a link dead that has said nothing for three of these."""


async def frames(consumers: Iterable[Any], database_lost_seconds: float) -> list[tuple[Any, str]]:
    """What is new for each page, as (consumer, frame)."""
    processes = await asyncio.to_thread(pressure.read_all)
    found = alerts.of(processes, database_lost_seconds)
    painted: dict[Any, str] = {}
    told = []
    for consumer in list(consumers):
        viewer: Viewer = consumer.viewer
        if viewer.paused or consumer.is_slow:
            continue
        language = viewer.language
        if language not in painted:
            painted[language] = render_part("mqtt/parts/_alerts.html", {"alerts": found}, language)
        frame = viewer.if_news("alerts", painted[language])
        for part in viewer.shown.page.pulses:
            key = (viewer.shown.key, part.name, language)
            if key not in painted:
                painted[key] = render_part(part.template, part.context(viewer.shown), language)
            frame += viewer.if_news(part.name, painted[key])
        if not frame and time.monotonic() - viewer.spoke_at >= HEARTBEAT:
            frame = viewer.clock()
        if frame:
            told.append((consumer, frame))
    return told
