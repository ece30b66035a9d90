/* A chart that follows its time, its size and the reader's colours; the last of its files, and so the one that begins. */
(() => {
  "use strict";
  const chart = window.vedettaChart;
  if (!chart) return;
  const { root, box, spanOf, follow, showWindow } = chart;

  // ---- live: the newest values stand in a list that the page's socket replaces ------------------------------------
  let rateTimer = 0;
  function append() {
    if (!chart.answer || !chart.plot || !chart.view.last) return;
    let grew = false;
    document.querySelectorAll("#chart-points [data-sensor]").forEach((point) => {
      const one = chart.answer.sensors.find((known) => known.id === Number(point.dataset.sensor));
      const at = Date.parse(point.dataset.at) / 1000;
      if (!one || !(at > (one.newest ?? one.times.at(-1) ?? 0))) return;
      one.newest = at;
      if (one.is_rate) return void (rateTimer ||= setTimeout(() => ((rateTimer = 0), chart.load()), 5000));
      one.times.push(at);
      one.values.push(Number(point.dataset.value));
      one.lows?.push(undefined);
      one.highs?.push(undefined);
      grew = true;
    });
    if (!grew) return;
    follow();
    chart.renew();
    root.dataset.appended = Number(root.dataset.appended || 0) + 1;
  }
  document.body.addEventListener("htmx:wsAfterMessage", append);
  document.body.addEventListener("htmx:wsOpen", () => chart.answer && Date.now() - chart.loadedAt > 3000 && chart.later(0));
  document.addEventListener("visibilitychange", () => !document.hidden && chart.view.last && chart.later(0));
  // The window moves with the clock by whole pixels; now and then what was appended gives way to what is stored.
  let movedAt = 0;
  setInterval(() => {
    if (!chart.plot || !chart.view.last || document.hidden) return;
    const pixel = (1000 * spanOf(chart.view.last)) / Math.max(1, box.clientWidth);
    if (Date.now() - chart.loadedAt > 1000 * Math.min(300, Math.max(30, chart.answer.sensors[0]?.step || 0))) chart.later(0);
    if (Date.now() - movedAt < pixel) return;
    movedAt = Date.now();
    follow();
    chart.frame();
  }, 1000);

  // ---- size, colours, paper --------------------------------------------------------------------------------------
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (!chart.plot || box.clientWidth === width || !box.clientWidth) return;
    if (box.clientWidth / width > 1.3) chart.later(300);
    width = box.clientWidth;
    chart.plot.setSize({ width, height: box.clientHeight });
  }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", chart.again);
  addEventListener("beforeprint", () => {
    document.documentElement.style.colorScheme = "light";
    chart.again();
    chart.plot?.setSize({ width: Math.min(680, box.clientWidth), height: box.clientHeight });
  });
  addEventListener("afterprint", () => {
    document.documentElement.style.removeProperty("color-scheme");
    chart.again();
  });

  follow();
  showWindow();
  chart.load();
})();
