/* What the server cannot know: the viewer's clock and zone, the state of the page's own socket, the keyboard.
   Nothing is rendered here; every row and number comes from the server as HTML. */
(() => {
  "use strict";
  const body = document.body;
  const language = document.documentElement.lang;
  // Italian or English is chosen on the page, how its region writes a date in the browser (20 November, November 20).
  const region = navigator.languages?.find((one) => one.split("-")[0] === language) || language;

  // ---- time: ages tick, moments are shown in the viewer's zone -------------------------------------------
  let offset = Number(body.dataset.now) * 1000 - Date.now(); // a viewer's clock may be wrong, the server's counts
  if (Math.abs(offset) < 2000) offset = 0; // the page took a moment to load
  const now = () => Date.now() + offset;
  const full = new Intl.DateTimeFormat(region, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
  const clock = new Intl.DateTimeFormat(region, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(region, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const today = new Intl.DateTimeFormat(region, { weekday: "long", day: "numeric", month: "long" });
  const minute = new Intl.DateTimeFormat(region, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const unit = { en: { s: "s", min: "min", h: "h", d: "d" }, it: { s: "s", min: "min", h: "h", d: "g" } }[language] || { s: "s", min: "min", h: "h", d: "d" };

  function span(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) return `${s} ${unit.s}`;
    if (s < 3600) return `${Math.floor(s / 60)} ${unit.min}`;
    if (s < 48 * 3600) return `${Math.floor(s / 3600)} ${unit.h}`;
    return `${Math.floor(s / 86400)} ${unit.d}`;
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function showTime(element) {
    const at = new Date(element.getAttribute("datetime"));
    if (Number.isNaN(at.getTime())) return;
    if (element.dataset.show === "now") return write(element, `${today.format(now())}, ${minute.format(now())} · ${zone}`);
    if (!element.title) element.title = `${full.format(at)} (${zone})`;
    if ("age" in element.dataset) write(element, span(now() - at));
    else if (element.dataset.show === "until") write(element, span(at - now()));
    else if (element.dataset.show === "time") write(element, (Math.abs(now() - at) < 20 * 3600e3 ? clock : day).format(at));
    else if (element.dataset.show) write(element, full.format(at));
  }

  function showTimes(root) {
    root.querySelectorAll("time[datetime]").forEach(showTime);
  }

  setInterval(() => document.querySelectorAll("time[data-age], time[data-show=until], time[data-show=now]").forEach(showTime), 1000);
  new MutationObserver((records) => {
    for (const record of records)
      for (const node of record.addedNodes)
        if (node.nodeType === 1) node.matches("time[datetime]") ? showTime(node) : showTimes(node);
  }).observe(body, { childList: true, subtree: true });
  showTimes(document);

  // ---- what the answer to a click replaces gives the focus on --------------------------------------------
  // "Enable" stands where "Disable" was.
  let pressed = null;
  function giveFocusBack() {
    if (document.activeElement !== body) pressed = null; // the person has gone on
    if (!pressed) return;
    const usable = [...document.querySelectorAll(`#${CSS.escape(pressed.place)} [data-action]:not([disabled])`)];
    const fresh = usable.find((one) => one.dataset.action === pressed.action) ?? usable[0];
    if (!fresh) return; // a test that runs has no button yet: its last panel has, answered or pushed
    fresh.focus({ preventScroll: true });
    pressed = null;
  }
  body.addEventListener("htmx:afterSwap", (event) => {
    const { action } = event.detail.requestConfig?.elt?.dataset ?? {};
    if (action) pressed = { action, place: event.target.id };
    giveFocusBack();
  });
  body.addEventListener("htmx:wsAfterMessage", giveFocusBack);

  // ---- the page's own socket -------------------------------------------------------------------------------
  const link = document.getElementById("live-link");
  const lost = document.getElementById("live-lost");
  let socket = null;
  let lastHeard = Date.now();
  let lostTimer = 0;
  let failures = 0;

  function setLive(state) {
    body.dataset.live = state;
    body.dataset.tried = ""; // before this the page is only connecting, which is no alarm
    if (state === "up") {
      clearTimeout(lostTimer);
      lostTimer = 0;
      lost.hidden = true;
    } else lostTimer ||= setTimeout(() => (lost.hidden = false), 2000); // a reload or a blink is no news, tries in vain are
  }

  function sessionEnded() {
    clearTimeout(lostTimer);
    lost.hidden = false;
    lost.querySelector(".lost").hidden = true;
    lost.querySelector(".ended").hidden = false;
    link.remove(); // htmx stops reconnecting
  }

  function say(message) {
    if (socket) socket.sendImmediately(JSON.stringify(message));
  }

  function shownRows() {
    return [...document.querySelectorAll("tr[id][data-status]")].map((row) => row.id);
  }

  // A live tail: asked for on every new link, and only so many lines kept.
  const tail = document.querySelector("[data-tail]");
  function listen() {
    if (tail && !document.hidden) say({ action: "tail", filter: tail.dataset.tail });
  }
  if (tail)
    body.addEventListener("htmx:wsAfterMessage", () => {
      const rows = document.getElementById("tail-rows").children;
      while (rows.length > 300) rows[rows.length - 1].remove();
    });

  async function askWhetherLoggedIn() {
    try {
      const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 403) sessionEnded();
    } catch { /* no network: the banner already says so */ }
  }

  if (link && window.htmx) {
    setTimeout(() => (body.dataset.tried = ""), 5000); // a link that neither opens nor fails
    htmx.config.wsReconnectDelay = (attempt) => Math.min(8000, 400 * 2 ** attempt) * (0.6 + 0.4 * Math.random());
    body.addEventListener("htmx:wsOpen", (event) => {
      socket = event.detail.socketWrapper;
      lastHeard = Date.now();
      failures = 0;
      setLive("up");
      if (document.hidden) say({ action: "pause" });
      else say({ action: "show", ids: shownRows() });
      listen();
    });
    body.addEventListener("htmx:wsClose", (event) => {
      const { code } = event.detail.event;
      const wrapper = event.detail.socketWrapper;
      socket = null;
      failures += 1;
      setLive("down");
      if (code === 4401 || code === 4403) sessionEnded();
      else if (failures % 3 === 0) askWhetherLoggedIn();
      // htmx itself comes back only after 1006, 1011, 1012 and 1013.
      if (![1006, 1011, 1012, 1013, 4401, 4403].includes(code))
        setTimeout(() => link.isConnected && wrapper.reconnect(), htmx.config.wsReconnectDelay(failures));
    });
    body.addEventListener("htmx:wsAfterMessage", () => {
      lastHeard = Date.now();
      const at = Date.parse(document.getElementById("live-clock")?.getAttribute("datetime"));
      if (at && at !== setClock.last) setClock(at);
    });
    const setClock = (at) => {
      setClock.last = at;
      const measured = at - Date.now();
      if (Math.abs(measured - offset) > 2000) offset = measured;
    };
    // A link that died without a word (sleep, lost network) sends no close: the server speaks every 10 s.
    setInterval(() => {
      if (!socket || document.hidden || Date.now() - lastHeard < 30000) return;
      lastHeard = Date.now();
      setLive("down");
      socket.reconnect();
    }, 2000);
    document.addEventListener("visibilitychange", () => {
      lastHeard = Date.now();
      if (document.hidden) say({ action: "pause" });
      else say({ action: "resume", ids: shownRows() });
      listen();
    });
  }

  // ---- what a button did, or could not do ---------------------------------------------------------------
  const note = document.getElementById("action-note");
  function tell(text, tone) {
    note.className = `note ${tone}`;
    note.hidden = false; // first, or a screen reader says nothing
    note.querySelector(".said").textContent = text;
    clearTimeout(tell.timer);
    if (tone === "success") tell.timer = setTimeout(() => (note.hidden = true), 8000);
  }
  body.addEventListener("console:note", (event) => tell(event.detail.text, event.detail.tone));
  ["htmx:responseError", "htmx:sendError"].forEach((name) => body.addEventListener(name, () => tell(note.dataset.usual, "bad")));
  // A push may replace the button before its answer comes; events of an element that is gone reach nobody.
  function answered(button, xhr) {
    if (button.isConnected) return;
    const said = JSON.parse(xhr.getResponseHeader("HX-Trigger") || "{}")["console:note"];
    if (said) tell(said.text, said.tone);
    else if (xhr.status >= 400) tell(note.dataset.usual, "bad");
  }
  body.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    if (!note || requestConfig.verb !== "post") return; // a panel that asks again is no new deed
    note.hidden = true;
    xhr.addEventListener("load", () => answered(elt, xhr));
  });

  // ---- keyboard and menus ----------------------------------------------------------------------------------
  const find = document.getElementById("find");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const wanted = ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") || (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey);
    if (find && wanted) {
      event.preventDefault();
      find.focus();
      find.select();
    } else if (event.key === "Escape") {
      document.querySelectorAll("details.who[open]").forEach((menu) => menu.removeAttribute("open"));
      if (location.hash === "#nav") location.hash = "#main";
      if (event.target === find) find.blur();
    }
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.who[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
  });

  // ---- filters --------------------------------------------------------------------------------------------
  // The list that they ask for is a new page: whoever works by keyboard goes on from the field they were in.
  const asked = sessionStorage.getItem("asked");
  sessionStorage.removeItem("asked");
  if (asked && document.activeElement === body) document.getElementById(asked)?.focus({ preventScroll: true });
  document.querySelectorAll("form.filters").forEach((form) => {
    form.addEventListener("submit", () => {
      const { id, localName } = document.activeElement;
      // On a phone a text field with the focus would cover the list with its keyboard.
      if (form.contains(document.activeElement) && id && (localName === "select" || matchMedia("(hover: hover)").matches)) sessionStorage.setItem("asked", id);
    });
    form.querySelectorAll("select").forEach((select) => select.addEventListener("change", () => form.requestSubmit()));
  });

  // ---- how many problems there are, also for who looks at another tab ------------------------------------
  const menu = document.getElementById("nav");
  const title = document.title;
  function countInTitle() {
    const problems = [...menu.querySelectorAll(".n.bad, .n.warn")].reduce((sum, badge) => sum + (parseInt(badge.textContent.replace(/\D/g, ""), 10) || 0), 0);
    const wanted = problems ? `(${problems}) ${title}` : title;
    if (document.title !== wanted) document.title = wanted;
  }
  if (menu) {
    countInTitle();
    new MutationObserver(countInTitle).observe(menu, { childList: true, subtree: true, characterData: true, attributes: true });
  }
})();
