// How P&L of the maker in focus is spread over the replicas.

import { Chart } from "../charts.js";
import { number } from "../format.js";
import { Panel } from "./panel.js";

export class PnlPanel extends Panel {
  constructor(page) {
    super(page, { name: "pnl", title: "P&L" });
    this.chart = new Chart(this.body, { label: "Histogram of P&L. Arrow keys read values." });
    this.bars = uPlot.paths.bars({ align: 1, size: [1, Infinity], gap: 1 });
    this.steps = uPlot.paths.stepped({ align: 1 });
  }

  draw({ maker, unit, edges, counts, pinned, mean, tail, pinned_mean }) {
    const look = this.page.look(maker);
    const data = [edges, [...counts, null]];
    const now = { colour: look.colour, width: 1, fill: { colour: look.colour, opacity: 0.35 }, paths: this.bars };
    const series = [now];
    const legend = [{ label: maker, colour: look.colour, opacity: 0.5, fill: true, read: (index) => (index < counts.length ? `${counts[index]} replicas` : "") }];
    if (pinned) {
      data.push([...pinned, pinned.at(-1)]);
      series.push({ colour: "--ink", width: 1.5, dash: [3, 3], paths: this.steps });
      legend.push({ label: "pinned", colour: "--ink", dash: [3, 3], read: (index) => (index < pinned.length ? `${pinned[index]} replicas` : "") });
    }
    const lines = [
      { label: "mean", at: mean, colour: "--ink" },
      { label: "5 % of replicas end below", at: tail, colour: "--alert", dash: [2, 2] },
      { label: "pinned mean", at: pinned_mean, colour: "--muted", dash: [6, 3] },
    ].filter(({ at }) => at !== null && at !== undefined);
    for (const { label, at, ...look } of lines) legend.push({ label, ...look, rest: number(at), read: () => number(at) });
    this.title(`P&L of ${maker} over the replicas`);
    this.chart.draw({
      x: unit,
      y: "replicas",
      data,
      series,
      legend,
      marks: lines,
      zero: true,
      place: (index) => (index < counts.length ? `${number(edges[index])} to ${number(edges[index + 1])}` : ""),
    });
    this.remark("The outermost bars hold what lies beyond.");
  }
}
