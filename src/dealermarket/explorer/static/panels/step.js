// One step of the replica that is shown, told in the order of the model: what `dealermarket trace` prints.

import { Chart } from "../charts.js";
import { el, later, say } from "../dom.js";
import { number, signed } from "../format.js";
import { Panel } from "./panel.js";

const MOST = 60;

export class StepPanel extends Panel {
  constructor(page) {
    super(page, { name: "step", title: "Step by step", wide: true });
    const move = (by) => page.change({ step: Math.min(Math.max(page.state.step + by, 0), this.last) });
    this.last = 0;
    this.slider = el("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Step", on: { input: () => page.change({ step: Number(this.slider.value) }) } });
    this.typed = el("input", { type: "text", inputMode: "numeric", autocomplete: "off", data: { path: "step" }, "aria-label": "Number of the step" });
    const take = () => /^\d+$/.test(this.typed.value.trim()) && page.change({ step: Math.min(Number(this.typed.value), this.last) });
    this.typed.addEventListener("input", later(300, take));
    this.typed.addEventListener("change", take);
    this.of = el("span", { className: "muted" });
    const scrub = el(
      "div",
      { className: "scrub" },
      el("button", { type: "button", "aria-label": "One step back", on: { click: () => move(-1) } }, "‹"),
      this.slider,
      el("button", { type: "button", "aria-label": "One step on", on: { click: () => move(1) } }, "›"),
      el("label", {}, "Step ", this.typed, " ", this.of),
    );
    this.facts = el("p", { className: "facts" });
    const plot = el("div");
    this.tables = el("div", { className: "trace" });
    this.body.append(scrub, plot, this.facts, this.tables);
    this.chart = new Chart(plot, { label: "Mid price along the path. Arrow keys and a drag choose the step.", height: 120, drag: (step) => page.change({ step }) });
  }

  /** Shows the step of the state at once; its trace follows. */
  follow(step) {
    if (document.activeElement !== this.typed) this.typed.value = step;
    this.slider.value = step;
    if (this.mids) this.#drawPath(step);
  }

  draw({ trace, mids }) {
    this.mids = mids;
    this.last = trace.steps - 1;
    this.slider.max = this.last;
    say(this.of, `of 0 to ${this.last}`);
    this.follow(this.page.state.step);
    this.element.dataset.step = trace.step;
    this.title(`Step ${trace.step} of replica ${trace.replica}`);
    const bp = (value, digits = 4) => (value === null || value === undefined ? "–" : inBp((value / trace.mid) * 1e4, digits));
    const moved = trace.step === 0 ? "" : `, ${signed((trace.move / (trace.mid - trace.move)) * 1e4, 3)} bp since the step before`;
    const impact = trace.impact.permanent + trace.impact.transient;
    say(this.facts, `Mid ${number(trace.mid, 7)}${moved}. Half the reference spread: ${bp(trace.half_spread)} bp.${impact ? ` Makers' hedges have moved the mid by ${bp(impact)} bp.` : ""} Spreads and yields in bp of the mid, sizes in units of the asset, money in price × units.`);
    this.tables.replaceChildren(...this.#sections(trace, bp));
  }

  #drawPath(step) {
    this.chart.draw({
      x: "steps",
      y: "mid price",
      data: [this.mids.map((_, place) => place), this.mids],
      series: [{ label: "mid", colour: "--ink", width: 1.25 }],
      legend: [],
      place: (index) => `step ${index}: ${number(this.mids[index], 7)}`,
      marks: [{ at: step, colour: "--accent" }],
    });
  }

  *#sections(trace, bp) {
    const dot = (maker) => (maker === "exchange" || maker === null ? "" : this.page.dot(this.page.look(maker)));
    const named = (maker) => el("span", {}, dot(maker), maker ?? "–");
    yield section("Positions and rewards", ["Maker", "#Held before", "#Held after", "#Spread revenue", "#Position revenue", "#Hedging cost", "#Risk cost"], trace.makers, (row) => [
      named(row.maker),
      number(row.position),
      number(row.position_after),
      number(row.spread_revenue),
      number(row.position_revenue),
      number(row.hedging_cost),
      number(row.risk_cost),
    ]);
    yield asked("Requests and quotes", trace.requests, {
      empty: "No client asked for quotes.",
      head: (request) => `${request.client} ${request.side > 0 ? "buys" : "sells"} ${number(request.size)}`,
      after: (request) => afterRequest(request, bp),
      outcome: (request, quote) => outcomeOf(request, quote),
      won: (request, quote) => request.traded && quote.maker === request.best_maker,
      named,
      bp,
    });
    yield asked("Hedges, and what others charge for them", trace.hedges, {
      empty: "Nobody could hedge.",
      head: (hedge) => hedgeHead(hedge),
      outcome: (hedge, quote) => (quote.maker === hedge.winner ? "got it" : notOfVenue(hedge, quote) ? "not its venue" : ""),
      won: (hedge, quote) => quote.maker === hedge.winner,
      named,
      bp,
    });
    if (trace.matured.length) {
      const since = trace.matured_move === null ? "" : `, since when the mid moved by ${signed((trace.matured_move / trace.mid) * 1e4, 3)} bp`;
      yield section(`What matures: trades of ${trace.reward_horizon} steps ago${since}`, ["Trade", "With", "Kind", "#Tier", "#Spread", "#Position revenue", "#Yield"], trace.matured, (row) => [
        `${row.taker} ${row.side > 0 ? "buys" : "sells"} ${number(row.size)}`,
        named(row.maker),
        row.kind,
        row.maker === "exchange" ? "–" : String(row.tier),
        bp(row.spread),
        number(row.position_revenue),
        bp(row.trade_yield),
      ]);
    }
    if (trace.standings.length) {
      yield section("Tiers that changed, or with whom trades matured", ["Maker", "Of", "#Metric before", "#Metric now", "#Tier before", "#Tier now"], trace.standings, (row) => [
        named(row.maker),
        row.participant,
        number(row.metric_before),
        number(row.metric),
        String(row.tier_before),
        row.tier === row.tier_before ? String(row.tier) : el("b", {}, String(row.tier)),
      ]);
    }
  }
}

function inBp(value, digits) {
  return value !== 0 && Math.abs(value) < 5e-5 ? (value > 0 ? "<0.0001" : ">−0.0001") : number(value, digits);
}

/** A table with a heading; headings with a # are of numbers. */
function section(title, heads, rows, cells) {
  const numeric = heads.map((head) => head.startsWith("#"));
  const table = el(
    "table",
    {},
    el("thead", {}, el("tr", {}, ...heads.map((head, place) => el("th", { scope: "col", className: numeric[place] ? "number" : "" }, head.replace("#", ""))))),
    el("tbody", {}, ...rows.slice(0, MOST).map((row) => el("tr", {}, ...cells(row).map((cell, place) => el("td", { className: numeric[place] ? "number" : "" }, cell))))),
  );
  return block(title, rows.length, table);
}

function asked(title, each, { empty, head, after, outcome, won, named, bp }) {
  if (!each.length) return block(title, 0, el("p", { className: "muted" }, empty));
  const heads = ["Quote of", "#Tier", "#Spread", "#Curve", "#Skew", "#Tier adds", "Outcome"];
  const silent = each.filter((one) => !one.quotes.length);
  each = each.filter((one) => one.quotes.length);
  const rest = silent.length ? el("p", { className: "muted" }, quiet(silent)) : null;
  if (!each.length) return block(title, 0, rest);
  const bodies = each.slice(0, MOST).map((one) =>
    el(
      "tbody",
      {},
      el("tr", { className: "asked" }, el("th", { colSpan: heads.length, scope: "rowgroup" }, el("b", {}, head(one)), " ", el("span", { className: "muted" }, after?.(one) ?? ""))),
      ...one.quotes.map((quote) =>
        el(
          "tr",
          { className: won(one, quote) ? "won" : "" },
          el("td", {}, named(quote.maker)),
          ...[quote.tier === null ? "–" : String(quote.tier), bp(quote.spread), bp(quote.parts.curve), bp(quote.parts.skew, 3), bp(quote.parts.tier, 3)].map((cell) => el("td", { className: "number" }, cell)),
          el("td", {}, outcome(one, quote)),
        ),
      ),
    ),
  );
  const row = el("tr", {}, ...heads.map((name) => el("th", { scope: "col", className: name.startsWith("#") ? "number" : "" }, name.replace("#", ""))));
  return block(title, each.length, el("table", {}, el("thead", {}, row), ...bodies), rest);
}

function block(title, rows, content, rest = null) {
  const more = rows > MOST ? el("p", { className: "muted" }, `The first ${MOST} of ${rows}.`) : null;
  return el("div", { className: "block" }, el("h3", {}, title), el("div", { className: "scroll" }, content), ...(rest ? [rest] : []), ...(more ? [more] : []));
}

function afterRequest(request, bp) {
  const parts = [];
  if (request.reservation !== null) parts.push(`trades at ${bp(request.reservation)} bp or less`);
  if (!request.traded) parts.push("does not trade");
  if (request.cover !== null && request.cover > request.best_spread) parts.push(`best quote ${bp(request.cover - request.best_spread, 3)} bp below the cover`);
  return parts.join(", ");
}

function outcomeOf(request, quote) {
  const tied = request.quotes.filter((other) => other.spread === request.best_spread).length > 1 && quote.spread === request.best_spread;
  if (!request.traded) return quote.maker === request.best_maker ? "best, but refused" : "not traded";
  if (quote.maker === request.best_maker) return tied ? "won, by a draw" : "won";
  return tied ? "tied, lost the draw" : "traded away";
}

function hedgeHead({ maker, position, fraction, size, side }) {
  const held = `${number(Math.abs(position))} ${position < 0 ? "short" : "long"}`;
  return `${maker} ${side > 0 ? "buys" : "sells"} ${number(size)}, ${number(100 * fraction, 3)} % of ${held}`;
}

/** Who does not hedge in this step, in short. */
function quiet(hedges) {
  const flat = hedges.filter(({ position }) => !position).map(({ maker }) => maker);
  const kept = hedges.filter(({ position }) => position).map(({ maker, position }) => `${maker} ${number(position)}`);
  const few = (names) => (names.length > 12 ? `${names.slice(0, 12).join(", ")} and ${names.length - 12} more` : names.join(", "));
  return [flat.length ? `Hold nothing: ${few(flat)}.` : "", kept.length ? `Keep what they hold: ${few(kept)}.` : ""].filter(Boolean).join(" ");
}


function notOfVenue({ venue }, { maker }) {
  return venue !== "best" && (maker === "exchange") !== (venue === "exchange");
}
