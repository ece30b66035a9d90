"""What open pages say when a process dies or a login ends, in a real browser before a real console."""

import os
import re
import signal

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import live, open_page, publish, sensor_row, value_of
from tests.console import Console
from tests.servers import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.system]

CAUGHT_UP = "The channel layer answers again"
"""What the web process logs."""


def test_a_lost_link_is_announced_and_the_page_catches_up(page: Page, device: mqtt.Client, console: Console) -> None:
    row = sensor_row(page, device, "browser/catching_up")
    assert console.process
    console.process.send_signal(signal.SIGSTOP)  # a supervisor that sleeps starts nothing again
    try:
        os.kill(console.pid("web"), signal.SIGKILL)
        page.wait_for_selector("body[data-live=down]")
        expect(page.locator("#live-lost")).to_be_visible()
        expect(page.locator("#live .is-down")).to_be_visible()
        publish(device, "browser/catching_up", {"temperature": 44.75})
    finally:
        console.process.send_signal(signal.SIGCONT)
    page.wait_for_selector("body[data-live=up]")
    expect(page.locator("#live-lost")).to_be_hidden()
    expect(value_of(row)).to_have_attribute("data-value", "44.75")


def test_a_killed_web_process_comes_back_and_so_does_the_page(
    page: Page, device: mqtt.Client, console: Console
) -> None:
    row = sensor_row(page, device, "browser/web_killed")
    console.kill_child("web")
    publish(device, "browser/web_killed", {"temperature": 55.25})
    expect(value_of(row)).to_have_attribute("data-value", "55.25")


def test_pages_stay_true_without_the_channel_layer(page: Page, device: mqtt.Client, console: Console) -> None:
    row = sensor_row(page, device, "browser/layer_killed")
    caught_up = console.output.count(CAUGHT_UP)
    console.kill_child("valkey")
    publish(device, "browser/layer_killed", {"temperature": 66.5})
    expect(value_of(row)).to_have_attribute("data-value", "66.5")
    wait_for(lambda: console.output.count(CAUGHT_UP) > caught_up, what="the layer that is noticed again")
    publish(device, "browser/layer_killed", {"temperature": 67.5})
    expect(value_of(row)).to_have_attribute("data-value", "67.5")


def test_a_stopped_mqtt_process_shows_as_unknown(page: Page, console: Console) -> None:
    page.goto("/connections/")
    live(page)
    row = page.locator("#connection-1")  # the embedded broker's; other tests may have made more
    expect(row).to_have_attribute("data-status", re.compile("connected|silent"))
    with console.paused("mqtt"):
        expect(row).to_have_attribute("data-status", "unknown")
    expect(row).to_have_attribute("data-status", re.compile("connected|silent"))


def test_after_a_logout_the_other_open_pages_say_so(browser: Browser, console: Console) -> None:
    first, _ = open_page(browser, console)
    first.goto("/sensors/")
    live(first)
    second = first.context.new_page()
    second.goto("/")
    second.click("details.who summary")
    second.click("form[action='/logout/'] button")
    expect(first.locator("#live-lost .ended")).to_be_visible()
    first.context.close()


def test_a_restarted_process_is_noted_on_the_overview(page: Page, console: Console) -> None:
    console.kill_child("mqtt")
    page.goto("/")
    expect(page.locator("#processes")).to_contain_text("mqtt")
