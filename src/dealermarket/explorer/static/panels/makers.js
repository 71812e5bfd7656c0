// Share and rewards of each maker: a table, and intervals of the statistic that is chosen.

import { el, say } from "../dom.js";
import { fixed, interval, placesOf, scaled, signed, unit } from "../format.js";
import { explain } from "../tip.js";
import { drawIntervals } from "./intervals.js";
import { Panel } from "./panel.js";

// The statistics that come first, where there are many.
const FIRST = ["market_share", "pnl", "total_reward", "spread_revenue", "position_revenue", "hedging_cost", "risk_cost", "hit_ratio"];

export class MakersPanel extends Panel {
  #key = "";
  #cells = new Map();
  #chosen = "";
  #data = null;

  constructor(page) {
    super(page, { name: "makers", title: "Makers", wide: true, about: "Means over the replicas with 95 % intervals. Choose a heading to draw its intervals, a maker to show it in the other panels." });
    this.table = el("table", { className: "makers" });
    this.chart = el("div", { className: "intervals" });
    this.choice = el("select", { data: { path: "statistic" }, on: { change: () => this.#choose(this.choice.value) } });
    this.tools.append(el("label", {}, "Statistic ", this.choice));
    this.body.append(el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Table of makers" }, this.table), this.chart);
    new ResizeObserver(([entry]) => {
      this.width = entry.contentRect.width;
      this.#drawChart();
    }).observe(this.chart);
  }

  draw(answered) {
    const data = inOrder(answered);
    this.#data = data;
    const pinned = data.rows.some((row) => row.difference);
    const key = JSON.stringify([data.statistics, data.rows.map((row) => row.maker), pinned]);
    if (key !== this.#key) this.#build(data, key);
    const places = data.statistics.map((_, place) => placesOf(data.rows.map((row) => row.now[place].value * (data.statistics[place].scale ?? 1))));
    for (const row of data.rows) {
      const focus = row.maker === this.page.state.maker;
      const head = this.#cells.get(row.maker);
      head.row.classList.toggle("focus", focus);
      head.button.setAttribute("aria-pressed", focus);
      data.statistics.forEach(({ name, scale = 1 }, place) => fill(this.#cells.get(`${row.maker}\n${name}`), { row, place, scale, pinned, places: places[place] }));
    }
    this.#drawChart();
  }

  #build(data, key) {
    this.#key = key;
    this.#cells.clear();
    if (!data.statistics.some(({ name }) => name === this.#chosen)) this.#chosen = data.statistics[0]?.name;
    this.choice.replaceChildren(...data.statistics.map(({ name, heading }) => el("option", { value: name }, heading.replaceAll("\n", " "))));
    this.choice.value = this.#chosen;
    const heads = data.statistics.map((statistic) => {
      const head = el(
        "th",
        { scope: "col" },
        el(
          "button",
          { type: "button", className: statistic.heading.length < 14 ? "short" : "", "aria-pressed": statistic.name === this.#chosen, data: { choose: statistic.name }, on: { click: () => this.#choose(statistic.name) } },
          statistic.heading.replaceAll("\n", " "),
          el("small", {}, unit(statistic.unit)),
        ),
      );
      explain(head, () => [el("p", {}, statistic.meaning)]);
      return head;
    });
    const rows = data.rows.map((row) => {
      const look = this.page.look(row.maker);
      const button = el("button", { type: "button", className: "maker", on: { click: () => this.page.change({ maker: row.maker }) }, title: row.maker }, this.page.dot(look), row.maker);
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

  #choose(name) {
    this.#chosen = name;
    this.choice.value = name;
    this.table.querySelectorAll("thead button").forEach((button) => button.setAttribute("aria-pressed", button.dataset.choose === name));
    this.#drawChart();
  }

  #drawChart() {
    if (!this.#data?.statistics.length) return;
    const place = this.#data.statistics.findIndex(({ name }) => name === this.#chosen);
    const statistic = this.#data.statistics[place];
    const rows = this.#data.rows.map((row) => ({
      maker: row.maker,
      look: this.page.look(row.maker),
      now: scaled(row.now[place], statistic.scale),
      pinned: scaled(row.pinned?.[place], statistic.scale),
      difference: scaled(row.difference?.[place], statistic.scale),
    }));
    drawIntervals(this.chart, this.width ?? 0, statistic, rows);
    const pinned = rows.some((row) => row.difference);
    this.remark(pinned ? "Δ: the difference to the pinned market, paired replica by replica; bold where its 95 % interval does not hold 0." : "");
  }
}

/** The statistics that are looked at first, then the others. */
function inOrder({ statistics, rows }) {
  const first = FIRST.map((name) => statistics.findIndex((each) => each.name === name)).filter((place) => place >= 0);
  const order = [...first, ...statistics.map((_, place) => place).filter((place) => !first.includes(place))];
  const sorted = (values) => values && order.map((place) => values[place]);
  return { statistics: sorted(statistics), rows: rows.map((row) => ({ ...row, now: sorted(row.now), pinned: sorted(row.pinned), difference: sorted(row.difference) })) };
}

function fill(parts, { row, place, scale, places, pinned }) {
  const { cell } = parts;
  const now = row.now[place];
  const shown = scaled(now, scale);
  const difference = row.difference?.[place] ?? null;
  const apart = scaled(difference, scale);
  say(parts.value, fixed(shown.value, places));
  say(parts.interval, now.low === null ? "" : `${fixed(shown.low, places)} to ${fixed(shown.high, places)}`);
  set(cell, "value", now.value);
  set(cell, "low", now.low);
  set(cell, "high", now.high);
  parts.difference.hidden = !pinned;
  if (difference) {
    say(parts.difference, signed(apart.value, 2));
    parts.difference.title = `Difference to the pinned market: ${interval(apart.low, apart.high)}`;
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
