// The left side: all controls in groups, what differs from the opened scenario, adding and removing of makers.

import { ControlRow } from "./control.js";
import { el, later, say } from "./dom.js";
import { count } from "./format.js";
import { dotOf, lookOf } from "./panels/panel.js";

const MOST_GROUPS = 40; // shown of a kind; the filter finds the others
const OPEN_MAKERS = 3;

/** Builds the controls of a form into `host`. `on` has `set(path, value)`, `reset(path)`, `resetAll()`, `add(maker)`,
 * `remove(maker)`, `putBack(maker)`, and `changed(path)` says what differs from the opened scenario. */
export class Controls {
  #rows = new Map();
  #groups = new Map();
  #shape = new Map();
  #errors = new Map();
  #form = [];

  constructor(host, on) {
    this.on = on;
    this.filter = el("input", { type: "search", placeholder: "Find a field", "aria-label": "Find a field", autocomplete: "off" });
    this.filter.addEventListener("input", later(80, () => this.#find()));
    this.reset = el("button", { type: "button", id: "reset-all", on: { click: () => on.resetAll() } }, "Reset all");
    this.changes = el("span", { className: "muted" });
    this.removed = el("div", { className: "removed" });
    this.groups = el("div", { className: "groups" });
    this.more = el("p", { className: "muted more", hidden: true });
    host.replaceChildren(el("div", { className: "controls-head" }, this.filter, this.changes, this.reset), this.removed, this.groups, this.more);
  }

  get makers() {
    return this.#form.filter((group) => group.maker).map((group) => group.maker);
  }

  /** Shows a form: keeps what stays, so that neither focus nor a slider that is being dragged is lost. */
  show(form) {
    this.#form = form;
    const focus = document.activeElement?.dataset?.path;
    const wanted = this.#listed(form);
    for (const [name, group] of this.#groups) {
      if (wanted.some((each) => each.name === name)) continue;
      group.remove();
      this.#groups.delete(name);
      this.#shape.delete(name);
    }
    let place = 0;
    for (const group of wanted) {
      const shape = JSON.stringify([group.title, group.removable, group.controls.map(shapeOf)]);
      if (this.#shape.get(group.name) !== shape) {
        const old = this.#groups.get(group.name);
        const open = old ? old.open : this.#opens(group, form);
        const made = this.#group(group, open);
        if (old) old.replaceWith(made);
        this.#groups.set(group.name, made);
        this.#shape.set(group.name, shape);
      } else {
        group.controls.forEach((control) => this.#rows.get(control.path)?.show(control));
      }
      const element = this.#groups.get(group.name);
      if (this.groups.children[place] !== element) this.groups.insertBefore(element, this.groups.children[place] ?? null);
      place += 1;
    }
    for (const [path, row] of this.#rows) if (!row.element.isConnected) this.#rows.delete(path);
    if (focus && document.activeElement?.dataset?.path !== focus) this.#rows.get(focus)?.input.focus();
    const hidden = form.length - wanted.length;
    this.more.hidden = hidden === 0;
    say(this.more, `${count(hidden)} more groups: find them by name above.`);
    this.#find();
    this.#count();
  }

  /** Shows the values of a state, by path; paths that it does not name are as the scenario has them. */
  values(read) {
    for (const row of this.#rows.values()) {
      const value = read(row.control);
      row.show(value === undefined ? row.control : { ...row.control, value });
    }
    this.#count();
  }

  /** The path of a maker, by its name or its number. */
  pathOf(maker) {
    return this.#form.find((group) => group.maker === maker).controls[0].path.split(".").slice(0, 2).join(".");
  }

  /** The control of a path, undefined where there is none. */
  control(path) {
    return this.#rows.get(path)?.control ?? this.#form.flatMap((group) => group.controls).find((control) => control.path === path);
  }

  /** Shows errors beside the controls that they name; returns the lines that name none. */
  complain(lines) {
    for (const row of this.#errors.values()) row.complain([]);
    this.#errors.clear();
    const of = new Map();
    const rest = [];
    for (const line of lines) {
      const { row, wrong } = this.#named(line);
      if (row) of.set(row, [...(of.get(row) ?? []), wrong]);
      else rest.push(line);
    }
    for (const [row, wrong] of of) {
      row.complain(wrong);
      this.#errors.set(row.control.path, row);
    }
    return rest;
  }

  /** Makers that were removed, each with a way back. */
  showRemoved(names) {
    if (this.removed.dataset.names === names.join()) return;
    this.removed.dataset.names = names.join();
    this.removed.replaceChildren(
      ...names.map((name) => el("p", {}, `${name} is removed. `, el("button", { type: "button", data: { back: name }, on: { click: () => this.on.putBack(name) } }, "Put back"))),
    );
  }

  #opens(group, form) {
    if (group.maker) return form.filter((each) => each.maker).indexOf(group) < OPEN_MAKERS;
    return group.name === "run" || group.name === "market";
  }

  /** The groups that are listed: all, but of a long list of a kind the first and those with a change. */
  #listed(form) {
    const words = this.#words();
    const seen = {};
    return form.filter((group) => {
      const kind = group.name.split(":")[0];
      seen[kind] = (seen[kind] ?? 0) + 1;
      if (seen[kind] <= MOST_GROUPS) return true;
      return group.controls.some((control) => this.on.changed(control.path)) || (words.length > 0 && matches(`${group.title} ${group.name}`, words));
    });
  }

  #group(group, open) {
    const head = el("summary", {}, group.maker ? dotOf(lookOf(this.makers.indexOf(group.maker))) : null, el("span", { className: "title", title: group.title }, group.title), el("span", { className: "count" }));
    if (group.maker) {
      head.append(
        el("button", { type: "button", className: "small", data: { add: group.maker }, on: { click: (event) => stop(event, () => this.on.add(group.maker)) }, "aria-label": `Add a maker like ${group.maker}` }, "Duplicate"),
        el("button", { type: "button", className: "small", disabled: !group.removable, data: { remove: group.maker }, on: { click: (event) => stop(event, () => this.on.remove(group.maker)) }, "aria-label": `Remove ${group.maker}` }, "Remove"),
      );
    }
    const made = el("details", { open, data: { group: group.name } }, head);
    let section = null;
    for (const control of group.controls) {
      if (control.section !== section && control.section && control.section !== group.name) made.append(el("h3", {}, control.section.replaceAll("_", " ")));
      section = control.section;
      const row = new ControlRow(control, this.on);
      this.#rows.set(control.path, row);
      made.append(row.element);
    }
    return made;
  }

  #words() {
    return this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  }

  #find() {
    const words = this.#words();
    if (words.length && this.#form.length > this.#groups.size && !this.searching) {
      this.searching = true;
      this.show(this.#form);
      this.searching = false;
    }
    for (const group of this.#groups.values()) {
      let any = false;
      for (const element of group.querySelectorAll(".control")) {
        const { control } = this.#rows.get(element.dataset.control);
        const shown = matches(`${group.querySelector(".title").textContent} ${control.path} ${control.section} ${control.label}`, words);
        element.hidden = !shown;
        any ||= shown;
      }
      for (const heading of group.querySelectorAll("h3")) heading.hidden = !headsAny(heading);
      group.hidden = !any;
      group.classList.toggle("found", words.length > 0);
      if (words.length && any) group.open = true;
    }
  }

  #count() {
    let all = 0;
    for (const group of this.#groups.values()) {
      const changed = group.querySelectorAll(".control.changed").length;
      all += changed;
      say(group.querySelector(".count"), changed ? String(changed) : "");
      group.querySelector(".count").title = changed ? `${changed} changed` : "";
    }
    say(this.changes, all ? `${all} changed` : "");
    return all;
  }

  /** The row that one of the words before a colon names, and what the line says of it. */
  #named(line) {
    const parts = line.split(": ");
    for (let place = 0; place < parts.length - 1; place += 1) {
      const row = this.#rowOf(parts[place].trim());
      if (row) return { row, wrong: parts.slice(place + 1).join(": ") };
    }
    return { row: null, wrong: line };
  }

  #rowOf(path) {
    if (!path.includes(".") && !this.#rows.has(path)) return null;
    const named = path.replace(/^(makers|investors)\.(\d+)/, (whole, kind, place) => {
      const group = this.#form.filter((each) => each.name.startsWith(`${kind}:`))[Number(place)];
      return group ? `${kind}.${group.title}` : whole;
    });
    const candidates = [...this.#rows.values()].filter((row) => [path, named].some((each) => row.control.path === each || row.control.path.startsWith(`${each}.`) || each.startsWith(`${row.control.path}.`)));
    return candidates.find((row) => row.control.path === path || row.control.path === named) ?? candidates[0] ?? null;
  }
}

/** What a control is, apart from its value and the ends of its slider. */
function shapeOf({ path, label, section, kind, unit, meaning, least, most, choices }) {
  return [path, label, section, kind, unit, meaning, least, most, choices];
}

function matches(text, words) {
  const lower = text.toLowerCase().replaceAll("_", " ");
  return words.every((word) => lower.includes(word.replaceAll("_", " ")));
}

function stop(event, run) {
  event.preventDefault();
  event.stopPropagation();
  run();
}

/** Whether a control below a heading, up to the next one, is shown. */
function headsAny(heading) {
  for (let next = heading.nextElementSibling; next && next.tagName !== "H3"; next = next.nextElementSibling) if (!next.hidden) return true;
  return false;
}
