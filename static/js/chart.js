/* The chart of a page: what is drawn comes as numbers from the API, at the resolution that the window asks for; the newest
   values come with the rows that the page's own socket pushes. Every window is an address. */
(() => {
  "use strict";
  const root = document.getElementById("chart");
  const box = root?.querySelector(".plot");
  if (!box || !window.uPlot) return;

  const language = document.documentElement.lang;
  const region = navigator.languages?.find((one) => one.split("-")[0] === language) || language;
  const ids = root.dataset.sensors.split(",").map(Number);
  const buttons = ids.map((id) => root.querySelector(`.line[data-sensor="${id}"]`));
  const [when, what] = [root.querySelector("[data-when]"), root.querySelector("[data-what]")];
  const DASHES = [[], [7, 3], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2]];
  const LONGEST = 36525 * 86400;
  const SHORTEST = 1;

  // ---- the window: seconds since 1970, or the last so many seconds ------------------------------------------
  const UNITS = { m: 60, h: 3600, d: 86400, y: 365 * 86400 };
  let offset = Number(document.body.dataset.now) - Date.now() / 1000;
  if (Math.abs(offset) < 2) offset = 0;
  const now = () => Date.now() / 1000 + offset;
  const iso = (seconds) => new Date(seconds * 1000).toISOString();
  const spanOf = (last) => parseInt(last, 10) * UNITS[last.slice(-1)];
  const first = { last: root.dataset.last || "", from: Date.parse(root.dataset.from) / 1000, to: Date.parse(root.dataset.to) / 1000 };
  let view = { ...first };
  let home = first.last || "24h"; // where Home leads

  function follow() {
    if (!view.last) return;
    view.to = now();
    view.from = view.to - spanOf(view.last);
  }

  function readAddress() {
    const params = new URLSearchParams(location.search);
    const [from, to] = [Date.parse(params.get("from")) / 1000, Date.parse(params.get("to")) / 1000];
    if (/^[1-9]\d{0,4}[mhdy]$/.test(params.get("last") || "")) view = { last: params.get("last"), from: 0, to: 0 };
    else if (from < to) view = { last: "", from, to };
    else view = { ...first };
  }

  function says(params) {
    ["last", "from", "to"].forEach((name) => params.delete(name));
    if (view.last) params.set("last", view.last);
    else {
      params.set("from", iso(view.from));
      params.set("to", iso(view.to));
    }
    return params;
  }

  const local = (seconds) => new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 19);
  const inputs = ["from", "to"].map((name) => root.querySelector(`.window input[name=${name}]`));

  function showWindow() {
    root.querySelectorAll("[data-span]").forEach((link) => (link.dataset.span === view.last ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
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
    inputs.forEach((input) => document.activeElement !== input && (input.value = local(view[input.name])));
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
    view = { last, from: end - span, to: end };
    follow();
    frame();
    writeAddress();
    later(150);
  }

  const zoom = (factor, at = (view.from + view.to) / 2) => go(at - (at - view.from) * factor, at + (view.to - at) * factor);
  const pan = (part) => go(view.from + part * (view.to - view.from), view.to + part * (view.to - view.from));
  const newest = () => go(0, 1, home);

  // ---- loading ---------------------------------------------------------------------------------------------
  let answer = null;
  let asking = null;
  let loadTimer = 0;
  let loadedAt = 0;

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
      if (got.status === 400) return tell(Object.values(said).flat().join(" "));
      if (!got.ok) throw new Error(got.status);
      if (view.last) offset = Date.parse(said.end) / 1000 - Date.now() / 1000;
      answer = said;
      loadedAt = Date.now();
      build();
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

  // ---- drawing ---------------------------------------------------------------------------------------------
  let plot = null;
  let shape = "";
  const shown = ids.map(() => true);
  const ink = (element, name = "color") => getComputedStyle(element).getPropertyValue(name);
  const probe = document.createElement("i");
  probe.hidden = true;
  root.append(probe);
  function colour(name) {
    probe.style.color = `var(--${name})`;
    return ink(probe);
  }
  const faded = (found, alpha) => found.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);

  const nothing = (list) => list.map(() => undefined);
  function table() {
    return uPlot.join(answer.sensors.map((one) => [one.times, one.values, one.lows ?? nothing(one.times), one.highs ?? nothing(one.times)]));
  }

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
  const number = (value, decimals) =>
    new Intl.NumberFormat(region, decimals === undefined ? { maximumSignificantDigits: 6 } : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);

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

  function options() {
    const units = [...new Set(answer.sensors.map((one) => one.unit))];
    const muted = colour("muted");
    const line = { stroke: colour("line-soft"), width: 1 };
    const axis = { stroke: muted, grid: line, ticks: { ...line, size: 5 }, font: AXIS_FONT };
    const narrow = box.clientWidth < 520;
    const series = [{}];
    const bands = [];
    answer.sensors.forEach((one, place) => {
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
      scales: { x: { time: true, range: () => [view.from, view.to] } },
      axes: [
        { ...axis, values: ticks, size: 28, space: narrow ? 60 : 80 },
        ...units.map((unit, place) => ({
          ...axis,
          scale: `unit ${place}`,
          side: place ? 1 : 3,
          size: fitting,
          label: unit || undefined,
          labelSize: 18,
          labelGap: 0,
          labelFont: AXIS_FONT,
          grid: place ? { show: false } : line,
          values: (_plot, splits) => splits.map((at) => (at === null ? "" : number(at))),
        })),
      ],
      hooks: { setSelect: [chosen], setCursor: [read], draw: [marks], ready: [touchable] },
    };
  }

  function build() {
    const wanted = JSON.stringify([answer.sensors.map((one) => [one.id, one.unit]), box.clientWidth < 520]);
    if (plot && wanted === shape) return renew();
    shape = wanted;
    plot?.destroy();
    plot = new uPlot(options(), table(), box);
    read(plot);
  }

  function renew() {
    plot.setData(table());
    read(plot);
  }

  function again() {
    shape = "";
    if (answer) build();
  }

  function frame() {
    if (plot) plot.setScale("x", { min: view.from, max: view.to });
  }

  function chosen(self) {
    const { left, width } = self.select;
    if (width < 4) return;
    const [from, to] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")];
    self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    go(from, to);
  }

  const inView = () => answer.marks.filter((mark) => Date.parse(mark.at) / 1000 >= view.from && Date.parse(mark.at) / 1000 <= view.to);
  const TONES = { offline: "bad", error: "bad", late: "warn", silent: "warn", disconnected: "warn", online: "ok", connected: "ok" };
  function marks(self) {
    const { ctx, bbox } = self;
    const unit = devicePixelRatio;
    ctx.save();
    for (const mark of inView()) {
      const x = Math.round(self.valToPos(Date.parse(mark.at) / 1000, "x", true)) + 0.5;
      ctx.strokeStyle = ctx.fillStyle = colour(mark.kind === "note" ? "accent" : TONES[mark.status] || "edge");
      ctx.lineWidth = unit;
      ctx.setLineDash([3 * unit, 3 * unit]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.beginPath();
      if (mark.kind === "note") ctx.rect(x - 4 * unit, bbox.top, 8 * unit, 7 * unit);
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
      const { id, unit, step, is_rate: isRate } = answer.sensors[place];
      const values = self.data[3 * place + 1];
      let at = pointed ? idx : values.length - 1;
      while (at >= 0 && values[at] === undefined) at -= 1;
      let value = values[at] ?? null;
      if (step && value !== null) value = rounded(value);
      const newest = document.querySelector(`#chart-points [data-sensor="${id}"]`);
      if (!pointed && !isRate && view.last && newest) value = Number(newest.dataset.value); // and not the mean of its bucket
      const cell = button.querySelector("[data-reading]");
      cell.textContent = value === null ? "–" : number(value, isRate ? undefined : button.dataset.decimals);
      const small = document.createElement("small");
      small.textContent = ` ${unit}`;
      cell.append(small);
    });
    when.textContent = pointed ? written(times[idx], { dateStyle: "medium", timeStyle: "medium" }) : "";
    if (!pointed) return void (times.length && tell(""));
    const near = inView().filter((mark) => Math.abs(self.valToPos(Date.parse(mark.at) / 1000, "x") - left) < 8);
    tell(near.map((mark) => [mark.title, mark.text].filter(Boolean).join(" – ")).join("; "));
  }

  // ---- touch: one finger moves, two zoom; up and down scrolls the page ----------------------------------------
  function touchable(self) {
    const fingers = new Map();
    let began = null;
    const begin = () => (began = { ...view, at: [...fingers.values()] });
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
      if (!plot || !(event.ctrlKey || event.metaKey || event.shiftKey)) return; // the wheel alone scrolls the page
      event.preventDefault();
      const by = event.deltaY || event.deltaX;
      if (event.shiftKey) pan(Math.sign(by) * 0.1);
      else zoom(by > 0 ? 1.25 : 0.8, plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x"));
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
      else go(0, 1, (home = link.dataset.span));
    } else if (line) {
      const place = buttons.indexOf(line);
      shown[place] = !shown[place];
      line.setAttribute("aria-pressed", shown[place]);
      [1, 2, 3].forEach((part) => plot?.setSeries(3 * place + part, { show: shown[place] }));
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
    frame();
    showWindow();
    later(0);
  });

  // ---- live: the newest values stand in a list that the page's socket replaces ------------------------------------
  let rateTimer = 0;
  function append() {
    if (!answer || !plot || !view.last) return;
    let grew = false;
    document.querySelectorAll("#chart-points [data-sensor]").forEach((point) => {
      const one = answer.sensors.find((known) => known.id === Number(point.dataset.sensor));
      const at = Date.parse(point.dataset.at) / 1000;
      if (!one || !(at > (one.newest ?? one.times.at(-1) ?? 0))) return;
      one.newest = at;
      if (one.is_rate) return void (rateTimer ||= setTimeout(() => ((rateTimer = 0), load()), 5000));
      one.times.push(at);
      one.values.push(Number(point.dataset.value));
      one.lows?.push(undefined);
      one.highs?.push(undefined);
      grew = true;
    });
    if (!grew) return;
    follow();
    renew();
    root.dataset.appended = Number(root.dataset.appended || 0) + 1;
  }
  document.body.addEventListener("htmx:wsAfterMessage", append);
  document.body.addEventListener("htmx:wsOpen", () => answer && Date.now() - loadedAt > 3000 && later(0));
  document.addEventListener("visibilitychange", () => !document.hidden && view.last && later(0));
  // The window moves with the clock by whole pixels; now and then what was appended gives way to what is stored.
  let movedAt = 0;
  setInterval(() => {
    if (!plot || !view.last || document.hidden) return;
    const pixel = (1000 * spanOf(view.last)) / Math.max(1, box.clientWidth);
    if (Date.now() - loadedAt > 1000 * Math.min(300, Math.max(30, answer.sensors[0]?.step || 0))) later(0);
    if (Date.now() - movedAt < pixel) return;
    movedAt = Date.now();
    follow();
    frame();
  }, 1000);

  // ---- size, colours, paper --------------------------------------------------------------------------------------
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (!plot || box.clientWidth === width || !box.clientWidth) return;
    if (box.clientWidth / width > 1.3) later(300);
    width = box.clientWidth;
    plot.setSize({ width, height: box.clientHeight });
  }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  addEventListener("beforeprint", () => {
    document.documentElement.style.colorScheme = "light";
    again();
    plot?.setSize({ width: Math.min(680, box.clientWidth), height: box.clientHeight });
  });
  addEventListener("afterprint", () => {
    document.documentElement.style.removeProperty("color-scheme");
    again();
  });

  follow();
  showWindow();
  load();
})();
