// The sweep that was opened: a map of its points, or a line where one field was varied. A click loads a point.

import { Chart } from "../charts.js";
import { el, say } from "../dom.js";
import { fixed, number, placesOf, unit } from "../format.js";
import { ink, onTheme } from "../theme.js";
import { Panel } from "./panel.js";

export class SweepPanel extends Panel {
  #measure = 0;
  #chosen = null;
  #cells = [];
  #chart = null;

  constructor(page, sweep, load) {
    super(page, { name: "sweep", title: "Sweep", wide: true, about: "Choose a point to load it into the controls." });
    this.sweep = sweep;
    const [down, across] = sweep.fields.map((field) => field.values.length);
    this.points = new Map(sweep.places.map(([row, column = 0], point) => [row * (across ?? 1) + column, point]));
    this.count = down * (across ?? 1);
    this.load = load;
    const choose = el(
      "select",
      { data: { path: "measure" }, on: { change: () => this.#show(Number(choose.value)) } },
      ...sweep.measures.map((measure, place) => el("option", { value: place }, measure.heading.replaceAll("\n", " "))),
    );
    this.tools.append(el("label", {}, "Measure ", choose));
    this.scale = el("p", { className: "scale" });
    if (sweep.fields.length === 1) this.#line();
    else this.#map();
    onTheme(() => this.#show(this.#measure));
  }

  start() {
    this.#show(0);
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
    if (!this.points.has(place)) return;
    this.#chosen = place;
    this.#show(this.#measure);
    this.load(this.points.get(place));
  }

  #show(number_) {
    this.#measure = number_;
    const measure = this.sweep.measures[number_];
    if (!measure) return;
    const heading = measure.heading.replaceAll("\n", " ");
    const title = `${heading}${unit(measure.unit) ? `, ${unit(measure.unit)}` : ""}`;
    const values = Array.from({ length: this.count }, (_, cell) => measure.values[this.points.get(cell)] ?? null);
    this.title(`Sweep: ${heading}${this.sweep.maker ? ` of ${this.sweep.maker}` : ""}`);
    if (this.#chart) this.#drawLine(title, values);
    else this.#drawMap(title, values);
  }

  #drawLine(title, values) {
    const [field] = this.sweep.fields;
    const numeric = field.values.every((value) => typeof value === "number");
    const at = numeric ? field.values : field.values.map((_, place) => place);
    this.#chart.draw({
      x: field.label,
      y: title,
      data: [at, values],
      series: [{ label: title, colour: "--maker-0", width: 2 }],
      legend: [{ label: title, colour: "--maker-0", read: (index) => number(values[index]) }],
      marks: this.#chosen === null ? [] : [{ at: at[this.#chosen], colour: "--accent" }],
      place: (index) => `${field.label} ${shown(field.values[index])}`,
    });
  }

  #drawMap(title, values) {
    const places = placesOf(values);
    const known = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const stops = ["--heat-0", "--heat-1", "--heat-2"].map((name) => ink(name).match(/[\d.]+/g).slice(0, 3).map(Number));
    this.#cells.forEach((cell, place) => {
      const value = values[place] ?? null;
      cell.classList.toggle("chosen", place === this.#chosen);
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
