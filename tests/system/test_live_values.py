"""Values that change before one's eyes, in a real browser before a real console."""

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Page, expect

from tests.browser import live, publish, sensor_row, value_of
from tests.servers import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.system]


def test_a_published_value_changes_its_row_without_a_reload(page: Page, device: mqtt.Client) -> None:
    row = sensor_row(page, device, "browser/changing")
    page.evaluate("window.stayed = true")
    publish(device, "browser/changing", {"temperature": 33.25})
    expect(value_of(row)).to_have_attribute("data-value", "33.25")
    assert page.evaluate("window.stayed"), "the page was not loaded again"


def test_a_changed_row_keeps_what_is_focused_and_selected_in_it(page: Page, device: mqtt.Client) -> None:
    row = sensor_row(page, device, "browser/kept")
    link = row.locator("a.k")
    link.focus()
    row.evaluate("row => getSelection().selectAllChildren(row.querySelector('.owner a'))")
    link.evaluate("link => { window.before = link; }")
    selected = page.evaluate("String(getSelection())")
    publish(device, "browser/kept", {"temperature": 33.75})
    expect(value_of(row)).to_have_attribute("data-value", "33.75")
    expect(link).to_be_focused()
    assert page.evaluate("window.before === document.activeElement"), "it is the same link"
    assert page.evaluate("String(getSelection())") == selected != ""


def test_a_value_that_was_quiet_lights_up_and_one_that_changes_all_the_time_does_not(
    page: Page, device: mqtt.Client
) -> None:
    row = sensor_row(page, device, "browser/lit")
    lit = row.locator(".changed")

    def change_at(second: int, value: float) -> None:
        page.clock.set_fixed_time(1_800_000_000 + second)
        publish(device, "browser/lit", {"temperature": value})
        expect(value_of(row)).to_have_attribute("data-value", str(value))

    change_at(0, 30.5)
    assert lit.count() == 1
    assert page.evaluate("document.getAnimations().length") == 0, "what moves is drawn sixty times a second"
    page.clock.set_fixed_time(1_800_000_002)
    expect(lit).to_have_count(0)
    change_at(3, 31.5)
    assert lit.count() == 0
    change_at(10, 32.5)
    assert lit.count() == 1


def test_a_row_that_came_between_page_and_socket_is_no_error(page: Page, device: mqtt.Client) -> None:
    sensor_row(page, device, "browser/between")
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    publish(device, "browser/between", {"temperature": 21.5, "humidity": 40})
    wait_for(lambda: page.reload() and page.locator("#rows tr").count() == 2, what="both rows")
    live(page)
    gone = page.locator("#rows tr", has_text="temperature")
    name = gone.get_attribute("id")
    gone.evaluate("row => row.remove()")
    frames.clear()
    publish(device, "browser/between", {"temperature": 22.5, "humidity": 41})
    expect(value_of(page.locator("#rows tr"))).to_have_attribute("data-value", "41")
    assert any(f'<tr id="{name}"' in frame for frame in frames), "it was sent"


def test_who_listens_is_told_that_nothing_has_come_until_it_comes(page: Page, device: mqtt.Client) -> None:
    page.goto("/connections/1/tail/?filter=browser/heard")
    live(page)
    waits = page.locator(".tail-waits")
    expect(waits).to_be_visible()

    def has_come() -> bool:
        publish(device, "browser/heard", "1")
        return page.locator("#tail-rows tr").count() > 0

    wait_for(has_come, what="the message")
    expect(waits).to_be_hidden()
