// One control of the left side: a field with its value, unit, slider, reset and explanation.

import { el, later, say } from "./dom.js";
import { brief, plain } from "./format.js";
import { explain } from "./tip.js";

const PLACES = 400; // of a slider whose places are even in the logarithm

/** Makes the row of a control. `set(path, value)` takes what a person sets, `reset(path)` a reset, `changed(path)` says
 * whether it differs from what was opened; `show(control)` shows another value, `complain(lines)` errors beside it. */
export class ControlRow {
  constructor(control, { set, reset, changed }) {
    this.control = control;
    this.ends = { low: control.low, high: control.high };
    this.set = set;
    this.changed = changed;
    const id = `c-${control.path}`;
    this.label = el("label", { className: "name", for: id }, control.label, shownUnit(control) ? el("small", {}, control.unit) : null);
    this.input = this.#input(id);
    this.input.id = id;
    this.input.dataset.path = control.path;
    this.reset = el("button", { type: "button", className: "reset", data: { reset: control.path }, on: { click: () => reset(control.path) } }, "↺");
    this.errors = el("p", { className: "wrong", id: `${id}-wrong`, hidden: true });
    this.input.setAttribute("aria-describedby", "tip");
    this.slider = this.#slider();
    this.element = el("div", { className: `control ${control.kind}`, data: { control: control.path } }, this.label, this.slider, this.input, this.reset, this.errors);
    explain(this.element, () => this.#explanation());
    this.show(control);
  }

  /** A number field shows all digits while it has the focus. */
  show(control) {
    this.control = control;
    const { value, was, path } = control;
    const changed = this.changed(path);
    this.element.classList.toggle("changed", changed);
    this.reset.hidden = !changed;
    this.reset.setAttribute("aria-label", `Reset ${control.label}${was === null || was === undefined ? "" : ` to ${plain(was)}`}`);
    if (control.kind === "switch") this.input.checked = value === true;
    else if (control.kind === "fixed") say(this.input, plain(value) || "none");
    else if (document.activeElement !== this.input) this.input.value = brief(value);
    else if (this.typed !== value) this.input.value = plain(value);
    if (this.slider && document.activeElement !== this.slider) this.#place(value);
    else if (this.slider && value !== this.#valueAt(Number(this.slider.value))) this.#place(value);
    this.slider?.setAttribute("aria-valuetext", `${plain(value)} ${control.unit}`);
    this.typed = value;
  }

  complain(lines) {
    this.errors.hidden = lines.length === 0;
    this.element.classList.toggle("wrongly", lines.length > 0);
    say(this.errors, lines.join("\n"));
    if (lines.length) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    this.input.setAttribute("aria-describedby", lines.length ? this.errors.id : "tip");
  }

  #input(id) {
    const { kind, choices = [] } = this.control;
    if (kind === "switch") return el("input", { type: "checkbox", on: { change: (event) => this.#take(event.target.checked) } });
    if (kind === "fixed") return el("output", { for: id });
    if (kind === "choice") {
      const options = choices.map(({ name, label }) => el("option", { value: name }, label ?? name.replaceAll("_", " ")));
      return el("select", { on: { change: (event) => this.#take(event.target.value) } }, ...options);
    }
    const numeric = kind === "number" || kind === "whole";
    const input = el("input", { type: "text", inputMode: numeric ? (kind === "whole" ? "numeric" : "decimal") : "text", autocomplete: "off", spellcheck: false });
    const take = () => this.#type(input.value, numeric);
    const soon = later(350, take);
    input.addEventListener("input", soon);
    input.addEventListener("change", take);
    input.addEventListener("focus", () => this.element.classList.contains("wrongly") || (input.value = plain(this.control.value)));
    input.addEventListener("blur", () => this.element.classList.contains("wrongly") || (input.value = brief(this.control.value)));
    if (numeric) input.addEventListener("keydown", (event) => this.#nudge(event));
    return input;
  }

  #slider() {
    const { kind, low, high, log, step, label } = this.control;
    if (!["number", "whole"].includes(kind) || low === null || high === null || low === undefined || high === undefined || !(high > low)) return null;
    const ends = log ? { min: 0, max: PLACES, step: 1 } : { min: low, max: high, step: step ?? "any" };
    const slider = el("input", { type: "range", ...ends, "aria-label": label, "aria-describedby": "tip", data: { slider: this.control.path } });
    slider.addEventListener("input", () => {
      this.#take(this.#valueAt(Number(slider.value)));
    });
    slider.addEventListener("change", () => this.#place(this.control.value));
    return slider;
  }

  /** Puts the slider to a value. Its ends stay, unless the value lies beyond them: they do not move under a hand. */
  #place(value) {
    if (value < this.ends.low || value > this.ends.high) {
      this.ends = { low: Math.min(this.control.low, value), high: Math.max(this.control.high, value) };
      if (!this.control.log) Object.assign(this.slider, { min: this.ends.low, max: this.ends.high });
    }
    const { low, high } = this.ends;
    this.slider.value = this.control.log ? (PLACES * Math.log(Math.max(value, low) / low)) / Math.log(high / low) : value;
  }

  #valueAt(place) {
    const { log, kind } = this.control;
    const { low, high } = this.ends;
    if (kind === "whole" && !log) return Math.round(place);
    const value = log ? low * (high / low) ** (place / PLACES) : place;
    const kept = Number(value.toPrecision(log ? 3 : 10));
    return kind === "whole" ? Math.round(kept) : kept;
  }

  #type(text, numeric) {
    const trimmed = text.trim();
    if (!numeric) return this.#take(trimmed);
    const value = Number(trimmed.replace("−", "-"));
    if (trimmed === "" || !Number.isFinite(value)) return this.complain([`must be a number, got ${trimmed === "" ? "nothing" : trimmed}`]);
    if (this.control.kind === "whole" && !Number.isInteger(value)) return this.complain([`must be a whole number, got ${trimmed}`]);
    return this.#take(value);
  }

  /** Arrow keys in a number field move it by the grain of its slider. */
  #nudge(event) {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const { value, step, kind, log, least, most } = this.control;
    const grain = step ?? (log && value ? 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1) : kind === "whole" ? 1 : 0.01);
    let next = Number((value + direction * grain).toPrecision(10));
    if (least !== null && least !== undefined) next = Math.max(next, least);
    if (most !== null && most !== undefined) next = Math.min(next, most);
    this.input.value = plain(next);
    this.#take(next);
  }

  #take(value) {
    if (value === this.control.value) return this.complain([]);
    return this.set(this.control.path, value);
  }

  #explanation() {
    const { path, meaning, unit, least, most, was, choices = [], value } = this.control;
    const choice = choices.find(({ name }) => name === value);
    const bounds = [least === null || least === undefined ? null : `at least ${plain(least)}`, most === null || most === undefined ? null : `at most ${plain(most)}`].filter(Boolean);
    const facts = [unit && unit !== "1" ? `unit: ${unit}` : null, bounds.length ? bounds.join(", ") : null, was === null || was === undefined ? null : `as opened: ${plain(was)}`].filter(Boolean);
    return [
      el("code", {}, path),
      meaning ? el("p", {}, meaning) : null,
      choice?.meaning ? el("p", {}, el("b", {}, `${choice.label ?? choice.name}: `), choice.meaning) : null,
      facts.length ? el("p", { className: "muted" }, facts.join("; ")) : null,
    ].filter(Boolean);
  }
}

/** Whether the unit says more than the label: not of steps in steps, nor of numbers without one. */
function shownUnit({ label, unit }) {
  return unit && unit !== "1" && !label.endsWith(unit);
}
