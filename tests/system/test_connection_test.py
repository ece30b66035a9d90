"""Connecting a broker of one's own, as a person does it: form, test, sentence, mending, test again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import live, open_page
from tests.console import Console, StartConsole
from tests.servers import free_port, rumqttd

pytestmark = [pytest.mark.browser, pytest.mark.system]


@contextmanager
def publishing(port: int) -> Iterator[None]:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="weir")
    client.connect("127.0.0.1", port)
    client.loop_start()
    ended = threading.Event()

    def publish() -> None:
        while not ended.wait(0.3):
            client.publish("weir/level", '{"level": 2.4}', qos=1)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        client.disconnect()
        client.loop_stop()


def step(page: Page, name: str) -> str:
    return page.locator(f"#test li[data-step={name}]").inner_text()


def test_a_new_connection_leads_to_its_test_and_mending_it_to_the_first_message(
    browser: Browser, start_console: StartConsole, tmp_path: Path
) -> None:
    console = start_console()  # of its own: the others' lists would show its connection
    page, complaints = open_page(browser, console)
    port = free_port()
    page.goto("/connections/new/")
    page.fill("main [name=name]", "Weir")
    page.fill("main [name=host]", "localhost")
    page.fill("main [name=port]", str(port))
    page.click("main button.primary")
    expect(page.locator("#test[data-verdict=failed]")).to_be_visible()
    assert f"Nothing listens on port {port} of this computer." in step(page, "tcp")
    assert "not tried" in step(page, "connect")
    live(page)

    broker = rumqttd(tmp_path, port).start()
    try:
        with publishing(port):
            page.evaluate("window.stillTheSamePage = true")
            page.click("[data-action=test]")
            expect(page.locator("#test[data-verdict=good]")).to_be_visible()
            assert "1 device found." in page.locator("#test").inner_text()
            assert page.evaluate("window.stillTheSamePage")
    finally:
        broker.stop()
    assert not complaints


def test_the_panel_is_pushed_to_everybody_who_looks(browser: Browser, console: Console) -> None:
    first, _ = open_page(browser, console)
    second, complaints = open_page(browser, console)
    for page in (first, second):
        page.goto("/connections/1/")
        live(page)
    before = second.locator("#test").inner_text()
    with publishing(console.broker_port):
        first.click("[data-action=test]")
        expect(second.locator("#test")).not_to_have_text(before, use_inner_text=True)
        expect(second.locator("#test[data-verdict=good]")).to_be_visible()
    assert not complaints


def test_without_an_mqtt_process_the_panel_says_so_and_goes_on_when_one_is_back(
    browser: Browser, start_console: StartConsole
) -> None:
    console = start_console()
    page, _ = open_page(browser, console)
    page.goto("/connections/1/")
    with console.paused("mqtt"):
        page.click("[data-action=test]")
        expect(page.locator("#test[data-verdict=nobody]")).to_be_visible()
        assert "no mqtt process is running" in page.locator("#test").inner_text()
    with publishing(console.broker_port):
        expect(page.locator("#test[data-verdict=good]")).to_be_visible()


def test_without_javascript_the_test_works_as_a_plain_form(browser: Browser, console: Console) -> None:
    page, _ = open_page(browser, console, java_script_enabled=False)
    page.goto("/connections/1/")
    page.click("[data-action=test]")
    page.wait_for_url("**/connections/1/#test")
    assert page.locator("#test").get_attribute("data-verdict") in {"waiting", "running", "good", "look"}
