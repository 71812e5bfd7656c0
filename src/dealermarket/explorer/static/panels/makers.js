// Share and rewards of each maker: a table, and intervals of the statistic that is chosen.

import { el, say } from "../dom.js";
import { fixed, interval, placesOf, signed, unit } from "../format.js";
import { drawIntervals } from "./intervals.js";
import { Panel } from "./panel.js";

export class MakersPanel extends Panel {
  #key = "";
  #cells = new Map();
  #chosen = 0;
  #data = null;

  constructor(page) {
    super(page, { name: "makers", title: "Makers", wide: true, about: "Means over the replicas with 95 % intervals. Choose a heading to draw its intervals, a maker to show it in the other panels." });
    this.table = el("table", { className: "makers" });
    this.chart = el("div", { className: "intervals" });
    this.body.append(el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Table of makers" }, this.table), this.chart);
    new ResizeObserver(() => this.#drawChart()).observe(this.chart);
  }

  draw(data) {
    this.#data = data;
    const pinned = data.rows.some((row) => row.difference);
    const key = JSON.stringify([data.statistics, data.rows.map((row) => row.maker), pinned]);
    if (key !== this.#key) this.#build(data, key);
    const places = data.statistics.map((_, place) => placesOf(data.rows.map((row) => row.now[place].value)));
    for (const row of data.rows) {
      const focus = row.maker === this.page.state.maker;
      const head = this.#cells.get(row.maker);
      head.row.classList.toggle("focus", focus);
      head.button.setAttribute("aria-pressed", focus);
      data.statistics.forEach(({ name }, place) => fill(this.#cells.get(`${row.maker}\n${name}`), row, place, places[place], pinned));
    }
    this.#drawChart();
  }

  #build(data, key) {
    this.#key = key;
    this.#cells.clear();
    const chosen = data.statistics[this.#chosen] ? this.#chosen : 0;
    this.#chosen = chosen;
    const heads = data.statistics.map((statistic, place) =>
      el(
        "th",
        { scope: "col", title: statistic.meaning },
        el(
          "button",
          { type: "button", "aria-pressed": place === chosen, data: { choose: statistic.name }, on: { click: () => this.#choose(place) } },
          statistic.heading.replaceAll("\n", " "),
          el("small", {}, unit(statistic.unit)),
        ),
      ),
    );
    const rows = data.rows.map((row) => {
      const look = this.page.look(row.maker);
      const button = el("button", { type: "button", className: "maker", on: { click: () => this.page.change({ maker: row.maker }) } }, this.page.dot(look), row.maker);
      const line = el("tr", {}, el("th", { scope: "row" }, button));
      this.#cells.set(row.maker, { row: line, button });
      for (const { name } of data.statistics) {
        const parts = { value: el("b"), interval: el("small"), difference: el("span", { className: "difference" }) };
        const cell = el("td", { data: { maker: row.maker, statistic: name } }, parts.value, parts.interval, parts.difference);
        this.#cells.set(`${row.maker}\n${name}`, { cell, ...parts });
        line.append(cell);
      }
      return line;
    });
    this.table.replaceChildren(el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Maker"), ...heads)), el("tbody", {}, ...rows));
  }

  #choose(place) {
    this.#chosen = place;
    this.table.querySelectorAll("thead button").forEach((button, number) => button.setAttribute("aria-pressed", number === place));
    this.#drawChart();
  }

  #drawChart() {
    if (!this.#data?.statistics.length) return;
    const statistic = this.#data.statistics[this.#chosen] ?? this.#data.statistics[0];
    const rows = this.#data.rows.map((row) => ({
      maker: row.maker,
      look: this.page.look(row.maker),
      now: row.now[this.#chosen],
      pinned: row.pinned?.[this.#chosen] ?? null,
      difference: row.difference?.[this.#chosen] ?? null,
    }));
    drawIntervals(this.chart, statistic, rows);
    const pinned = rows.some((row) => row.difference);
    this.remark(pinned ? "Bold differences: the 95 % interval of the difference to the pinned market, paired replica by replica, does not hold 0." : "");
  }
}

function fill(parts, row, place, places, pinned) {
  const { cell } = parts;
  const now = row.now[place];
  const difference = row.difference?.[place] ?? null;
  say(parts.value, fixed(now.value, places));
  say(parts.interval, now.low === null ? "" : `${fixed(now.low, places)} to ${fixed(now.high, places)}`);
  set(cell, "value", now.value);
  set(cell, "low", now.low);
  set(cell, "high", now.high);
  parts.difference.hidden = !pinned;
  if (difference) {
    say(parts.difference, signed(difference.value, 2));
    parts.difference.title = `Difference to the pinned market: ${interval(difference.low, difference.high)}`;
  } else {
    say(parts.difference, pinned ? "–" : "");
  }
  parts.difference.classList.toggle("sure", Boolean(difference?.sure));
  set(cell, "difference", difference?.value ?? null);
  set(cell, "differenceLow", difference?.low ?? null);
  set(cell, "differenceHigh", difference?.high ?? null);
  set(cell, "sure", difference ? Boolean(difference.sure) : null);
}

function set(cell, name, value) {
  if (value === null || value === undefined) delete cell.dataset[name];
  else cell.dataset[name] = String(value);
}
