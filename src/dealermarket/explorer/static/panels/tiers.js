// The tiers in which the maker in focus holds everybody, step by step, as a map of colours.

import { el, say } from "../dom.js";
import { number, shortened } from "../format.js";
import { ink, onTheme } from "../theme.js";
import { Panel, someOf } from "./panel.js";
import { roundPlaces } from "./intervals.js";

const MOST = 300;
const MOST_LETTERS = 12; // of a name beside the map

export class TiersPanel extends Panel {
  #data = null;
  #place = null;
  #key = "";

  constructor(page) {
    super(page, { name: "tiers", title: "Tiers of clients" });
    this.names = el("div", { className: "names", "aria-hidden": "true" });
    this.canvas = el("canvas", { tabIndex: 0, role: "img", "aria-label": "Tiers of clients over time. Arrow keys move, Enter shows the step." });
    this.step = el("div", { className: "step-line" });
    this.cell = el("div", { className: "cell", hidden: true });
    this.axis = el("div", { className: "map-axis" });
    this.legend = el("div", { className: "legend" });
    this.place = el("b", { className: "place" });
    const map = el("div", { className: "map" }, this.canvas, this.step, this.cell);
    this.body.append(el("p", { className: "y-label" }, el("span", {}, "client"), this.place), el("div", { className: "scroll map-frame" }, this.names, map), el("div", { className: "map-foot" }, el("span"), this.axis), this.legend);
    this.canvas.addEventListener("pointermove", (event) => this.#hover(event));
    this.canvas.addEventListener("pointerleave", () => this.#go(null));
    this.canvas.addEventListener("click", () => this.#show());
    this.canvas.addEventListener("keydown", (event) => this.#onKey(event));
    onTheme(() => this.#data && this.draw(this.#data));
  }

  follow(step) {
    if (!this.#data) return;
    const { at, time } = this.#data;
    const column = at.findLastIndex((each) => each <= (step + 0.5) * time.per_step);
    this.step.style.left = `${((Math.max(column, 0) + 0.5) / at.length) * 100}%`;
  }

  draw(data) {
    this.#data = data;
    const clients = data.clients.slice(0, MOST);
    const [steps, rows] = [data.at.length, clients.length];
    this.title(`Tiers given by ${data.maker} in replica ${data.replica}`);
    if (this.names.dataset.key !== clients.join()) {
      this.names.dataset.key = clients.join();
      this.names.replaceChildren(...clients.map((name) => el("span", { title: name }, shortened(name, MOST_LETTERS))));
    }
    this.body.style.setProperty("--rows", rows);
    paint(this.canvas, data, steps, rows);
    this.follow(this.page.state.step);
    this.#drawAxis(data, steps);
    this.#drawLegend(data);
    this.remark(someOf(rows, data.clients.length + (data.left_out ?? 0), "clients"));
  }

  #drawAxis({ at, time }, steps) {
    const key = `${at[0]} ${at.at(-1)} ${steps} ${time.unit}`;
    if (this.#key === key) return;
    this.#key = key;
    const [from, to] = [at[0], at.at(-1)];
    const places = to > from ? roundPlaces(from, to, 5) : [from];
    const marks = places.map((place) => {
      const mark = el("span", {}, number(place, 4).replace(/\.0+$/, ""));
      mark.style.left = `${(((place - from) / (to - from || 1)) * (steps - 1) + 0.5) / steps * 100}%`;
      return mark;
    });
    this.axis.replaceChildren(...marks, el("em", {}, time.unit));
  }

  #drawLegend({ count, at, time, clients, tiers }) {
    const read = this.#place ? `${clients[this.#place[1]]}, ${number(at[this.#place[0]])} ${time.unit}: tier ${tiers[this.#place[1]][this.#place[0]] ?? "–"}` : "";
    if (this.legend.dataset.count !== String(count) || this.legend.dataset.theme !== ink("--tier-0")) {
      this.legend.dataset.count = count;
      this.legend.dataset.theme = ink("--tier-0");
      const tiersShown = Array.from({ length: Math.min(count, 12) }, (_, tier) => {
        const box = el("i", { className: "box" });
        box.style.background = shade(tier, count).css;
        return el("span", { className: "entry" }, box, tier === 0 ? "0, the best" : String(tier));
      });
      this.legend.replaceChildren(el("span", { className: "entry" }, "tier"), ...tiersShown);
    }
    say(this.place, read);
  }

  #hover(event) {
    if (!this.#data) return;
    const box = this.canvas.getBoundingClientRect();
    const across = Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width);
    const down = Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height);
    this.#go([across, down]);
  }

  #onKey(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) {
      const [across, down] = this.#place ?? [0, 0];
      this.#go(this.#place ? [across + moves[event.key][0], down + moves[event.key][1]] : [across, down]);
    } else if (event.key === "Enter" && this.#place) {
      this.#show();
    } else return;
    event.preventDefault();
  }

  #show() {
    if (this.#place) this.page.showStep(this.#data.at[this.#place[0]], this.#data.time);
  }

  #go(place) {
    const { width, height } = this.canvas;
    this.#place = place && [Math.min(Math.max(place[0], 0), width - 1), Math.min(Math.max(place[1], 0), height - 1)];
    this.cell.hidden = !this.#place;
    if (this.#place) {
      this.cell.style.left = `${(this.#place[0] / width) * 100}%`;
      this.cell.style.top = `${(this.#place[1] / height) * 100}%`;
      this.cell.style.width = `${100 / width}%`;
      this.cell.style.height = `${100 / height}%`;
    }
    if (this.#data) this.#drawLegend(this.#data);
  }
}

/** One pixel a cell; the style sheet stretches it. */
function paint(canvas, { tiers, count }, steps, rows) {
  if (canvas.width !== steps || canvas.height !== rows) Object.assign(canvas, { width: Math.max(steps, 1), height: Math.max(rows, 1) });
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const colours = new Map();
  const words = new Uint32Array(image.data.buffer);
  for (let row = 0; row < rows; row += 1) {
    for (let step = 0; step < steps; step += 1) {
      const tier = tiers[row][step];
      if (tier === null || tier === undefined) continue;
      if (!colours.has(tier)) colours.set(tier, shade(tier, count).word);
      words[row * steps + step] = colours.get(tier);
    }
  }
  context.putImageData(image, 0, 0);
}

/** Colours from the best tier to the last one, told apart by lightness alone, too. */
function shade(tier, count) {
  const stops = ["--tier-0", "--tier-1", "--tier-2"].map((name) => ink(name).match(/[\d.]+/g).slice(0, 3).map(Number));
  const place = (count > 1 ? tier / (count - 1) : 0) * (stops.length - 1);
  const low = Math.min(Math.floor(place), stops.length - 2);
  const [red, green, blue] = stops[low].map((part, number) => Math.round(part + (stops[low + 1][number] - part) * (place - low)));
  return { css: `rgb(${red}, ${green}, ${blue})`, word: (255 << 24) | (blue << 16) | (green << 8) | red };
}
