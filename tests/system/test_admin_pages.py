"""The admin site and the API's docs under the strict content policy, in a real browser before a real console."""

import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.system]


def test_the_admin_site_breaks_no_content_policy(page: Page) -> None:
    for model in ("mqttconnection", "site", "sensordevice", "statuschange", "auditentry"):
        page.goto(f"/admin/mqtt/{model}/")
        assert page.locator("#changelist").is_visible()
    page.goto("/admin/mqtt/mqttconnection/")
    page.click("#result_list tbody th a")
    # Its widgets are script: the list of sites opens, and a further filter gets a row.
    page.click(".field-site .select2-selection")
    page.wait_for_selector(".select2-results__option")
    page.keyboard.press("Escape")
    page.click("text=Add another")
    page.click("a.deletelink")
    assert page.get_by_text("Are you sure").first.is_visible()
    for path in ("mqttconnection/add/", "site/add/"):
        page.goto(f"/admin/mqtt/{path}")
        assert page.locator("input[name=name]").is_visible()
    for path in ("/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/user/1/change/"):
        page.goto(path)
        assert page.locator("#content").is_visible()


def test_the_table_of_filters_is_no_wider_than_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/admin/mqtt/mqttconnection/")
    page.click("#result_list tbody th a")
    page.wait_for_selector(".inline-group table input[name$=topic_filter]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_site_is_made_in_the_admin_site(page: Page) -> None:
    page.goto("/admin/mqtt/site/add/")
    page.fill("input[name=name]", "Made in the admin")
    page.click("input[name=_save]")
    page.wait_for_selector(".messagelist .success")


def test_the_api_can_be_tried_on_its_docs_page(page: Page) -> None:
    page.goto("/api/v1/docs/")
    page.click("text=/api/v1/mqtt/connections/ >> nth=0")
    page.click("text=Try it out")
    page.click("button.execute")
    page.wait_for_selector(".live-responses-table .highlight-code")
    assert "Embedded broker" in page.inner_text(".live-responses-table")
