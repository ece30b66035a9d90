/* Moving through a chart's time: by finger, wheel, key and button. */
(() => {
  "use strict";
  const chart = window.vedettaChart;
  if (!chart) return;
  const { root, box, buttons, inputs, follow, readAddress, showWindow, go, zoom, pan, newest } = chart;

  // ---- touch: one finger moves, two zoom; up and down scrolls the page ----------------------------------------
  function touchable(self) {
    const fingers = new Map();
    let began = null;
    const begin = () => (began = { ...chart.view, at: [...fingers.values()] });
    const value = (x) => began.from + ((x - self.over.getBoundingClientRect().left) / self.over.clientWidth) * (began.to - began.from);
    self.over.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse") return;
      fingers.set(event.pointerId, event.clientX);
      begin();
    });
    self.over.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, event.clientX);
      const at = [...fingers.values()];
      if (at.length === 1) {
        const by = value(began.at[0]) - value(at[0]);
        if (Math.abs(at[0] - began.at[0]) > 6) go(began.from + by, began.to + by);
      } else if (at.length === 2) {
        const [one, two] = [value(began.at[0]), value(began.at[1])];
        const width = self.over.clientWidth;
        const left = self.over.getBoundingClientRect().left;
        const scale = (two - one) / (at[1] - at[0] || 1);
        const from = one - (at[0] - left) * scale;
        if (scale > 0) go(from, from + width * scale);
      }
    });
    const end = (event) => fingers.delete(event.pointerId) && begin();
    ["pointerup", "pointercancel"].forEach((name) => self.over.addEventListener(name, end));
  }

  // ---- wheel, keyboard, buttons ----------------------------------------------------------------------------------
  box.addEventListener(
    "wheel",
    (event) => {
      if (!chart.plot || !(event.ctrlKey || event.metaKey || event.shiftKey)) return; // the wheel alone scrolls the page
      event.preventDefault();
      const by = event.deltaY || event.deltaX;
      if (event.shiftKey) pan(Math.sign(by) * 0.1);
      else zoom(by > 0 ? 1.25 : 0.8, chart.plot.posToVal(event.clientX - chart.plot.over.getBoundingClientRect().left, "x"));
    },
    { passive: false },
  );
  const STEPS = { earlier: () => pan(-0.5), later: () => pan(0.5), nearer: () => zoom(0.5), wider: () => zoom(2) };
  const KEYS = { ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25), "+": STEPS.nearer, "=": STEPS.nearer, "-": STEPS.wider, Home: newest, End: newest };
  box.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  root.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
    const link = event.target.closest("[data-step], [data-span]");
    const line = event.target.closest(".line");
    if (link) {
      event.preventDefault();
      if (link.dataset.step) STEPS[link.dataset.step]();
      else go(0, 1, (chart.home = link.dataset.span));
    } else if (line) {
      const place = buttons.indexOf(line);
      chart.shown[place] = !chart.shown[place];
      line.setAttribute("aria-pressed", chart.shown[place]);
      [1, 2, 3].forEach((part) => chart.plot?.setSeries(3 * place + part, { show: chart.shown[place] }));
    }
  });
  root.querySelector(".window").addEventListener("submit", (event) => {
    event.preventDefault();
    const [from, to] = inputs.map((input) => new Date(input.value).getTime() / 1000);
    inputs[1].setCustomValidity("");
    if (from < to) go(from, to);
  });
  addEventListener("popstate", () => {
    readAddress();
    follow();
    chart.frame();
    showWindow();
    chart.later(0);
  });

  Object.assign(chart, { touchable });
})();
