// The estimates of the calibration that was opened.

import { el } from "../dom.js";
import { Panel } from "./panel.js";

export class CalibrationPanel extends Panel {
  constructor(page, { rows }) {
    super(page, { name: "calibration", title: "Estimates of the calibration", wide: true });
    const heads = ["What", "Estimate", "95 % interval"];
    const table = el(
      "table",
      { className: "estimates" },
      el("thead", {}, el("tr", {}, ...heads.map((head, place) => el("th", { scope: "col", className: place ? "number" : "" }, head)))),
      el("tbody", {}, ...rows.map(({ what, value, interval }) => el("tr", {}, el("th", { scope: "row" }, what), el("td", { className: "number" }, value ?? "–"), el("td", { className: "number" }, interval || "–")))),
    );
    this.body.append(el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Estimates" }, table));
  }
}
