/* The plot itself: lines, bands, marks, and the values under the pointer. */
(() => {
  "use strict";
  const chart = window.vedettaChart;
  if (!chart) return;
  const { root, box, buttons, colour, faded, written, ticks, number, rounded, AXIS_FONT, fitting, go, zoom } = chart;

  let shape = "";
  const shown = buttons.map(() => true);
  const DASHES = [[], [7, 3], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2]];
  const when = root.querySelector("[data-when]");

  const nothing = (list) => list.map(() => undefined);
  function table() {
    return uPlot.join(chart.answer.sensors.map((one) => [one.times, one.values, one.lows ?? nothing(one.times), one.highs ?? nothing(one.times)]));
  }

  // A V that is turned reads as <: a short unit stands upright, beside the highest number.
  const isShort = (unit) => unit.length <= 5;
  function numbers(splits, unit) {
    const highest = splits.findLastIndex((at) => at !== null);
    return splits.map((at, place) => (at === null ? "" : place === highest && unit && isShort(unit) ? `${number(at)} ${unit}` : number(at)));
  }

  function options() {
    const units = [...new Set(chart.answer.sensors.map((one) => one.unit))];
    const muted = colour("muted");
    const line = { stroke: colour("line-soft"), width: 1 };
    const axis = { stroke: muted, grid: line, ticks: { ...line, size: 5 }, font: AXIS_FONT };
    const narrow = box.clientWidth < 520;
    const series = [{}];
    const bands = [];
    chart.answer.sensors.forEach((one, place) => {
      const stroke = colour(`c${(place % 6) + 1}`);
      const scale = `unit ${units.indexOf(one.unit)}`;
      const dash = DASHES[(place + Math.floor(place / 6)) % 6];
      const common = { scale, show: shown[place], spanGaps: false };
      series.push({ ...common, stroke, width: 1.6, dash, points: { size: 5, fill: stroke } });
      series.push({ ...common, width: 0, points: { show: false } }, { ...common, width: 0, points: { show: false } });
      bands.push({ series: [3 * place + 3, 3 * place + 2], fill: faded(stroke, 0.18) });
    });
    return {
      width: Math.max(100, box.clientWidth),
      height: box.clientHeight,
      series,
      bands,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false, dist: 4 }, points: { size: 7 }, bind: { dblclick: () => () => zoom(2) } },
      scales: { x: { time: true, range: () => [chart.view.from, chart.view.to] } },
      axes: [
        { ...axis, values: ticks, size: 28, space: narrow ? 60 : 80 },
        ...units.map((unit, place) => ({
          ...axis,
          scale: `unit ${place}`,
          show: !narrow || place < 2, // on a phone a third axis leaves no room to draw: the legend has value and unit
          side: place ? 1 : 3,
          size: fitting,
          label: isShort(unit) ? undefined : unit,
          labelSize: 18,
          labelGap: 0,
          labelFont: AXIS_FONT,
          grid: place ? { show: false } : line,
          values: (_plot, splits) => numbers(splits, unit),
        })),
      ],
      hooks: { setSelect: [chosen], setCursor: [read], draw: [marks], ready: [chart.touchable] },
    };
  }

  function build() {
    const wanted = JSON.stringify([chart.answer.sensors.map((one) => [one.id, one.unit]), box.clientWidth < 520]);
    if (chart.plot && wanted === shape) return renew();
    shape = wanted;
    chart.plot?.destroy();
    chart.plot = new uPlot(options(), table(), box);
    read(chart.plot);
  }

  function renew() {
    chart.plot.setData(table());
    read(chart.plot);
  }

  function again() {
    shape = "";
    if (chart.answer) build();
  }

  function frame() {
    if (chart.plot) chart.plot.setScale("x", { min: chart.view.from, max: chart.view.to });
  }

  function chosen(self) {
    const { left, width } = self.select;
    if (width < 4) return;
    const [from, to] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")];
    self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    go(from, to);
  }

  const inView = () => chart.answer.marks.filter((mark) => Date.parse(mark.at) / 1000 >= chart.view.from && Date.parse(mark.at) / 1000 <= chart.view.to);
  const TONES = { offline: "bad", error: "bad", late: "warn", silent: "warn", disconnected: "warn", online: "ok", connected: "ok" };
  const ROOM = 48; // pixels that a status needs for a line of its own: more of them become ticks, or they bury the chart
  function marks(self) {
    const { ctx, bbox } = self;
    const unit = devicePixelRatio;
    const found = inView();
    const crowded = found.filter((mark) => mark.kind !== "note").length * ROOM * unit > bbox.width;
    ctx.save();
    ctx.lineWidth = unit;
    for (const mark of found) {
      const x = Math.round(self.valToPos(Date.parse(mark.at) / 1000, "x", true)) + 0.5;
      const isNote = mark.kind === "note";
      const isTick = crowded && !isNote;
      ctx.strokeStyle = ctx.fillStyle = colour(isNote ? "accent" : TONES[mark.status] || "edge");
      ctx.setLineDash(isTick ? [] : [3 * unit, 3 * unit]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + (isTick ? 8 * unit : bbox.height));
      ctx.stroke();
      if (isTick) continue;
      ctx.setLineDash([]);
      ctx.beginPath();
      if (isNote) ctx.rect(x - 4 * unit, bbox.top, 8 * unit, 7 * unit);
      else {
        ctx.moveTo(x - 5 * unit, bbox.top);
        ctx.lineTo(x + 5 * unit, bbox.top);
        ctx.lineTo(x, bbox.top + 8 * unit);
      }
      ctx.fill();
    }
    ctx.restore();
  }

  // The values under the pointer, else the newest ones.
  function read(self) {
    const { idx, left } = self.cursor;
    const pointed = idx !== null && idx !== undefined && left >= 0;
    const times = self.data[0];
    buttons.forEach((button, place) => {
      const { id, unit, step, is_rate: isRate } = chart.answer.sensors[place];
      const values = self.data[3 * place + 1];
      let at = pointed ? idx : values.length - 1;
      while (at >= 0 && values[at] === undefined) at -= 1;
      let value = values[at] ?? null;
      if (step && value !== null) value = rounded(value);
      const newest = document.querySelector(`#chart-points [data-sensor="${id}"]`);
      if (!pointed && !isRate && chart.view.last && newest) value = Number(newest.dataset.value); // and not the mean of its bucket
      const cell = button.querySelector("[data-reading]");
      cell.textContent = value === null ? "–" : number(value, isRate ? undefined : button.dataset.decimals);
      const small = document.createElement("small");
      small.textContent = ` ${unit}`;
      cell.append(small);
    });
    when.textContent = pointed ? written(times[idx], { dateStyle: "medium", timeStyle: "medium" }) : "";
    if (!pointed) return void (times.length && chart.tell(""));
    const near = inView().filter((mark) => Math.abs(self.valToPos(Date.parse(mark.at) / 1000, "x") - left) < 8);
    chart.tell(near.map((mark) => [mark.title, mark.text].filter(Boolean).join(" – ")).join("; "));
  }

  Object.assign(chart, { shown, build, renew, again, frame });
})();
