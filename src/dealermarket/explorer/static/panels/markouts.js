// What the mid did after trades with each client.

import { Chart } from "../charts.js";
import { el, say } from "../dom.js";
import { interval, number } from "../format.js";
import { Panel, someOf } from "./panel.js";

const MOST_DRAWN = 40;
const MOST_LISTED = 200;

export class MarkoutsPanel extends Panel {
  #chosen = null;
  #data = null;
  #key = "";
  #rows = [];

  constructor(page) {
    super(page, { name: "markouts", title: "Markouts by client", about: "What a unit is worth to its maker some steps after the trade, before the spread; all makers together. In percent: how often a client is informed." });
    this.list = el("tbody");
    this.head = el("th", { scope: "col", className: "number" });
    const plot = el("div");
    const table = el("table", { className: "clients" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Client"), this.head, el("th", { scope: "col", className: "number" }, "95 % interval"))), this.list);
    this.body.classList.add("beside");
    this.body.append(plot, el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Markouts of clients" }, table));
    this.chart = new Chart(plot, { label: "Markouts by client and horizon. Arrow keys read values." });
  }

  draw(data) {
    this.#data = data;
    const { clients, horizons, unit, replicas } = data;
    const order = clients.map((_, place) => place).sort((one, other) => last(clients[one]) - last(clients[other]));
    const half = MOST_DRAWN / 2;
    const drawn = order.length <= MOST_DRAWN ? order : [...order.slice(0, half), ...order.slice(-half)];
    const chosen = clients.find((each) => each.client === this.#chosen) ?? clients[order[0]];
    const lines = drawn.map((place) => ({ values: clients[place].values, look: lookOf(clients[place]) }));
    const now = { colour: "--ink", width: 2, dash: [] };
    const plain = lookOf({ informed: false });
    const informed = lookOf({ informed: true });
    if (chosen) {
      this.chart.draw({
        x: "steps after the trade",
        y: `${unit}, mean of ${replicas} replicas`,
        data: [horizons, chosen.high, chosen.low, ...lines.map((line) => line.values), chosen.values],
        series: [{}, {}, ...lines.map((line) => line.look), now],
        bands: [{ series: [1, 2], colour: "--ink" }],
        legend: [
          { label: chosen.client, ...now, read: (index) => `${number(chosen.values[index])} (${interval(chosen.low[index], chosen.high[index])})` },
          ...(clients.length > 1 ? [{ label: "other clients", ...plain, opacity: 1, read: () => "" }] : []),
          ...(clients.some((each) => each.informed) ? [{ label: "informed clients", ...informed, opacity: 1, read: () => "" }] : []),
        ],
        zero: true,
      });
    }
    say(this.head, `At ${horizons.at(-1)} steps`);
    this.#fill(order.slice(0, MOST_LISTED), chosen);
    const listed = clients.length > MOST_LISTED ? ` The list has the ${MOST_LISTED} lowest.` : "";
    this.remark(`${someOf(drawn.length, clients.length, "clients")}${listed}`);
  }

  #fill(order, chosen) {
    const { clients } = this.#data;
    while (this.#rows.length < order.length) this.#rows.push(this.#row());
    if (this.list.childElementCount !== order.length) this.list.replaceChildren(...this.#rows.slice(0, order.length).map((row) => row.element));
    order.forEach((place, number_) => {
      const client = clients[place];
      const row = this.#rows[number_];
      row.client = client.client;
      say(row.button, client.client);
      row.button.setAttribute("aria-pressed", client === chosen);
      row.element.classList.toggle("informed", client.informed);
      row.element.classList.toggle("focus", client === chosen);
      say(row.value, number(client.values.at(-1), 3));
      row.value.dataset.value = client.values.at(-1) ?? "";
      say(row.interval, client.low.at(-1) === null ? "–" : interval(client.low.at(-1), client.high.at(-1), 2));
    });
  }

  #row() {
    const row = { client: "", value: el("td", { className: "number" }), interval: el("td", { className: "number" }) };
    row.button = el("button", { type: "button", on: { click: () => this.#choose(row.client) } });
    row.element = el("tr", {}, el("th", { scope: "row" }, row.button), row.value, row.interval);
    return row;
  }

  #choose(client) {
    this.#chosen = client;
    this.draw(this.#data);
  }
}

function last(client) {
  return client.values.at(-1) ?? 0;
}

function lookOf({ informed }) {
  return informed ? { colour: "--alert", width: 1.25, dash: [6, 3], opacity: 0.8 } : { colour: "--maker-0", width: 1, dash: [], opacity: 0.55 };
}
