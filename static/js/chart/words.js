/* How a chart writes times and numbers, and in which colours. */
(() => {
  "use strict";
  const chart = window.vedettaChart;
  if (!chart) return;
  const { root, region } = chart;

  const ink = (element, name = "color") => getComputedStyle(element).getPropertyValue(name);
  const probe = document.createElement("i");
  probe.hidden = true;
  root.append(probe);
  function colour(name) {
    probe.style.color = `var(--${name})`;
    return ink(probe);
  }
  const faded = (found, alpha) => found.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);

  const formats = {};
  function written(at, options) {
    const key = JSON.stringify(options);
    formats[key] ??= new Intl.DateTimeFormat(region, { hourCycle: "h23", ...options });
    return formats[key].format(at * 1000);
  }
  const HOUR = { hour: "2-digit", minute: "2-digit" };
  function ticks(_plot, splits, _axis, _space, step) {
    return splits.map((at) => {
      const date = new Date(at * 1000);
      const midnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0;
      if (step >= 28 * 86400) return written(at, { month: "short", year: "numeric" });
      if (step >= 86400 || midnight) return written(at, { day: "numeric", month: "short" });
      if (step >= 60) return written(at, HOUR);
      return written(at, step >= 1 ? { ...HOUR, second: "2-digit" } : { minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
    });
  }
  // As the tables write them: a true minus, and thousands always apart, also where a region leaves four digits together.
  const number = (value, decimals) =>
    new Intl.NumberFormat(region, { useGrouping: "always", ...(decimals === undefined ? { maximumSignificantDigits: Math.min(21, Math.max(6, Math.ceil(Math.log10(Math.abs(value) + 1)))) } : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }) }).format(value).replace("-", "−");

  // A mean has more digits than anybody measured; whole ones all count.
  const rounded = (value) => Number(value.toPrecision(Math.min(15, Math.max(4, Math.ceil(Math.log10(Math.abs(value) + 1)) + 1))));

  const AXIS_FONT = "12px system-ui, sans-serif";
  // As wide as its longest number: a cut one would lose its minus.
  function fitting(self, texts) {
    const { ctx } = self;
    ctx.save();
    ctx.font = AXIS_FONT;
    const widest = Math.max(0, ...(texts ?? []).map((text) => ctx.measureText(text).width));
    ctx.restore();
    return Math.max(40, Math.ceil(widest) + 12);
  }

  Object.assign(chart, { colour, faded, written, ticks, number, rounded, AXIS_FONT, fitting });
})();
