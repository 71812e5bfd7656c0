// Line charts: uPlot with the page's colours, a legend that reads values, and keys.

import { el, say, svg } from "./dom.js";
import { number, ticks } from "./format.js";
import { ink, onTheme } from "./theme.js";

const charts = new Set();
onTheme(() => charts.forEach((chart) => chart.redraw()));

/** A chart in `host`. `label` says what it shows to who cannot see it, `height` is that of the plot in pixels, `pick(index)` is
 * called for a click or Enter at a place, `drag(index)` while the pointer is held down, too. */
export class Chart {
  #plot = null;
  #key = "";
  #spec = null;
  #index = null;

  constructor(host, { label, height = 210, sync = null, pick = null, drag = null }) {
    this.options = { height, sync, pick, drag };
    this.caption = el("span");
    this.place = el("b", { className: "place" });
    this.legend = el("div", { className: "legend" });
    this.area = el("div", { className: "plot", tabIndex: 0, role: "img", "aria-label": label });
    this.area.addEventListener("keydown", (event) => this.#onKey(event));
    host.append(el("p", { className: "y-label" }, this.caption, this.place), this.area, this.legend);
    new ResizeObserver(() => this.#resize()).observe(this.area);
    charts.add(this);
  }

  /** Draws `spec`: `x` and `y` (label of each axis), `data` (uPlot's), `series` ({label, colour, opacity, dash, width, paths, fill}),
   * `bands` ({series: [high, low], colour}), `legend` ({label, colour, dash, read(index), rest: what it shows at
   * rest}; the series' if left out), `marks`
   * (vertical lines: {at, colour, dash}), `zero` (whether the axis shows 0). Only what has changed in kind makes it anew. */
  draw(spec) {
    this.#spec = spec;
    const key = JSON.stringify([spec.series, spec.bands, spec.x, spec.zero], (name, value) => (typeof value === "function" ? name : value));
    say(this.caption, spec.y);
    if (this.#plot === null || key !== this.#key) {
      this.#key = key;
      this.#plot?.destroy();
      this.#plot = this.#create(spec);
    } else {
      this.#plot.setData(spec.data);
    }
    this.#drawLegend();
  }

  /** Moves the vertical lines alone. */
  mark(marks) {
    if (!this.#spec || JSON.stringify(marks) === JSON.stringify(this.#spec.marks)) return;
    this.#spec = { ...this.#spec, marks };
    this.#plot?.redraw(false, false);
  }

  redraw() {
    this.#plot?.redraw(false, true);
  }

  #create(spec) {
    const axis = { stroke: () => ink("--muted"), grid: { stroke: () => ink("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const { height, sync } = this.options;
    return new uPlot(
      {
        width: this.area.clientWidth || 300,
        height,
        padding: [8, 12, 0, 0],
        legend: { show: false },
        scales: { x: { time: false }, y: { range: (_, low, high) => this.#range(low, high) } },
        axes: [
          { ...axis, size: 22, gap: 4, label: spec.x, labelSize: 15, labelGap: -2, labelFont: "11px system-ui, sans-serif", values: ticks, space: 60 },
          { ...axis, gap: 4, values: ticks, space: 30, size: (chart, values) => widest(chart, values) },
        ],
        series: [{}, ...spec.series.map((each) => lineOf(each))],
        bands: (spec.bands ?? []).map(({ series, colour }) => ({ series, fill: () => ink(colour, 0.16) })),
        cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 }, ...(sync ? { sync: { key: sync, setSeries: false } } : {}) },
        hooks: { setCursor: [(chart) => this.#onCursor(chart)], draw: [(chart) => this.#drawMarks(chart)], ready: [(chart) => this.#listen(chart)] },
      },
      spec.data,
      this.area,
    );
  }

  #range(low, high) {
    if (low === null || high === null || low === undefined) return [0, 1];
    let [from, to] = this.#spec.zero ? [Math.min(low, 0), Math.max(high, 0)] : [low, high];
    if (from === to) [from, to] = [from - Math.abs(from || 1) * 0.1, to + Math.abs(to || 1) * 0.1];
    const room = (to - from) * 0.05;
    return [this.#spec.zero && from === 0 ? 0 : from - room, to + room];
  }

  #resize() {
    const width = this.area.clientWidth;
    if (this.#plot && width && width !== this.#plot.width) this.#plot.setSize({ width, height: this.options.height });
  }

  #listen(chart) {
    const { pick, drag } = this.options;
    if (!pick && !drag) return undefined;
    this.area.classList.add(drag ? "draggable" : "pickable");
    const over = chart.over;
    if (!drag) return over.addEventListener("click", (event) => pick(this.#at(chart, event)));
    over.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      over.setPointerCapture(event.pointerId);
      drag(this.#at(chart, event));
    });
    return over.addEventListener("pointermove", (event) => over.hasPointerCapture(event.pointerId) && drag(this.#at(chart, event)));
  }

  #at(chart, event) {
    return chart.posToIdx(event.clientX - chart.over.getBoundingClientRect().left);
  }

  #onKey(event) {
    const chart = this.#plot;
    const last = chart ? chart.data[0].length - 1 : -1;
    if (last < 0) return;
    const now = this.#index ?? (event.key === "ArrowLeft" ? last + 1 : -1);
    const places = { ArrowLeft: now - 1, ArrowRight: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: last };
    if (event.key in places) {
      const index = Math.min(Math.max(places[event.key], 0), last);
      chart.setCursor({ left: chart.valToPos(chart.data[0][index], "x"), top: 10 });
      this.#index = index;
      this.options.drag?.(index);
    } else if (event.key === "Enter" && this.#index !== null) {
      this.options.pick?.(this.#index);
    } else if (event.key === "Escape") {
      chart.setCursor({ left: -10, top: -10 });
    } else {
      return;
    }
    event.preventDefault();
  }

  #onCursor(chart) {
    this.#index = chart.cursor.left >= 0 ? (chart.cursor.idx ?? null) : null;
    this.#readLegend();
  }

  #drawMarks(chart) {
    const { ctx, bbox } = chart;
    for (const { at, colour, dash = [] } of this.#spec.marks ?? []) {
      const x = Math.round(chart.valToPos(at, "x", true));
      if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
      ctx.save();
      ctx.strokeStyle = ink(colour);
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.restore();
    }
  }

  #entries() {
    const { legend, series, data } = this.#spec;
    return legend ?? series.map((each, place) => ({ ...each, read: (index) => number(data[place + 1][index]) }));
  }

  #drawLegend() {
    if (!this.#spec) return;
    const key = JSON.stringify(this.#entries().map(({ label, colour, dash, opacity }) => [label, colour, dash, opacity]));
    if (this.legend.dataset.key !== key) {
      this.legend.dataset.key = key;
      this.legend.replaceChildren(...this.#entries().map((entry) => el("span", { className: "entry" }, swatch(entry), entry.label, el("b"))));
    }
    this.#readLegend();
  }

  #readLegend() {
    const values = this.legend.querySelectorAll("b");
    const entries = this.#entries();
    const x = this.#spec.data[0];
    const index = this.#index !== null && this.#index < x.length ? this.#index : null;
    say(this.place, index === null ? "" : (this.#spec.place?.(index) ?? `${plainly(x[index])} ${this.#spec.x}`));
    values.forEach((value, place) => say(value, index === null ? (entries[place].rest ?? "") : entries[place].read(index)));
  }
}

/** A number without zeros at its end. */
function plainly(value) {
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 8 });
}

/** A short piece of line as a legend has it, or a filled square. */
export function swatch({ colour, dash = [], opacity = 1, fill = false, width = 2 }) {
  const mark = fill
    ? svg("rect", { x: 2, y: 1, width: 12, height: 8, fill: `var(${colour})`, "fill-opacity": opacity })
    : svg("line", { x1: 0, x2: 18, y1: 5, y2: 5, stroke: `var(${colour})`, "stroke-opacity": opacity, "stroke-width": width, "stroke-dasharray": dash.join(" ") });
  return svg("svg", { width: 18, height: 10, class: "swatch", "aria-hidden": "true" }, mark);
}

function lineOf({ colour, opacity = 1, dash, width = 1.5, paths, fill, dots = false }) {
  return {
    stroke: colour ? () => ink(colour, opacity) : undefined,
    fill: fill ? () => ink(fill.colour, fill.opacity) : undefined,
    width: colour ? width : 0,
    dash,
    paths,
    points: { show: dots, size: 7 },
    spanGaps: false,
  };
}

/** Room for the labels of the vertical axis. */
function widest(chart, values) {
  if (!values?.length) return 40;
  chart.ctx.save();
  chart.ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  const width = Math.max(...values.map((text) => chart.ctx.measureText(text ?? "").width)) / devicePixelRatio;
  chart.ctx.restore();
  return Math.ceil(width) + 10;
}
