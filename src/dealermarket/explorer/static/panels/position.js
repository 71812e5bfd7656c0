// Net positions of one replica, with the band of all for the maker in focus.

import { Chart } from "../charts.js";
import { interval, number } from "../format.js";
import { Panel, PINNED, shownMakers, someOf } from "./panel.js";

export class PositionPanel extends Panel {
  constructor(page) {
    super(page, { name: "position", title: "Net position" });
    this.chart = new Chart(this.body, { label: "Net position over time. Arrow keys read values, Enter shows the step.", sync: "time", pick: (index) => page.showStep(this.at[index], this.time) });
  }

  follow() {
    if (this.time) this.chart.mark(this.page.stepMark(this.time));
  }

  draw({ at, time, unit, replica, makers, left_out = 0 }) {
    this.at = at;
    this.time = time;
    const shown = shownMakers(makers, this.page.state.maker);
    const focus = makers.find((row) => row.maker === this.page.state.maker) ?? makers[0];
    const look = this.page.look(focus.maker);
    const data = [at, focus.high, focus.low, focus.median, ...shown.map((row) => row.path)];
    const series = [{}, {}, { ...look, dash: [1, 2], width: 1 }, ...shown.map((row) => ({ ...this.page.look(row.maker), width: row === focus ? 2 : 1.25 }))];
    const legend = shown.map((row) => ({ label: row.maker, ...this.page.look(row.maker), read: (index) => number(row.path[index]) }));
    legend.push({ label: `${focus.maker}: 90 % of replicas`, colour: look.colour, opacity: 0.25, fill: true, read: (index) => interval(focus.low[index], focus.high[index]) });
    legend.push({ label: "median", colour: look.colour, dash: [1, 2], width: 1, read: (index) => number(focus.median[index]) });
    if (focus.pinned) {
      data.push(focus.pinned.path);
      series.push({ colour: look.colour, ...PINNED });
      legend.push({ label: `${focus.maker}, pinned`, colour: look.colour, ...PINNED, read: (index) => number(focus.pinned.path[index]) });
    }
    this.title(`Net position in replica ${replica}`);
    this.chart.draw({ x: time.unit, y: unit, data, series, legend, bands: [{ series: [1, 2], colour: look.colour }], marks: this.page.stepMark(time) });
    this.remark(someOf(shown.length, makers.length + left_out, "makers"));
  }
}
