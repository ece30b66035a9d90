"""A connection is switched off and on, in a real browser before a real console."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import live, open_page
from tests.console import Console
from tests.servers import PATIENCE, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.system]

ROW = "#connection-1"
"""The embedded broker's: tests that share the console may have made more."""


@pytest.fixture(autouse=True)
def _as_it_was_found(console: Console) -> Iterator[None]:
    """A test that fails between off and on must not take the others with it: they share the console."""
    yield
    with closing(sqlite3.connect(console.database, timeout=PATIENCE)) as database, database:
        database.execute("UPDATE mqtt_mqttconnection SET is_enabled = 1 WHERE is_enabled = 0")


def test_switching_a_connection_off_and_on_shows_in_every_open_page(
    page: Page, browser: Browser, console: Console
) -> None:
    other, _ = open_page(browser, console)
    for one in (page, other):
        one.goto("/connections/")
        live(one)
    page.on("dialog", lambda dialog: dialog.accept())
    page.click(f"{ROW} [data-action=disable]")
    for one in (page, other):
        expect(one.locator(ROW)).to_have_attribute("data-status", "disabled")
    other.click(f"{ROW} [data-action=enable]")
    for one in (page, other):
        expect(one.locator(ROW)).to_have_attribute("data-status", "connected")
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
        expect(page.locator("#truths")).to_have_attribute("data-status", "disabled")  # the push has replaced the button
        route.fulfill(response=response)

    page.goto("/connections/1/")
    live(page)
    page.once("dialog", lambda dialog: dialog.accept())
    page.route("**/disable/", answer_late)
    page.click("#buttons [data-action=disable]")
    expect(page.locator("#action-note")).to_contain_text("is being disabled")
    page.click("#buttons [data-action=enable]")
    expect(page.locator("#truths")).to_have_attribute("data-status", "connected")


def test_without_javascript_the_buttons_ask_and_work(browser: Browser, console: Console) -> None:
    plain, _ = open_page(browser, console, java_script_enabled=False)
    plain.goto("/connections/")
    plain.click(f"{ROW} [data-action=disable]")
    plain.click("main button.danger")

    def has(status: str) -> bool:
        plain.goto("/connections/")
        return plain.locator(ROW).get_attribute("data-status") == status

    wait_for(lambda: has("disabled"), what="the disabled connection")
    plain.click(f"{ROW} [data-action=enable]")
    wait_for(lambda: has("connected"), what="the connection that is on again")
    plain.context.close()
