// What the maker in focus has earned so far, by component.

import { Chart } from "../charts.js";
import { count, number } from "../format.js";
import { Panel, PINNED } from "./panel.js";

const LOOKS = [
  { colour: "--part-0", dash: [] },
  { colour: "--part-1", dash: [8, 4] },
  { colour: "--part-2", dash: [2, 3] },
  { colour: "--part-3", dash: [8, 3, 2, 3] },
];

export class RewardsPanel extends Panel {
  constructor(page) {
    super(page, { name: "rewards", title: "Cumulative reward" });
    this.chart = new Chart(this.body, { label: "Cumulative reward by component over time. Arrow keys read values.", sync: "time", pick: (index) => page.showStep(this.at[index], this.time, 1) });
  }

  follow() {
    if (this.time) this.chart.mark(this.page.stepMark(this.time, 1));
  }

  draw({ at, time, unit, replicas, makers }) {
    this.at = at;
    this.time = time;
    const row = makers.find(({ maker }) => maker === this.page.state.maker) ?? makers[0];
    const lines = row.parts.map((part, place) => ({ label: part.label, values: part.values, look: { ...LOOKS[place % LOOKS.length], width: 1.5 } }));
    lines.push({ label: "total", values: row.total, look: { colour: "--ink", dash: [], width: 2 } });
    if (row.pinned_total) lines.push({ label: "total, pinned", values: row.pinned_total, look: { colour: "--ink", ...PINNED } });
    this.title(`Cumulative reward of ${row.maker}`);
    this.chart.draw({
      x: time.unit,
      y: `${unit}, mean of ${count(replicas)} replicas`,
      data: [at, ...lines.map((line) => line.values)],
      series: lines.map(({ label, look }) => ({ label, ...look })),
      legend: lines.map(({ label, values, look }) => ({ label, ...look, read: (index) => number(values[index]) })),
      zero: true,
      marks: this.page.stepMark(time, 1),
    });
    this.remark("");
  }
}
