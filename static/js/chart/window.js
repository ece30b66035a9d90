/* The window of a page's chart, and the address that says it. Together with its neighbours: what is drawn comes as numbers
   from the API, at the resolution that the window asks for; the newest values come with the rows that the page's own
   socket pushes. The files share `vedettaChart`, which is there only on pages with a chart. */
(() => {
  "use strict";
  const root = document.getElementById("chart");
  const box = root?.querySelector(".plot");
  if (!box || !window.uPlot) return;

  const language = document.documentElement.lang;
  const region = navigator.languages?.find((one) => one.split("-")[0] === language) || language;
  const ids = root.dataset.sensors.split(",").map(Number);
  const buttons = ids.map((id) => root.querySelector(`.line[data-sensor="${id}"]`));
  const LONGEST = 36525 * 86400;
  const SHORTEST = 1;

  // ---- the window: seconds since 1970, or the last so many seconds ------------------------------------------
  const UNITS = { m: 60, h: 3600, d: 86400, y: 365 * 86400 };
  let offset = Number(document.body.dataset.now) - Date.now() / 1000;
  if (Math.abs(offset) < 2) offset = 0;
  const now = () => Date.now() / 1000 + offset;
  const setClock = (seconds) => (offset = seconds - Date.now() / 1000);
  const iso = (seconds) => new Date(seconds * 1000).toISOString();
  const spanOf = (last) => parseInt(last, 10) * UNITS[last.slice(-1)];
  const first = { last: root.dataset.last || "", from: Date.parse(root.dataset.from) / 1000, to: Date.parse(root.dataset.to) / 1000 };
  const chart = (window.vedettaChart = { root, box, language, region, buttons, plot: null, answer: null, loadedAt: 0 });
  chart.view = { ...first };
  chart.home = first.last || "24h"; // where Home leads

  function follow() {
    if (!chart.view.last) return;
    chart.view.to = now();
    chart.view.from = chart.view.to - spanOf(chart.view.last);
  }

  function readAddress() {
    const params = new URLSearchParams(location.search);
    const [from, to] = [Date.parse(params.get("from")) / 1000, Date.parse(params.get("to")) / 1000];
    if (/^[1-9]\d{0,4}[mhdy]$/.test(params.get("last") || "")) chart.view = { last: params.get("last"), from: 0, to: 0 };
    else if (from < to) chart.view = { last: "", from, to };
    else chart.view = { ...first };
  }

  function says(params) {
    ["last", "from", "to"].forEach((name) => params.delete(name));
    if (chart.view.last) params.set("last", chart.view.last);
    else {
      params.set("from", iso(chart.view.from));
      params.set("to", iso(chart.view.to));
    }
    return params;
  }

  const local = (seconds) => new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 19);
  const inputs = ["from", "to"].map((name) => root.querySelector(`.window input[name=${name}]`));

  function showWindow() {
    root.querySelectorAll("[data-span]").forEach((link) => (link.dataset.span === chart.view.last ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    root.querySelectorAll("a[data-keeps]").forEach((link) => {
      const url = new URL(link.href);
      url.search = says(url.searchParams);
      link.href = url;
    });
    const form = root.querySelector(".choose form");
    form?.querySelectorAll("input[type=hidden]").forEach((input) => ["last", "from", "to"].includes(input.name) && input.remove());
    if (form)
      for (const [name, value] of says(new URLSearchParams())) {
        const input = document.createElement("input");
        [input.type, input.name, input.value] = ["hidden", name, value];
        form.prepend(input);
      }
    inputs.forEach((input) => document.activeElement !== input && (input.value = local(chart.view[input.name])));
  }

  let wroteAt = 0;
  function writeAddress() {
    const url = new URL(location.href);
    url.search = says(url.searchParams);
    // A new look is a step that Back undoes; a pan of many small moves is one step.
    history[Date.now() - wroteAt > 1500 ? "pushState" : "replaceState"](history.state, "", url);
    wroteAt = Date.now();
    showWindow();
  }

  function go(from, to, last = "") {
    const span = Math.min(LONGEST, Math.max(SHORTEST, to - from));
    const middle = (from + to) / 2;
    let end = middle + span / 2;
    if (!last) end = Math.min(end, now());
    chart.view = { last, from: end - span, to: end };
    follow();
    chart.frame();
    writeAddress();
    chart.later(150);
  }

  const zoom = (factor, at = (chart.view.from + chart.view.to) / 2) => go(at - (at - chart.view.from) * factor, at + (chart.view.to - at) * factor);
  const pan = (part) => go(chart.view.from + part * (chart.view.to - chart.view.from), chart.view.to + part * (chart.view.to - chart.view.from));
  const newest = () => go(0, 1, chart.home);

  Object.assign(chart, { setClock, spanOf, follow, readAddress, says, inputs, showWindow, go, zoom, pan, newest });
})();
