// The estimates of the calibration that was opened.

import { el } from "../dom.js";
import { Panel } from "./panel.js";

export class CalibrationPanel extends Panel {
  constructor(page, { rows }) {
    super(page, { name: "calibration", title: "Estimates of the calibration", wide: true });
    const table = el(
      "table",
      { className: "estimates" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Field"), el("th", { scope: "col", className: "number" }, "Value"), el("th", { scope: "col", className: "why" }, "Why"))),
      el("tbody", {}, ...rows.map(({ path, value, why }) => el("tr", {}, el("th", { scope: "row" }, el("code", {}, path)), el("td", { className: "number" }, String(value ?? "–")), el("td", { className: "why" }, why)))),
    );
    this.body.append(el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Estimates" }, table));
  }
}
