// What makers charge by size and tier, beside the exchange; who is cheapest at a size.

import { Chart } from "../charts.js";
import { el, say } from "../dom.js";
import { number } from "../format.js";
import { Panel, PINNED, shownMakers, someOf } from "./panel.js";

const MOST_TIERS = 12; // in the table

export class PricesPanel extends Panel {
  #data = null;
  #place = null;

  constructor(page) {
    super(page, { name: "prices", title: "Prices by size and tier", about: "Thick: tier 0, the best; fainter: the tiers behind it. Drag the size to see who wins a client that all makers hold in the same tier (in its last one who has fewer)." });
    this.chart = new Chart(this.body, { label: "Spread by size. Arrow keys move the size.", height: 230, drag: (place) => this.#move(place) });
    this.slider = el("input", { type: "range", min: 0, step: 1, "aria-label": "Size", on: { input: () => this.#move(Number(this.slider.value)) } });
    this.size = el("output");
    this.table = el("table", { className: "winners" });
    this.body.append(el("label", { className: "size" }, "Size ", this.slider, this.size), el("div", { className: "scroll short" }, this.table));
  }

  draw(data) {
    this.#data = data;
    const shown = shownMakers(data.makers, this.page.state.maker);
    const last = data.sizes.length - 1;
    this.#place = Math.min(this.#place ?? Math.round(last * 0.3), last);
    const lines = [];
    for (const row of shown) {
      const look = this.page.look(row.maker);
      for (const { tier, spread, pinned } of row.tiers) {
        const faint = Math.max(0.9 - 0.6 * (tier / Math.max(row.tiers.length - 1, 1)), 0.3);
        lines.push({ values: spread, look: { ...look, width: tier === 0 ? 2 : 1, opacity: tier === 0 ? 1 : faint } });
        if (pinned && row.maker === this.page.state.maker) lines.push({ values: pinned, look: { colour: look.colour, ...PINNED } });
      }
    }
    const exchange = { colour: "--ink", dash: [6, 3], width: 1.5 };
    this.spec = {
      x: data.size_unit,
      y: `spread, ${data.unit}`,
      data: [data.sizes, data.exchange, ...lines.map((line) => line.values)],
      series: [exchange, ...lines.map((line) => line.look)],
      legend: [
        { label: "exchange", ...exchange, read: (index) => number(data.exchange[index]) },
        ...shown.map((row) => ({ label: row.maker, ...this.page.look(row.maker), read: (index) => ends(row.tiers, index) })),
      ],
    };
    this.slider.max = last;
    this.#show();
    this.remark(someOf(shown.length, data.makers.length + (data.left_out ?? 0), "makers"));
  }

  #move(place) {
    this.#place = place;
    if (this.#data) this.#show();
  }

  #show() {
    const { sizes, size_unit, exchange } = this.#data;
    const place = this.#place;
    this.slider.value = place;
    const size = `${number(sizes[place])} ${size_unit}`;
    this.slider.setAttribute("aria-valuetext", size);
    say(this.size, size);
    this.chart.draw({ ...this.spec, marks: [{ at: sizes[place], colour: "--accent" }] });
    const shownNames = (names) => (names.length > 3 ? [...names.slice(0, 2), `and ${names.length - 2} more`] : names);
    const rows = rankings(this.#data.makers, place).slice(0, MOST_TIERS).map(({ tier, winners, spread, next, behind }) =>
      el(
        "tr",
        { data: { tier } },
        el("th", { scope: "row" }, String(tier)),
        el("td", { className: "names", title: winners.join(", ") }, this.page.dot(this.page.look(winners[0])), shownNames(winners).join(", "), winners.length > 1 ? " (a draw decides)" : ""),
        el("td", { className: "number" }, number(spread)),
        el("td", {}, next === null ? "–" : next),
        el("td", { className: "number" }, behind === null ? "–" : `+${number(behind, 3)}`),
      ),
    );
    const heads = ["Tier", "Cheapest", "Spread", "Next", "Behind by"];
    const numeric = [2, 4];
    this.table.replaceChildren(
      el("thead", {}, el("tr", {}, ...heads.map((head, number) => el("th", { scope: "col", className: numeric.includes(number) ? "number" : "" }, head)))),
      el("tbody", {}, ...rows, el("tr", {}, el("th", {}), el("td", { className: "muted" }, "the exchange"), el("td", { className: "number" }, number(exchange[place])), el("td", {}), el("td", {}))),
    );
  }
}

/** Who is cheapest at a size and who comes next, for a client in a tier; where a maker has fewer tiers, in its last one. Tiers of
 * which the price of some maker is not known are left out. */
export function rankings(makers, place) {
  const numbers = new Set(makers.flatMap((row) => row.tiers.map(({ tier }) => tier)));
  const prices = makers.map(({ maker, tiers }) => ({ maker, last: tiers.at(-1).tier, by: new Map(tiers.map(({ tier, spread }) => [tier, spread[place]])) }));
  const known = [...numbers].sort((one, other) => one - other).filter((tier) => prices.every(({ last, by }) => by.has(Math.min(tier, last))));
  return known.map((tier) => {
    const quotes = prices.map(({ maker, last, by }) => ({ maker, spread: by.get(Math.min(tier, last)) }));
    quotes.sort((one, other) => one.spread - other.spread);
    const spread = quotes[0].spread;
    const winners = quotes.filter((quote) => quote.spread === spread).map((quote) => quote.maker);
    const second = quotes[winners.length] ?? null;
    return { tier, winners, spread, next: second?.maker ?? null, behind: second ? second.spread - spread : null };
  });
}

function ends(tiers, index) {
  const [first, last] = [tiers[0].spread[index], tiers.at(-1).spread[index]];
  return tiers.length > 1 ? `${number(first)} to ${number(last)}` : number(first);
}
