// The sweep that was opened: a map of its points, a line where one field was varied, a table where more than two were or the points
// are no grid. A click loads a point.

import { Chart } from "../charts.js";
import { el, say } from "../dom.js";
import { fixed, number, placesOf, unit } from "../format.js";
import { ink, onTheme } from "../theme.js";
import { Panel } from "./panel.js";

const MOST_POINTS = 200; // in the table

export class SweepPanel extends Panel {
  #measure = 0;
  #chosen = null;
  #cells = [];
  #chart = null;

  constructor(page, sweep, load) {
    super(page, { name: "sweep", title: "Sweep", wide: true, about: "Choose a point to load it into the controls." });
    this.sweep = sweep;
    const [down, across = 1] = sweep.fields.map((field) => field.values.length);
    this.count = down * across;
    this.points = new Map(sweep.places.map(([row, column = 0], point) => [row * across + column, point]));
    this.#measure = Math.max(sweep.measures.findIndex(({ name }) => name === "pnl"), 0);
    this.load = load;
    const choose = el(
      "select",
      { data: { path: "measure" }, on: { change: () => this.#show(Number(choose.value)) } },
      ...sweep.measures.map((measure, place) => el("option", { value: place }, measure.heading.replaceAll("\n", " "))),
    );
    choose.value = this.#measure;
    this.tools.append(el("label", {}, "Measure ", choose));
    this.scale = el("p", { className: "scale" });
    if (sweep.fields.length === 1) this.#line();
    else if (sweep.fields.length === 2 && 2 * this.points.size > this.count) this.#map();
    else this.#table();
    onTheme(() => this.#show(this.#measure));
  }

  start() {
    this.#show(this.#measure);
  }

  #line() {
    this.#chart = new Chart(this.body, { label: "Sweep. Arrow keys move along the points, Enter loads one.", pick: (place) => this.#pick(place) });
  }

  #map() {
    const [down, across] = this.sweep.fields;
    const rows = down.values.map((value, row) => {
      const cells = across.values.map((_, column) => {
        const place = row * across.values.length + column;
        const button = el("button", { type: "button", data: { point: this.points.get(place) ?? "" }, tabIndex: place ? -1 : 0, on: { click: () => this.#pick(place), keydown: (event) => this.#onKey(event, row, column) } });
        this.#cells.push(button);
        return el("td", {}, button);
      });
      return el("tr", {}, el("th", { scope: "row" }, shown(value)), ...cells);
    });
    const heads = el("tr", {}, el("th", {}), ...across.values.map((value) => el("th", { scope: "col" }, shown(value))));
    const table = el("table", { className: "sweep" }, el("caption", {}, `Down: ${down.label}. Across: ${across.label}.`), el("thead", {}, heads), el("tbody", {}, ...rows));
    this.body.append(el("div", { className: "scroll" }, table), this.scale);
  }

  #onKey(event, row, column) {
    const [down, across] = this.sweep.fields.map((field) => field.values.length);
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    const [to, at] = [Math.min(Math.max(row + move[0], 0), down - 1), Math.min(Math.max(column + move[1], 0), across - 1)];
    this.#cells.forEach((cell) => (cell.tabIndex = -1));
    const cell = this.#cells[to * across + at];
    cell.tabIndex = 0;
    cell.focus();
  }

  #pick(place) {
    if (this.points.has(place)) this.#load(this.points.get(place));
  }

  #load(point) {
    this.#chosen = point;
    this.#show(this.#measure);
    this.load(point);
  }

  #show(number_) {
    this.#measure = number_;
    const measure = this.sweep.measures[number_];
    if (!measure) return;
    const heading = measure.heading.replaceAll("\n", " ");
    const title = `${heading}${unit(measure.unit) ? `, ${unit(measure.unit)}` : ""}`;
    this.title(`Sweep: ${heading}${this.sweep.maker ? ` of ${this.sweep.maker}` : ""}`);
    if (this.list) return this.#drawTable(title, measure.values);
    const values = Array.from({ length: this.count }, (_, cell) => measure.values[this.points.get(cell)] ?? null);
    return this.#chart ? this.#drawLine(title, values) : this.#drawMap(title, values);
  }

  #table() {
    this.list = el("table", { className: "points" });
    this.body.append(el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Points of the sweep" }, this.list));
  }

  /** The points, the one with the most first. */
  #drawTable(title, values) {
    const places = placesOf(values, 4);
    const order = [...values.keys()].sort((one, other) => (values[other] ?? -Infinity) - (values[one] ?? -Infinity));
    const { fields } = this.sweep;
    const rows = order.slice(0, MOST_POINTS).map((point) => {
      const at = fields.map((field, number_) => shown(field.values[this.sweep.places[point][number_]]));
      const button = el("button", { type: "button", className: "small", data: { point }, "aria-label": `Load ${at.join(", ")}`, on: { click: () => this.#load(point) } }, "Load");
      const cells = at.map((text) => el("td", { className: "number" }, text));
      return el("tr", { className: point === this.#chosen ? "focus" : "" }, ...cells, el("td", { className: "number" }, el("b", {}, fixed(values[point], places))), el("td", {}, button));
    });
    const heads = [...fields.map((field) => field.label), title].map((head) => el("th", { scope: "col", className: "number" }, head));
    this.list.replaceChildren(el("thead", {}, el("tr", {}, ...heads, el("th", {}))), el("tbody", {}, ...rows));
    this.remark(order.length > MOST_POINTS ? `The ${MOST_POINTS} highest of ${order.length} points.` : "");
  }

  #drawLine(title, values) {
    const [field] = this.sweep.fields;
    const numeric = field.values.every((value) => typeof value === "number");
    const at = numeric ? field.values : field.values.map((_, place) => place);
    this.#chart.draw({
      x: field.label,
      y: title,
      data: [at, values],
      series: [{ label: title, colour: "--maker-0", width: 2, dots: true }],
      legend: [],
      marks: this.#chosen === null ? [] : [{ at: at[this.sweep.places[this.#chosen][0]], colour: "--accent" }],
      place: (index) => `${field.label} ${shown(field.values[index])}: ${number(values[index])}`,
    });
  }

  #drawMap(title, values) {
    const places = placesOf(values);
    const known = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const stops = ["--heat-0", "--heat-1", "--heat-2"].map((name) => ink(name).match(/[\d.]+/g).slice(0, 3).map(Number));
    this.#cells.forEach((cell, place) => {
      const value = values[place] ?? null;
      cell.classList.toggle("chosen", this.#chosen !== null && this.points.get(place) === this.#chosen);
      cell.dataset.value = value;
      say(cell, fixed(value, places));
      if (value === null) return;
      const colour = mix(stops, high > low ? (value - low) / (high - low) : 0.5);
      cell.style.background = `rgb(${colour.join(",")})`;
      cell.style.color = colour[0] * 0.3 + colour[1] * 0.59 + colour[2] * 0.11 > 140 ? "#000" : "#fff";
    });
    say(this.scale, known.length ? `${title}: ${number(low, 3)} (dark) to ${number(high, 3)} (light)` : "");
  }
}

function mix(stops, share) {
  const place = share * (stops.length - 1);
  const low = Math.min(Math.floor(place), stops.length - 2);
  return stops[low].map((part, number_) => Math.round(part + (stops[low + 1][number_] - part) * (place - low)));
}

function shown(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
}
