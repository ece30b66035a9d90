/* How a pushed row or part takes the place of the old one. Only what differs is touched: a page that stays open over
   hundreds of changes a second must cost its browser little, and what is selected or focused must stay so. */
(() => {
  "use strict";
  const body = document.body;

  // A row that came between page and socket is not in this table: htmx would call that an error.
  window.htmx?.defineExtension("known-rows", {
    transformResponse(text) {
      const isHere = (id) => document.getElementById(id) !== null;
      if ([...text.matchAll(/<tr id="([^"]+)"/g)].every(([, id]) => isHere(id))) return text;
      const frame = document.createElement("template");
      frame.innerHTML = text;
      for (const row of [...frame.content.children]) if (row.matches("tr[id]") && !isHere(row.id)) row.remove();
      return frame.innerHTML;
    },
  });

  // What a browser wrote into a time stays until the moment or its tone is another one.
  const isSameTime = (old, fresh) => old.className === fresh.className && old.getAttribute("datetime") === fresh.getAttribute("datetime");

  function take(old, fresh) {
    if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
    if (old.localName === "time") return isSameTime(old, fresh) || old.replaceWith(fresh);
    if (old.nodeType !== Node.ELEMENT_NODE) return old.data === fresh.data || (old.data = fresh.data);
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
    after.forEach((node, index) => (before[index] ? take(before[index], node) : old.append(node)));
    before.slice(after.length).forEach((node) => node.remove());
  }

  // ---- a value that was quiet lights up when it changes ----------------------------------------------------
  const QUIET = 4000; // what changes all the time would always be lit: that is no news, and drawing it costs
  const LIT = 1000;
  const changedAt = new Map();
  const lit = new Map();

  function light(cell) {
    cell.classList.add("changed");
    lit.set(cell, Date.now());
  }
  // No fading: a colour that moves is drawn anew sixty times a second.
  setInterval(() => {
    for (const [cell, since] of lit)
      if (Date.now() - since >= LIT) {
        cell.classList.remove("changed");
        lit.delete(cell);
      }
  }, 1000);

  const watched = "[data-field=value], [data-mark]";
  const valueOf = (element) => element.dataset.value ?? element.textContent;
  // The places in which something else stands now, and the status if it is another one.
  function differing(old, fresh) {
    const before = old.querySelectorAll(watched);
    const found = [];
    fresh.querySelectorAll(watched).forEach((element, index) => {
      if (before[index] && valueOf(element) !== valueOf(before[index])) found.push((root) => root.querySelectorAll(watched)[index]);
    });
    if (fresh.dataset.status !== old.dataset.status) found.push((root) => root.querySelector(".st"));
    return found;
  }

  // htmx listens for such elements, and must see that one is another now.
  const speaks = (element) => element.querySelector("[hx-get], [hx-post]") !== null;

  // What is there already stays: a button that is replaced between press and release loses the click.
  function isSame(old, fresh) {
    const one = old.cloneNode(true);
    one.removeAttribute("hx-swap-oob");
    return one.isEqualNode(fresh);
  }

  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target: old, fragment } = event.detail;
    const fresh = fragment.firstElementChild;
    if (!old || !fresh || old.id !== fresh.id) return;
    const places = differing(old, fresh);
    const now = Date.now();
    const isNews = places.length && now - (changedAt.get(old.id) ?? 0) > QUIET;
    if (places.length) changedAt.set(old.id, now);
    const mayStay = !speaks(old) && !speaks(fresh);
    if (mayStay) take(old, fresh);
    if (mayStay || isSame(old, fresh)) event.detail.shouldSwap = false;
    if (!isNews) return;
    for (const place of places) {
      const element = place(mayStay ? old : fresh);
      const cell = element?.closest(element.matches(".st") ? "td, li, p, div" : "td") ?? element;
      if (cell) light(cell);
    }
  });

  // A row that is replaced while one of its buttons has the focus gives it to the same button of the new row.
  let focused = null;
  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const active = document.activeElement;
    if (!event.detail.shouldSwap || !event.detail.target?.contains(active) || active === event.detail.target) return;
    const mark = active.dataset.action ? `[data-action="${active.dataset.action}"]` : `a[href="${CSS.escape(active.getAttribute("href") || "")}"]`;
    const place = `#${CSS.escape(event.detail.target.id)}`;
    focused = { same: `${place} ${mark}`, other: active.dataset.action ? `${place} [data-action]` : place };
  });
  body.addEventListener("htmx:wsAfterMessage", () => {
    if (focused) (document.querySelector(focused.same) ?? document.querySelector(focused.other))?.focus({ preventScroll: true });
    focused = null;
  });
})();
