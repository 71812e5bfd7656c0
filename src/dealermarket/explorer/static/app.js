// The page: holds the state, asks the server, hands its answers to the panels.

import { Address, fromHash, toHash } from "./address.js";
import { Controls } from "./controls.js";
import { el, later, say } from "./dom.js";
import { Export } from "./export.js";
import { CalibrationPanel } from "./panels/calibration.js";
import { MakersPanel } from "./panels/makers.js";
import { MarkoutsPanel } from "./panels/markouts.js";
import { dotOf, lookOf } from "./panels/panel.js";
import { PnlPanel } from "./panels/pnl.js";
import { PositionPanel } from "./panels/position.js";
import { PricesPanel } from "./panels/prices.js";
import { RewardsPanel } from "./panels/rewards.js";
import { StepPanel } from "./panels/step.js";
import { SweepPanel } from "./panels/sweep.js";
import { TiersPanel } from "./panels/tiers.js";
import { initial, inWords, variant, withBack, withCopy, withoutMaker, withSetting } from "./state.js";
import { Status } from "./status.js";
import { Talk } from "./talk.js";
import { themeSwitch } from "./theme.js";
import { explain } from "./tip.js";

const LIVE = [MakersPanel, PositionPanel, RewardsPanel, PricesPanel, TiersPanel, MarkoutsPanel, PnlPanel];
const QUIET = ["step", "sweep", "calibration"]; // panels that an answer does not hold
const UNTRACED = ["replicas", "maker", "pin"]; // what a trace does not depend on
const byId = (id) => document.getElementById(id);

class Page {
  state = initial({});
  #opened = null;
  #panels = new Map();
  #visible = new Set();
  #drawn = new Map(); // of each panel the market that it shows
  #address = new Address();
  #redraws = 0;
  #status = new Status();

  start() {
    document.documentElement.classList.add("js");
    themeSwitch(byId("theme"));
    if (!("WebSocket" in window)) {
      this.#status.notice("lost", "This browser has no WebSocket, which this page needs: use a newer browser, or dealermarket run and dealermarket plot.");
      return;
    }
    this.controls = new Controls(byId("controls"), {
      set: (path, value) => this.#set(path, value),
      reset: (path) => this.#set(path, undefined),
      changed: (path) => this.#changed(path),
      resetAll: () => this.change({ ...variant(this.#defaults), ...pick(this.#defaults, ["replicas", "seed"]) }),
      add: (maker) => this.change(withCopy(this.state, maker, this.controls.makers, this.controls.pathOf(maker))),
      remove: (maker) => this.change(withoutMaker(this.state, maker, this.controls.makers, this.controls.pathOf(maker))),
      putBack: (maker) => this.change(withBack(this.state, maker)),
    });
    this.talk = new Talk({ connected: () => this.#connected(), lost: (reason) => this.#lost(reason), message: (message) => this.#hear(message) });
    this.export = new Export(byId("export-dialog"), { ask: () => this.talk.send({ do: "texts", state: this.state }), state: () => this.state });
    this.#listen();
    this.talk.connect();
  }

  // --- what panels use

  /** Takes changes of the state and asks for what they change. */
  change(changes) {
    this.state = { ...this.state, ...changes };
    this.#follow();
    this.#address.write(toHash(this.state, this.#defaults));
    this.#ask();
  }

  /** Colour and dash of a maker, the same in all panels. */
  look(maker) {
    return lookOf(Math.max(this.controls.makers.indexOf(maker), 0));
  }

  /** A dot in the colour of a maker. */
  dot(look) {
    return dotOf(look);
  }

  /** The line that shows the step of the step browser on an axis of time; `after` is 1 where values are those after a step. */
  stepMark({ per_step }, after = 0) {
    return [{ at: (this.state.step + after) * per_step, colour: "--accent", dash: [2, 2] }];
  }

  /** Shows the step at a time. */
  showStep(at, { per_step }, after = 0) {
    this.change({ step: Math.max(Math.round(at / per_step) - after, 0) });
  }

  // --- the state

  get #defaults() {
    return initial(this.#opened?.state ?? {});
  }

  #changed(path) {
    if (path === "replicas" || path === "seed") return this.state[path] !== this.#defaults[path];
    return path in this.state.settings;
  }

  /** Sets a field, or resets it (undefined). */
  #set(path, value) {
    if (path === "replicas" || path === "seed") this.change({ [path]: value ?? this.#defaults[path] });
    else this.change(withSetting(this.state, path, value, this.controls.control(path)?.was));
  }

  /** Shows the state on all that does not wait for the server. */
  #follow() {
    const { settings, removed, pin, replica, step } = this.state;
    this.controls.values(({ path, was }) => {
      if (path === "replicas" || path === "seed") return this.state[path];
      return path in settings ? settings[path] : (was ?? undefined);
    });
    this.controls.showRemoved(removed);
    byId("reset-all").disabled = toHash({ ...this.#defaults, ...pick(this.state, ["settings", "added", "removed", "replicas", "seed"]) }, this.#defaults) === "";
    if (document.activeElement !== byId("replica")) byId("replica").value = replica;
    for (const panel of this.#panels.values()) panel.follow(step);
    byId("pinned").hidden = pin === null;
    byId("pin").setAttribute("aria-pressed", pin !== null);
    say(byId("pin"), pin === null ? "Pin this" : "Pin this instead");
    if (pin !== null) say(byId("pinned").firstElementChild, `Pinned: ${inWords(pin)}`);
    this.#followMakers();
  }

  #followMakers() {
    const names = this.controls.makers;
    const select = byId("maker");
    if (select.dataset.names !== names.join("\n")) {
      select.dataset.names = names.join("\n");
      select.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
    }
    select.value = this.state.maker;
  }

  // --- what a person does

  #listen() {
    const about = (id, text) => explain(byId(id).closest("label") ?? byId(id), () => [el("p", {}, text)]);
    about("pin", "Keeps the market as it is now as the baseline: every change is then compared with it, on the same prices and requests.");
    about("maker", "Whose rewards, tiers and P&L are shown.");
    about("replica", "Whose path is shown: positions, tiers and the steps. The first is 0.");
    byId("maker").addEventListener("change", (event) => this.change({ maker: event.target.value }));
    const replica = byId("replica");
    const takeReplica = () => /^\d+$/.test(replica.value.trim()) && Number(replica.value) !== this.state.replica && this.change({ replica: Number(replica.value) });
    replica.addEventListener("input", later(300, takeReplica));
    replica.addEventListener("change", takeReplica);
    replica.addEventListener("keydown", (event) => {
      const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      replica.value = Math.max(this.state.replica + by, 0);
      takeReplica();
    });
    byId("pin").addEventListener("click", () => this.change({ pin: variant(this.state) }));
    byId("unpin").addEventListener("click", () => this.change({ pin: null }));
    byId("export").addEventListener("click", () => this.export.open());
    byId("stop").addEventListener("click", () => this.talk.send({ do: "stop" }));
    byId("show-controls").addEventListener("click", (event) => {
      const shown = document.body.classList.toggle("with-controls");
      event.currentTarget.setAttribute("aria-expanded", shown);
    });
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault();
      byId("panels").focus();
    });
    const bar = document.querySelector(".bar");
    new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);
    addEventListener("popstate", () => this.#takeHash());
    addEventListener("pagehide", () => this.#address.finish());
  }

  #takeHash() {
    if (!this.#opened) return;
    this.#address.forget();
    this.state = fromHash(location.hash, this.#defaults);
    this.#follow();
    this.#ask();
  }

  // --- the server

  #connected() {
    this.#status.notice("lost", "");
    this.#status.says("Connected");
    this.#asking = "";
    this.#drawn.clear();
    this.talk.send({ do: "open" });
  }

  #lost(reason) {
    const why = reason ? `: ${reason}` : ": does the command still run?";
    this.#status.notice("lost", `There is no connection to dealermarket${why} The page tries again by itself.`);
    this.#status.says("Not connected");
  }

  #hear(message) {
    const heard = {
      opened: () => this.#open(message),
      form: () => this.#form(message.groups),
      answer: () => this.#answer(message),
      busy: () => this.#status.busy(message),
      errors: () => this.#errors(message),
      trace: () => this.#trace(message),
      texts: () => this.export.texts(message),
      state: () => this.change({ ...this.state, ...message.state }),
      compiling: () => this.#status.compiles(message.seconds),
      refused: () => this.#status.notice("errors", message.line),
    }[message.is];
    heard?.();
  }

  #open(message) {
    const again = this.#opened !== null;
    this.#opened = message;
    document.title = `${message.title} – dealermarket explore`;
    say(byId("title"), message.title);
    say(byId("description"), message.description);
    byId("description").title = message.description;
    document.body.dataset.kind = message.kind;
    if (!again) {
      this.state = fromHash(location.hash, this.#defaults);
      this.#build(message);
      this.#follow();
    } else {
      this.#ask();
    }
  }

  #build({ sweep, calibration }) {
    const panels = [];
    if (sweep) panels.push(new SweepPanel(this, sweep, (point) => this.talk.send({ do: "load", point })));
    if (calibration) panels.push(new CalibrationPanel(this, calibration));
    panels.push(...LIVE.map((Kind) => new Kind(this)), new StepPanel(this));
    byId("panels").replaceChildren(...panels.map((panel) => panel.element));
    const seen = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: "150px" });
    for (const panel of panels) {
      panel.element.classList.toggle("empty", !QUIET.includes(panel.name) || panel.name === "step");
      this.#panels.set(panel.name, panel);
      seen.observe(panel.element);
    }
    this.#panels.get("sweep")?.start();
  }

  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#visible.add(target.dataset.panel);
      else this.#visible.delete(target.dataset.panel);
    }
    this.#askSoon();
  }

  #askSoon = later(30, () => this.#ask());

  /** Asks for what the visible panels show; what is asked is decided when the question is sent. */
  #ask() {
    if (!this.#opened) return;
    const panels = () => [...this.#visible].filter((name) => !QUIET.includes(name));
    const market = keyOf(this.state, ["step"]);
    if (market !== this.#asking || panels().some((name) => this.#drawn.get(name) !== market)) {
      document.body.dataset.final = "false";
      this.talk.ask("ask", () => {
        this.#asking = keyOf(this.state, ["step"]);
        return { do: "ask", state: this.state, panels: panels() };
      });
    }
    if (this.#visible.has("step") && keyOf(this.state, UNTRACED) !== this.#drawn.get("step")) {
      this.talk.ask("trace", () => {
        this.#tracing = keyOf(this.state, UNTRACED);
        return { do: "trace", state: this.state };
      });
    }
  }

  #asking = ""; // the market of the newest question
  #tracing = "";

  #form(groups) {
    const { replicas, seed } = this.state;
    const run = [
      { path: "replicas", label: "replicas", section: "run", kind: "whole", value: replicas, was: this.#defaults.replicas, unit: "", meaning: "Paths that are simulated: more make the intervals narrower and take longer. The first 50 are shown at once.", least: 1, most: this.#opened.most_replicas, low: 50, high: Math.min(2000, this.#opened.most_replicas), log: false, step: 50, choices: [] },
      { path: "seed", label: "seed", section: "run", kind: "whole", value: seed, was: this.#defaults.seed, unit: "", meaning: "Prices and requests depend on the scenario, the seed and the replica alone.", least: 0, most: null, low: null, high: null, log: false, step: 1, choices: [] },
    ];
    const rest = groups.map((group) => ({ ...group, controls: group.controls.filter((control) => control.section !== "run") }));
    const moved = groups.flatMap((group) => group.controls.filter((control) => control.section === "run"));
    this.controls.show([{ name: "run", title: "Run", maker: null, removable: false, controls: [...run, ...moved] }, ...rest.filter((group) => group.controls.length)]);
    if (!this.controls.makers.includes(this.state.maker)) {
      this.state = { ...this.state, maker: this.controls.makers[0] ?? "" };
      this.#address.write(toHash(this.state, this.#defaults));
    }
    this.#follow();
  }

  #answer(message) {
    const begun = performance.now();
    this.#status.notice("errors", "");
    this.#status.notice("compiling", "");
    this.controls.complain([]);
    document.body.classList.remove("stale");
    for (const [name, data] of Object.entries(message.panels)) {
      const panel = this.#panels.get(name);
      if (!panel || !data) continue;
      panel.element.classList.remove("empty");
      panel.draw(data);
      this.#drawn.set(name, this.#asking);
    }
    this.#status.answered(message);
    queueMicrotask(() => this.#tell(message, begun));
  }

  /** What tests and the curious read: which answer is shown, and whether it is the last one of the newest question. */
  #tell({ re, replicas, final }, begun) {
    this.#redraws += 1;
    const last = final && !this.talk.behind("ask");
    Object.assign(document.body.dataset, { re, replicas, final: last, redraws: this.#redraws, milliseconds: (performance.now() - begun).toFixed(1) });
  }

  #errors(message) {
    this.#status.notice("compiling", "");
    const rest = this.controls.complain(message.lines);
    document.body.classList.add("stale");
    const shown = this.#redraws ? "The results are those of the last valid market." : "Nothing can be shown. Reset all and Unpin take changes back.";
    const more = rest.length ? "" : " See the marked fields.";
    this.#status.notice("errors", `${message.lines.join("\n")}\n${shown}${more}`);
    this.#status.says("Not valid");
    if (byId("export-dialog").open) this.export.errors(message.lines);
  }

  #trace(message) {
    this.#drawn.set("step", this.#tracing);
    const { step } = message.trace; // the last one, where there is none of that number
    if (step !== this.state.step && !this.talk.behind("trace")) {
      this.state = { ...this.state, step };
      this.#drawn.set("step", keyOf(this.state, UNTRACED));
      this.#address.write(toHash(this.state, this.#defaults));
    }
    this.#panels.get("step").element.classList.remove("empty");
    this.#panels.get("step").draw(message);
  }
}

/** A state as a text, without some of its parts. */
function keyOf(state, without) {
  return JSON.stringify({ ...state, ...Object.fromEntries(without.map((name) => [name, null])) });
}

function pick(from, names) {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

new Page().start();
