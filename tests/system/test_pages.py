"""Pages as they are shown, printed and used by keyboard and phone, in a real browser before a real console."""

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import live, open_page, publish, sensor_row
from tests.console import Console
from tests.servers import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.system]

NASTY = '<img src=x onerror="document.title=1"><b>bold</b>'


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
