"""Chromium on the console's own pages, driven by Playwright."""

import shutil
import time
from typing import Any, Self

from playwright.sync_api import CDPSession, Page, sync_playwright

from benchmarks.console import Console
from benchmarks.packets import FIRST_VALUE

CHROMIUM = shutil.which("chromium")
NOTE_VALUES = """() => {
  window.noted = {};
  new MutationObserver(() => {
    const now = performance.timeOrigin + performance.now();
    for (const cell of document.querySelectorAll('[data-field="value"]')) {
      const value = Math.floor(Number(cell.dataset.value));
      if (!(value in window.noted)) window.noted[value] = now;
    }
  }).observe(document.body, {childList: true, subtree: true, attributes: true, characterData: true});
}"""
SHOWS_STATUS = '(status) => document.querySelector(`tr[data-status="${status}"]`) !== null'


def is_installed() -> bool:
    """Whether there is a Chromium to drive."""
    return CHROMIUM is not None


class Browser:
    """One page, logged in."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.root = f"http://127.0.0.1:{console.web_port}"
        self._page: Page | None = None
        self._sessions: list[CDPSession] = []
        self._stack: list[Any] = []

    @property
    def page(self) -> Page:
        """The page that is open."""
        assert self._page is not None
        return self._page

    def __enter__(self) -> Self:
        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        self._stack = [browser.close, playwright.stop]
        context = browser.new_context()
        name, _, value = self.console.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": self.root}])
        self._page = context.new_page()
        self._page.on("dialog", lambda dialog: dialog.accept())  # disabling asks first
        self._sessions = [browser.new_browser_cdp_session(), context.new_cdp_session(self._page)]
        self._sessions[1].send("Performance.enable")
        return self

    def __exit__(self, *_: object) -> None:
        for close in self._stack:
            close()

    def open(self, path: str) -> None:
        """Open a page and wait until its own socket is up."""
        self.page.goto(self.root + path)
        self.page.wait_for_selector('body[data-live="up"]', timeout=10_000)

    def ask_browser(self, method: str) -> Any:
        """What Chromium says of itself."""
        return self._sessions[0].send(method)

    def ask_page(self, method: str) -> Any:
        """What Chromium says of the page."""
        return self._sessions[1].send(method)

    def note_values(self) -> None:
        """From now on remember when each value first stood on the page."""
        self.page.evaluate(NOTE_VALUES)

    def noted(self) -> dict[int, float]:
        """{value: when it was first on the page} of measured values."""
        found = self.page.evaluate("() => window.noted")
        return {int(value): at / 1000 for value, at in found.items() if value != "NaN" and int(value) >= FIRST_VALUE}

    def switch_off_and_on(self) -> tuple[float, float]:
        """Seconds from the click on disable to the row saying so, and from enable to connected."""
        self.open("/connections/")
        return self._click("disable", "disabled"), self._click("enable", "connected")

    def _click(self, action: str, status: str) -> float:
        self.page.wait_for_selector(f'[data-action="{action}"]', timeout=10_000)
        begun = time.time()
        self.page.click(f'[data-action="{action}"]')
        # At each frame: waiting for a selector looks again after up to half a second.
        self.page.wait_for_function(SHOWS_STATUS, arg=status, timeout=20_000)
        return time.time() - begun
