"""What an operator sees, in a real browser before a real console."""

import json
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import chromium, live, open_page
from tests.console import Console
from tests.servers import PATIENCE, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.system]

NASTY = '<img src=x onerror="document.title=1"><b>bold</b>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def device(console: Console) -> Iterator[mqtt.Client]:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="browser-test-device")
    client.connect("127.0.0.1", console.broker_port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


@pytest.fixture(autouse=True)
def _as_it_was_found(console: Console) -> Iterator[None]:
    """A test that fails between off and on must not take the others with it: they share the console."""
    yield
    with closing(sqlite3.connect(console.database, timeout=PATIENCE)) as database, database:
        database.execute("UPDATE mqtt_mqttconnection SET is_enabled = 1 WHERE is_enabled = 0")


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    opened, complaints = open_page(browser, console)
    yield opened
    opened.context.close()
    assert not complaints


def publish(device: mqtt.Client, topic: str, payload: Any) -> None:
    text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
    device.publish(topic, text, qos=1).wait_for_publish(10)


def sensor_row(page: Page, device: mqtt.Client, topic: str) -> Any:
    """The row of a value that was just heard for the first time."""
    publish(device, topic, {"temperature": 20.5})
    name = topic.rpartition("/")[2]

    def is_there() -> bool:
        page.goto(f"/sensors/?search={name}")
        return page.locator("#rows tr").count() == 1

    wait_for(is_there, what="the sensor's row")
    live(page)
    return page.locator("#rows tr")


def value_of(row: Any) -> Any:
    return row.locator("[data-field=value]")


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


def test_no_page_violates_the_content_policy(page: Page, device: mqtt.Client) -> None:
    sensor_row(page, device, "browser/policy")
    links = ["/", "/connections/", "/gateways/", "/dataloggers/", "/sensors/", "/topics/", "/undecoded/", "/sites/"]
    links += ["/audit/", "/account/", "/search/?q=browser", "/connections/new/"]
    for listing in ("/connections/", "/dataloggers/", "/sensors/", "/topics/"):
        page.goto(listing)
        links.append(page.locator("#rows tr a").first.get_attribute("href") or "")
    for link in links:
        response = page.goto(link)
        assert response, link
        assert response.status == 200, link
        live(page)
        # A chart places its parts by script, which the policy permits.
        assert page.locator("[style]:not(.chart *), style, script:not([src])").count() == 0, link


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
    # the fixture finds the browser's complaints


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


def test_switching_a_connection_off_and_on_shows_in_every_open_page(
    page: Page, browser: Browser, console: Console
) -> None:
    other, _ = open_page(browser, console)
    for one in (page, other):
        one.goto("/connections/")
        live(one)
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("[data-action=disable]")
    for one in (page, other):
        expect(one.locator("#rows tr")).to_have_attribute("data-status", "disabled")
    other.click("[data-action=enable]")
    for one in (page, other):
        expect(one.locator("#rows tr")).to_have_attribute("data-status", "connected")
    other.context.close()


def test_a_connection_is_switched_on_its_own_page_by_keyboard(page: Page, console: Console) -> None:
    page.goto("/connections/1/")
    live(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.focus("#buttons [data-action=disable]")
    page.keyboard.press("Enter")
    expect(page.locator("#truths")).to_have_attribute("data-status", "disabled")
    expect(page.locator("#buttons [data-action=enable]")).to_be_focused()
    expect(page.locator("#action-note")).to_contain_text("is being disabled")
    page.keyboard.press("Enter")
    expect(page.locator("#truths")).to_have_attribute("data-status", "connected")


def test_a_push_that_brings_nothing_new_leaves_the_buttons_where_they_are(page: Page) -> None:
    page.add_init_script(
        """document.addEventListener("DOMContentLoaded", () => {
            window.first = document.querySelector("#buttons [data-action=disable]");
            document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
                if (event.detail.target.contains(window.first)) document.body.dataset.pushed = "";
            });
        });"""
    )
    page.goto("/connections/1/")
    live(page)
    page.wait_for_selector("body[data-pushed]")  # the first push brings everything
    assert page.evaluate("window.first.isConnected")


def test_what_a_button_did_is_told_even_when_the_push_is_quicker_than_the_answer(page: Page) -> None:
    def answer_late(route: Route) -> None:
        response = route.fetch()
        time.sleep(2)  # meanwhile the push replaces the button
        route.fulfill(response=response)

    page.goto("/connections/1/")
    live(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.route("**/disable/", answer_late)
    page.click("#buttons [data-action=disable]")
    expect(page.locator("#action-note")).to_contain_text("is being disabled")
    expect(page.locator("#truths")).to_have_attribute("data-status", "disabled")
    page.click("#buttons [data-action=enable]")
    expect(page.locator("#truths")).to_have_attribute("data-status", "connected")


def test_without_javascript_the_buttons_ask_and_work(browser: Browser, console: Console) -> None:
    plain, _ = open_page(browser, console, java_script_enabled=False)
    plain.goto("/connections/")
    plain.click("[data-action=disable]")
    plain.click("main button.danger")

    def has(status: str) -> bool:
        plain.goto("/connections/")
        return plain.locator("#rows tr").get_attribute("data-status") == status

    wait_for(lambda: has("disabled"), what="the disabled connection")
    plain.click("[data-action=enable]")
    wait_for(lambda: has("connected"), what="the connection that is on again")
    plain.context.close()


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
    console.kill_child("valkey")
    publish(device, "browser/layer_killed", {"temperature": 66.5})
    expect(value_of(row)).to_have_attribute("data-value", "66.5")
    page.wait_for_timeout(6000)  # time to notice that the layer is back
    publish(device, "browser/layer_killed", {"temperature": 67.5})
    expect(value_of(row)).to_have_attribute("data-value", "67.5")


def test_a_stopped_mqtt_process_shows_as_unknown(page: Page, console: Console) -> None:
    page.goto("/connections/")
    live(page)
    row = page.locator("#rows tr")
    expect(row).to_have_attribute("data-status", re.compile("connected|silent"))
    with console.paused("mqtt"):
        expect(row).to_have_attribute("data-status", "unknown")
    expect(row).to_have_attribute("data-status", re.compile("connected|silent"))


def test_markup_in_topics_and_values_is_shown_as_text(page: Page, device: mqtt.Client) -> None:
    publish(device, "browser/<b>nasty<b>", NASTY)
    publish(device, "browser/nasty", {"<i>key</i>": 5, "text": NASTY})

    def is_there() -> bool:
        page.goto("/topics/?search=nasty")
        return page.locator("#rows tr").count() == 2

    wait_for(is_there, what="the topics")
    assert "<b>nasty<b>" in page.inner_text("#rows")
    for link in ("/topics/?search=nasty", "/sensors/?search=browser", "/dataloggers/", "/undecoded/", "/"):
        page.goto(link)
        live(page)
        assert page.locator("main img, main td b:not([data-mark]) b, main td i").count() == 0, link
        assert page.title() != "1"


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


def test_the_keyboard_reaches_the_search(page: Page) -> None:
    page.goto("/sensors/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.id") == "find"


def test_on_a_phone_the_menu_opens_and_nothing_is_wider_than_the_screen(browser: Browser, console: Console) -> None:
    phone, complaints = open_page(browser, console, viewport={"width": 390, "height": 800})
    for link in ("/", "/connections/", "/sensors/", "/topics/"):
        phone.goto(link)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, link
    expect(phone.locator("nav.side")).to_be_hidden()
    phone.click(".menu")
    assert phone.locator("nav.side").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 800}
    phone.click("nav.side a[href='/connections/']")
    phone.wait_for_url("**/connections/")
    assert not complaints
    phone.context.close()


def test_on_a_phone_a_sensor_begins_with_its_value(
    browser: Browser, console: Console, page: Page, device: mqtt.Client
) -> None:
    href = sensor_row(page, device, "browser/phone").locator("a.k").get_attribute("href")
    phone, complaints = open_page(browser, console, viewport={"width": 390, "height": 844})
    phone.goto(str(href))
    places = [phone.locator(where).bounding_box() for where in ("#now", "#chart", "#readings")]
    assert [place["y"] for place in places if place] == sorted(place["y"] for place in places if place)
    assert all(places)
    assert places[0]
    assert places[0]["y"] < 400, "without scrolling"
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.context.close()
    assert not complaints


def test_a_page_is_printed_dark_on_white_and_whole(
    browser: Browser, console: Console, page: Page, device: mqtt.Client
) -> None:
    href = sensor_row(page, device, "browser/printed").locator("a.k").get_attribute("href")
    dark, complaints = open_page(browser, console, color_scheme="dark")
    dark.goto(str(href))
    text = "getComputedStyle(document.querySelector('h1')).color"
    on_screen = dark.evaluate(text)
    dark.emulate_media(media="print")
    assert dark.evaluate(text) == "rgb(27, 33, 38)" != on_screen
    assert dark.evaluate("getComputedStyle(document.querySelector('.scroll.tall')).maxHeight") == "none"
    dark.context.close()
    assert not complaints


def test_a_long_text_breaks_within_its_column(browser: Browser, console: Console, device: mqtt.Client) -> None:
    phone, complaints = open_page(browser, console, viewport={"width": 390, "height": 800})
    publish(device, "browser/wordy", {"note": "W" * 180})

    def is_there() -> bool:
        phone.goto("/topics/?search=wordy")
        return phone.locator("#rows tr").count() == 1

    wait_for(is_there, what="the topic")
    phone.click("#rows a >> nth=0")
    live(phone)
    expect(phone.locator("#becomes td.text")).to_contain_text("WWWW")
    assert phone.evaluate("(one => one.scrollWidth - one.clientWidth)(document.querySelector('#becomes .scroll'))") == 0
    assert not complaints
    phone.context.close()
