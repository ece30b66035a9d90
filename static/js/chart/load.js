/* Asking for what a chart shows. */
(() => {
  "use strict";
  const chart = window.vedettaChart;
  if (!chart) return;
  const { root, box, language, follow, says, setClock } = chart;

  const what = root.querySelector("[data-what]");
  let asking = null;
  let loadTimer = 0;

  function later(ms) {
    clearTimeout(loadTimer);
    loadTimer = setTimeout(load, ms);
  }

  async function load() {
    asking?.abort();
    const mine = (asking = new AbortController());
    follow();
    const params = says(new URLSearchParams({ sensors: root.dataset.sensors, rate: root.dataset.rate }));
    params.set("points", Math.min(4000, Math.max(50, Math.round(box.clientWidth - 60))));
    root.setAttribute("aria-busy", "true");
    try {
      const got = await fetch(`${root.dataset.url}?${params}`, { signal: mine.signal, headers: { Accept: "application/json", "Accept-Language": language } });
      const said = await got.json();
      if (got.status === 400) return tell(chart.answer && said.sensors ? root.dataset.gone : Object.values(said).flat().join(" "));
      if (!got.ok) throw new Error(got.status);
      if (chart.view.last) setClock(Date.parse(said.end) / 1000);
      chart.answer = said;
      chart.loadedAt = Date.now();
      chart.build();
      tell(said.sensors.some((one) => one.values.length) ? "" : root.dataset.empty);
    } catch (error) {
      if (error.name === "AbortError") return;
      tell(root.dataset.failed);
      later(10_000);
    } finally {
      if (mine === asking) root.removeAttribute("aria-busy");
    }
  }

  function tell(text) {
    what.textContent = text;
  }

  Object.assign(chart, { later, load, tell });
})();
