// Intervals of one statistic, a row a maker: now and pinned on one axis, the paired difference on another.

import { svg } from "../dom.js";
import { interval, number, shortened, signed, ticks, unit } from "../format.js";

const MANY = 12; // makers, from which on rows are lower
const TOP = 22;
const FOOT = 24;

/** Draws into `host`, so many pixels wide, the rows {maker, look, now, pinned, difference}. */
export function drawIntervals(host, width, { heading, unit: measured }, rows) {
  const row = rows.length > MANY ? 18 : 26;
  if (!width) return;
  const differences = rows.some((row) => row.difference);
  const names = Math.min(130, width * 0.28);
  const narrow = width < 620;
  const plot = !narrow ? (width - names - 36) / 2 : width - names - 12;
  const height = TOP + rows.length * row + FOOT;
  const title = `${heading.replaceAll("\n", " ")}${unit(measured) ? `, ${unit(measured)}` : ""}`;
  const parts = [facet({ row, left: names, top: 0, width: plot, height, title: differences ? `${title}: now ●, pinned ○` : title, rows, read: (row) => [row.now, row.pinned] }), ...labels(rows, row, names, 0)];
  if (!differences && plot > 330) {
    const place = { x: names + plot + 24, y: TOP + (rows.length * row) / 2 + 4 };
    parts.push(svg("text", { ...place, class: "hint" }, "Pin this market: then its paired differences stand here."));
  }
  if (differences) {
    const place = narrow ? { left: names, top: height + 8 } : { left: names + plot + 24, top: 0 };
    parts.push(facet({ row, ...place, width: plot, height, title: "difference to the pinned market", rows, read: (row) => [row.difference], zero: true }));
    if (narrow) parts.push(...labels(rows, row, names, height + 8));
  }
  const whole = differences && narrow ? 2 * height + 8 : height;
  const picture = svg("svg", { width, height: whole, role: "img", "aria-label": `Intervals of ${title}` }, ...parts);
  host.replaceChildren(picture);
}

function labels(rows, row, width, top) {
  const most = Math.max(Math.floor(width / 7.5), 4);
  return rows.map(({ maker }, place) => {
    return svg("text", { x: width - 12, y: top + TOP + (place + 0.5) * row + 4, "text-anchor": "end", class: "name" }, shortened(maker, most));
  });
}

function facet({ row: step, left, top, width, height, title, rows, read, zero = false }) {
  const all = rows.flatMap((row) => read(row)).filter((each) => each && each.value !== null);
  const ends = all.flatMap((each) => [each.low ?? each.value, each.high ?? each.value]);
  let low = Math.min(...ends, ...(zero ? [0] : []));
  let high = Math.max(...ends, ...(zero ? [0] : []));
  if (!ends.length) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - Math.abs(low || 1) * 0.1, high + Math.abs(high || 1) * 0.1];
  const room = (high - low) * 0.04;
  const x = (value) => left + ((value - low + room) / (high - low + 2 * room)) * width;
  const bottom = top + TOP + rows.length * step;
  const splits = roundPlaces(low, high, Math.max(Math.floor(width / 70), 2));
  const texts = ticks(null, splits);
  const group = svg("g", {}, svg("text", { x: left, y: top + 13, class: "facet" }, title));
  splits.forEach((value, place) => {
    group.append(svg("line", { x1: x(value), x2: x(value), y1: top + TOP, y2: bottom, stroke: `var(${zero && value === 0 ? "--muted" : "--grid"})` }));
    group.append(svg("text", { x: x(value), y: top + height - 8, "text-anchor": "middle", class: "tick" }, texts[place]));
  });
  rows.forEach((row, place) => {
    const [now, pinned] = read(row);
    const middle = top + TOP + (place + 0.5) * step;
    if (pinned) group.append(whisker(x, pinned, middle + step / 5, row, "pinned"));
    if (now) group.append(whisker(x, now, pinned ? middle - step / 6 : middle, row, zero ? "difference" : "now"));
  });
  return group;
}

function whisker(x, { value, low, high, sure }, y, { maker, look }, what) {
  const colour = `var(${look.colour})`;
  const mark = svg("g", {});
  if (value === null) return mark;
  const words = what === "difference" ? signed(value) : number(value);
  mark.append(svg("title", {}, `${maker}, ${what}: ${words}${low === null ? "" : `, 95 % interval ${interval(low, high, 4)}`}`));
  if (low !== null && high !== null) {
    const dash = what === "pinned" ? { "stroke-dasharray": "3 2" } : {};
    mark.append(svg("line", { x1: x(low), x2: x(high), y1: y, y2: y, stroke: colour, "stroke-width": 2, ...dash }));
    mark.append(svg("rect", { x: x(low), y: y - 6, width: Math.max(x(high) - x(low), 1), height: 12, fill: "transparent" }));
  }
  const hollow = what === "pinned" || (what === "difference" && !sure);
  mark.append(svg("circle", { cx: x(value), cy: y, r: 4, fill: hollow ? "var(--panel)" : colour, stroke: colour, "stroke-width": 1.5 }));
  return mark;
}

/** Round numbers between two others, about `wanted` of them. */
export function roundPlaces(low, high, wanted) {
  const rough = (high - low) / wanted;
  const size = 10 ** Math.floor(Math.log10(rough));
  const gap = [1, 2, 5, 10].map((factor) => factor * size).find((each) => each >= rough);
  const first = Math.ceil(low / gap - 1e-9);
  const last = Math.floor(high / gap + 1e-9);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, place) => (first + place) * gap);
}
