// What all panels have in common: a frame with a heading, and a note.

import { el, say } from "../dom.js";

/** Colours of makers, by their order; from the eleventh on with another dash. */
const COLOURS = 10;
const DASHES = [[], [8, 4], [2, 3], [8, 3, 2, 3]];
export const PINNED = { dash: [3, 3], opacity: 0.75, width: 1.25 };
export const MOST_LINES = 8;

/** A panel on the page. `page` gives it the state and takes changes; `draw(data)` is called with what the server answered. */
export class Panel {
  constructor(page, { name, title, about = "", wide = false }) {
    this.page = page;
    this.name = name;
    this.note = el("p", { className: "note" });
    this.tools = el("div", { className: "panel-tools" });
    this.heading = el("h2", { id: `panel-${name}` }, title);
    this.body = el("div", { className: "body" });
    this.element = el(
      "section",
      { className: wide ? "panel wide" : "panel", data: { panel: name }, "aria-labelledby": `panel-${name}` },
      el("header", {}, this.heading, this.tools),
      el("p", { className: "about" }, about),
      this.body,
      this.note,
    );
  }

  /** Called when the step of the step browser changes. */
  follow() {}

  /** A remark below the panel; hidden where there is none. */
  remark(text) {
    say(this.note, text);
    this.note.hidden = text === "";
  }

  title(text) {
    say(this.heading, text);
  }
}

/** Colour and dash of a maker. */
export function lookOf(place) {
  return { colour: `--maker-${place % COLOURS}`, dash: DASHES[Math.floor(place / COLOURS) % DASHES.length] };
}

/** A dot in the colour of a maker. */
export function dotOf({ colour }) {
  const dot = el("i", { className: "dot" });
  dot.style.background = `var(${colour})`;
  return dot;
}

/** The makers that a chart draws: the one in focus and the first others. */
export function shownMakers(rows, focus) {
  if (rows.length <= MOST_LINES) return rows;
  const first = rows.filter((row) => row.maker !== focus).slice(0, MOST_LINES - 1);
  return rows.filter((row) => row.maker === focus || first.includes(row));
}

/** Says how many of them are drawn, where it is not all. */
export function someOf(shown, all, what) {
  return shown < all ? `${shown} of ${all.toLocaleString("en")} ${what} are drawn.` : "";
}
