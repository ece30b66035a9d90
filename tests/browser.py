"""Chromium for tests, a page that remembers every complaint of the browser, and the row of a value in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.console import Console
from tests.servers import CHROMIUM, PATIENCE, wait_for

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
EXPECTED = (
    "WebSocket connection to",
    "net::ERR_CONNECTION_REFUSED",
    "Failed to load resource",
    "[object Event]",
)
"""What Chromium and htmx say when a test takes the server away."""

expect.set_options(timeout=PATIENCE * 1000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser, for synchronous tests only: Playwright's loop must not meet that of an async test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, console: Console, **options: Any) -> tuple[Page, list[str]]:
    """A page that is logged in, and the list into which its errors and policy violations go."""
    context = browser.new_context(**{"locale": "en-GB", "base_url": console.url, "reduced_motion": "reduce", **options})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and not message.text.startswith(EXPECTED)
            else None
        ),
    )
    page.goto("/login/")
    page.fill("main input[name=username]", console.username)
    page.fill("main input[name=password]", console.password)
    page.click("main button[type=submit], main form button")
    page.wait_for_url("**/")
    return page, complaints


def live(page: Page) -> None:
    """Wait until the page's own socket is open."""
    page.wait_for_selector("body[data-live=up]")


def publish(device: mqtt.Client, topic: str, payload: Any) -> None:
    """Publish, as JSON unless it is text or bytes, and wait until the broker has it."""
    text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
    device.publish(topic, text, qos=1).wait_for_publish(PATIENCE)


def sensor_row(page: Page, device: mqtt.Client, topic: str) -> Locator:
    """The row of a value that was just heard for the first time."""
    publish(device, topic, {"temperature": 20.5})
    name = topic.rpartition("/")[2]

    def is_there() -> bool:
        page.goto(f"/sensors/?search={name}")
        return page.locator("#rows tr").count() == 1

    wait_for(is_there, what="the sensor's row")
    live(page)
    return page.locator("#rows tr")


def value_of(row: Locator) -> Locator:
    """The cell of a row that shows its value."""
    return row.locator("[data-field=value]")
