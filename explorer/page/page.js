// The page of a study: designs in plots and a table that share one selection. No library, no network (but for a live
// study): what is drawn is on two canvases, since ten thousand designs in ten panels have to follow a slider.
"use strict";

const COLOURS = { front: "#0072B2", dominated: "#8A8A8A", outside: "#E3E3E3", chosen: "#D55E00", ink: "#1a1a1a", axis: "#777" };
const PAD = { left: 64, right: 14, top: 10, bottom: 44 };
const ROWS = 200; // of the table
const NEAR = 9; // pixels within which a design is under the pointer
const STEPS = 1000; // of a slider

const $ = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Four digits, as in tables. */
function short(value) {
  if (!Number.isFinite(value)) return "-";
  const text = Math.abs(value) >= 1e4 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toPrecision(4) : String(+value.toPrecision(4));
  return text;
}

/** Round numbers between two ends. */
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9 * step; value += step) found.push(+value.toPrecision(12));
  return found;
}

// -- what the study holds ---------------------------------------------------------------------------------------------

/** Objectives and variables as axes: numbers, or the places of choices; of bits, how many are on. */
class Designs {
  constructor(data) {
    Object.assign(this, data);
    this.axes = data.axes.map((axis) => {
      const values = Float64Array.from(axis.values, (value) => (value === null ? NaN : value / (axis.factor || 1)));
      const known = values.filter(Number.isFinite);
      const ends = axis.ticks ? [0, Math.max(axis.ticks.length - 1, 1)] : [Math.min(...bounds(known, 0)), Math.max(...bounds(known, 1))];
      return { ...axis, values, low: ends[0], high: ends[1] > ends[0] ? ends[1] : ends[0] + (Math.abs(ends[0]) || 1) };
    });
    this.objectives = this.axes.filter((axis) => axis.better !== 0);
    this.signed = this.objectives.map((axis) => axis.values.map((value) => axis.better * value));
    this.count = data.label.length;
  }

  /** Which designs are within limits on their axes, and feasible. */
  within(limits) {
    const mask = new Uint8Array(this.count).fill(1);
    for (let i = 0; i < this.count; i++) if (!this.feasible[i]) mask[i] = 0;
    for (const axis of this.axes) {
      const limit = limits[axis.name];
      if (!limit) continue;
      const slack = 1e-9 * (axis.high - axis.low);
      for (let i = 0; i < this.count; i++) if (!(axis.values[i] >= limit[0] - slack && axis.values[i] <= limit[1] + slack)) mask[i] = 0;
    }
    return mask;
  }

  /** The designs of a selection that no other one of it dominates, in any order. */
  front(mask) {
    const [first] = this.signed, columns = this.signed, rest = columns.length;
    const order = [];
    for (let i = 0; i < this.count; i++) if (mask[i]) order.push(i);
    // whoever dominates comes first: by the first objective, then by the others
    order.sort((a, b) => {
      for (const column of columns) if (column[a] !== column[b]) return column[b] - column[a];
      return a - b;
    });
    const found = [];
    next: for (const i of order) {
      for (let place = found.length - 1; place >= 0; place--) {
        const other = found[place];
        let better = first[other] >= first[i];
        for (let k = 1; better && k < rest; k++) better = columns[k][other] >= columns[k][i];
        if (better) continue next; // dominated, or equal to one that is there
      }
      found.push(i);
    }
    return found;
  }
}

function bounds(values, fallback) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  return low <= high ? [low, high] : [fallback, fallback];
}

// -- the state of the view, which the address keeps ----------------------------------------------------------------------

const state = { limits: {}, sort: "", descending: false, all: false, chosen: "" };

function toFragment() {
  const parts = Object.entries(state.limits).map(([name, [low, high]]) => `${encodeURIComponent(name)}=${+low.toPrecision(8)}..${+high.toPrecision(8)}`);
  if (state.sort) parts.push(`sort=${encodeURIComponent(state.sort)}${state.descending ? ":down" : ""}`);
  if (state.all) parts.push("all=1");
  if (state.chosen) parts.push(`design=${encodeURIComponent(state.chosen)}`);
  const fragment = parts.length ? `#${parts.join("&")}` : "";
  if (fragment !== location.hash) history.replaceState(null, "", fragment || location.pathname + location.search);
}

function fromFragment(designs) {
  Object.assign(state, { limits: {}, sort: "", descending: false, all: false, chosen: "" });
  for (const part of location.hash.slice(1).split("&").filter(Boolean)) {
    const [name, value = ""] = part.split("=").map(decoded);
    const [low, high] = value.split("..").map(Number);
    if (name === "sort") [state.sort, state.descending] = [value.replace(/:down$/, ""), value.endsWith(":down")];
    else if (name === "all") state.all = value === "1";
    else if (name === "design") state.chosen = value;
    else if (Number.isFinite(low) && Number.isFinite(high) && designs.axes.some((axis) => axis.name === name)) state.limits[name] = [low, high];
  }
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

// -- the page -------------------------------------------------------------------------------------------------------------

let designs, mask, front, isFront, hovered = -1, waiting = 0;

function limit(axis, low, high) {
  const slack = 0.5 / STEPS * (axis.high - axis.low);
  if (low <= axis.low + slack && high >= axis.high - slack) delete state.limits[axis.name];
  else state.limits[axis.name] = [Math.min(low, high), Math.max(low, high)];
  later();
}

function later() {
  if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; update(); });
}

function update() {
  const began = performance.now();
  mask = designs.within(state.limits);
  front = designs.front(mask);
  isFront = new Uint8Array(designs.count);
  for (const i of front) isFront[i] = 1;
  let selected = 0;
  for (let i = 0; i < designs.count; i++) selected += mask[i];
  const limits = Object.keys(state.limits).length;
  $("count").textContent = `${front.length} designs on the front of ${selected}` + (limits ? ` within ${limits} limit${limits > 1 ? "s" : ""}, of ${designs.count}` : "");
  drawPairs();
  drawParallel();
  drawSliders();
  drawTable();
  drawChosen();
  toFragment();
  document.body.dataset.updateMs = (performance.now() - began).toFixed(1);
}

// -- canvases -------------------------------------------------------------------------------------------------------------

function prepared(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  return pen;
}

/** Panels below the diagonal, each with the axes that it shows. */
function panels() {
  const axes = designs.objectives, side = Math.max(1, axes.length - 1);
  const width = $("pairs").clientWidth, inner = Math.max(90, (width - PAD.left - PAD.right) / side - 12), tall = Math.min(inner, 230);
  const found = [];
  for (let down = axes.length > 1 ? 1 : 0; down < axes.length; down++)
    for (let across = 0; across < Math.max(1, down); across++) {
      const row = axes.length > 1 ? down - 1 : 0;
      found.push({ x: axes[across], y: axes[down], left: PAD.left + across * (inner + 12), top: PAD.top + row * (tall + 12), width: inner, height: tall, foot: row === side - 1, side: across === 0 });
    }
  return { found, width, height: PAD.top + side * (tall + 12) + PAD.bottom };
}

const margin = 0.04;
function across(panel, value) { return panel.left + panel.width * (margin + (1 - 2 * margin) * (value - panel.x.low) / (panel.x.high - panel.x.low)); }
function up(panel, value) { return panel.top + panel.height * (1 - margin - (1 - 2 * margin) * (value - panel.y.low) / (panel.y.high - panel.y.low)); }
function backAcross(panel, place) { return panel.x.low + ((place - panel.left) / panel.width - margin) / (1 - 2 * margin) * (panel.x.high - panel.x.low); }
function backUp(panel, place) { return panel.y.low + (1 - margin - (place - panel.top) / panel.height) / (1 - 2 * margin) * (panel.y.high - panel.y.low); }

let shownPanels = [], drag = null;

function drawPairs() {
  const { found, width, height } = panels();
  shownPanels = found;
  const pen = prepared($("pairs"), width, height);
  const chosen = designs.label.indexOf(state.chosen);
  for (const panel of found) {
    pen.fillStyle = COLOURS.ink;
    pen.strokeStyle = "#ddd";
    pen.lineWidth = 1;
    pen.strokeRect(panel.left + 0.5, panel.top + 0.5, panel.width, panel.height);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    if (panel.foot) {
      for (const value of ticks(panel.x.low, panel.x.high, panel.width / 70)) pen.fillText(short(value), across(panel, value), panel.top + panel.height + 4);
      pen.fillText(panel.x.title, panel.left + panel.width / 2, panel.top + panel.height + 22);
    }
    if (panel.side) {
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      for (const value of ticks(panel.y.low, panel.y.high, panel.height / 45)) pen.fillText(short(value), panel.left - 6, up(panel, value));
      pen.save();
      pen.translate(12, panel.top + panel.height / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText(panel.y.title, 0, 0);
      pen.restore();
    }
    pen.save();
    pen.beginPath();
    pen.rect(panel.left, panel.top, panel.width, panel.height);
    pen.clip();
    const x = panel.x.values, y = panel.y.values;
    for (const [wanted, colour, size] of [[0, COLOURS.outside, 2], [1, COLOURS.dominated, 3]]) {
      pen.fillStyle = colour;
      for (let i = 0; i < designs.count; i++)
        if (mask[i] === wanted && !isFront[i]) pen.fillRect(across(panel, x[i]) - size / 2, up(panel, y[i]) - size / 2, size, size);
    }
    pen.fillStyle = COLOURS.front;
    pen.beginPath();
    for (const i of front) {
      const left = across(panel, x[i]), top = up(panel, y[i]);
      pen.moveTo(left + 3.5, top);
      pen.arc(left, top, 3.5, 0, 2 * Math.PI);
    }
    pen.fill();
    for (const [i, radius] of [[chosen, 7], [hovered, 6]])
      if (i >= 0) {
        pen.strokeStyle = i === chosen ? COLOURS.chosen : COLOURS.ink;
        pen.lineWidth = 2.5;
        pen.beginPath();
        pen.arc(across(panel, x[i]), up(panel, y[i]), radius, 0, 2 * Math.PI);
        pen.stroke();
      }
    const limits = [state.limits[panel.x.name], state.limits[panel.y.name]];
    if (limits[0] || limits[1]) {
      const [low, high] = limits[0] || [panel.x.low, panel.x.high], [bottom, top] = limits[1] || [panel.y.low, panel.y.high];
      pen.strokeStyle = COLOURS.chosen;
      pen.setLineDash([4, 3]);
      pen.lineWidth = 1;
      pen.strokeRect(across(panel, low) - 4, up(panel, top) - 4, across(panel, high) - across(panel, low) + 8, up(panel, bottom) - up(panel, top) + 8);
      pen.setLineDash([]);
    }
    if (drag && drag.panel.x === panel.x && drag.panel.y === panel.y) {
      pen.fillStyle = "rgba(213, 94, 0, 0.15)";
      pen.fillRect(drag.x, drag.y, drag.toX - drag.x, drag.toY - drag.y);
    }
    pen.restore();
  }
}

function place(event, canvas) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function panelAt(x, y) {
  return shownPanels.find((panel) => x >= panel.left && x <= panel.left + panel.width && y >= panel.top && y <= panel.top + panel.height);
}

/** The design under the pointer: of several the one on the front, then the nearest. */
function designAt(panel, left, top) {
  let best = -1, least = NEAR * NEAR;
  for (let i = 0; i < designs.count; i++) {
    if (!mask[i]) continue;
    const far = (across(panel, panel.x.values[i]) - left) ** 2 + (up(panel, panel.y.values[i]) - top) ** 2;
    if (far < NEAR * NEAR && (best < 0 || isFront[i] > isFront[best] || (isFront[i] === isFront[best] && far < least))) [best, least] = [i, far];
  }
  return best;
}

function listenToPairs() {
  const canvas = $("pairs"), tip = $("tip");
  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = place(event, canvas), panel = panelAt(x, y);
    if (!panel) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { panel, x, y, toX: x, toY: y };
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event, canvas);
    if (drag) {
      [drag.toX, drag.toY] = [x, y];
      drawPairs();
      return;
    }
    const panel = panelAt(x, y), before = hovered;
    hovered = panel ? designAt(panel, x, y) : -1;
    tip.hidden = hovered < 0;
    if (hovered >= 0) {
      tip.replaceChildren(make("strong", { textContent: designs.label[hovered] }), ...designs.objectives.map((axis) => make("div", { textContent: `${axis.title}: ${short(axis.values[hovered])}` })));
      tip.style.left = `${Math.min(x + 14, canvas.clientWidth - 220)}px`;
      tip.style.top = `${y + 14}px`;
    }
    if (hovered !== before) drawPairs();
  });
  canvas.addEventListener("pointerleave", () => { hovered = -1; tip.hidden = true; if (!drag) drawPairs(); });
  canvas.addEventListener("pointerup", () => {
    if (!drag) return;
    const { panel, x, y, toX, toY } = drag;
    drag = null;
    if (Math.abs(toX - x) < 4 && Math.abs(toY - y) < 4) {
      const found = designAt(panel, x, y);
      state.chosen = found >= 0 ? designs.label[found] : "";
      later();
      return;
    }
    limit(panel.x, Math.max(panel.x.low, backAcross(panel, Math.min(x, toX))), Math.min(panel.x.high, backAcross(panel, Math.max(x, toX))));
    if (panel.y !== panel.x) limit(panel.y, Math.max(panel.y.low, backUp(panel, Math.max(y, toY))), Math.min(panel.y.high, backUp(panel, Math.min(y, toY))));
  });
  canvas.addEventListener("dblclick", (event) => {
    const panel = panelAt(...place(event, canvas));
    if (!panel) return;
    delete state.limits[panel.x.name];
    delete state.limits[panel.y.name];
    later();
  });
}

// -- parallel axes ----------------------------------------------------------------------------------------------------------

const HIGH = 240, TOP = 56, APART = 92; // pixels of an axis, above it, and between two at least
let axisDrag = null;

function axisPlace(number) {
  const width = $("parallel").clientWidth, count = designs.axes.length;
  return 60 + (count > 1 ? number * (width - 120) / (count - 1) : (width - 120) / 2);
}

/** How far down a value is on its axis; better is up. */
function depth(axis, value) {
  const share = (value - axis.low) / (axis.high - axis.low);
  return TOP + HIGH * (axis.better < 0 ? share : 1 - share);
}

function fromDepth(axis, down) {
  const share = Math.min(1, Math.max(0, (down - TOP) / HIGH));
  return axis.low + (axis.high - axis.low) * (axis.better < 0 ? share : 1 - share);
}

function drawParallel() {
  const canvas = $("parallel");
  canvas.style.width = `${Math.max(canvas.parentElement.clientWidth, APART * designs.axes.length)}px`;
  const pen = prepared(canvas, canvas.clientWidth, TOP + HIGH + 24);
  const places = designs.axes.map((_, number) => axisPlace(number)), chosen = designs.label.indexOf(state.chosen);
  const line = (i) => {
    designs.axes.forEach((axis, number) => {
      const down = depth(axis, axis.values[i]);
      if (number) pen.lineTo(places[number], down);
      else pen.moveTo(places[number], down);
    });
  };
  pen.strokeStyle = COLOURS.front;
  pen.globalAlpha = Math.max(0.08, Math.min(0.8, 20 / Math.max(1, front.length)));
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (const i of front) line(i);
  pen.stroke();
  pen.globalAlpha = 1;
  if (chosen >= 0) {
    pen.strokeStyle = COLOURS.chosen;
    pen.lineWidth = 3;
    pen.beginPath();
    line(chosen);
    pen.stroke();
  }
  pen.textAlign = "center";
  designs.axes.forEach((axis, number) => {
    pen.strokeStyle = COLOURS.axis;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(places[number], TOP);
    pen.lineTo(places[number], TOP + HIGH);
    pen.stroke();
    pen.fillStyle = COLOURS.ink;
    const [name, unit] = axis.title.split(" [");
    pen.fillText(name, places[number], 12);
    if (unit) pen.fillText(`[${unit}`, places[number], 26);
    if (axis.ticks)
      axis.ticks.forEach((text, value) => {
        const down = depth(axis, value), wide = pen.measureText(text).width + 6;
        pen.fillStyle = "rgba(255, 255, 255, 0.85)";
        pen.fillRect(places[number] - wide / 2, down - 7, wide, 14);
        pen.fillStyle = COLOURS.ink;
        pen.fillText(text, places[number], down + 4);
      });
    else
      for (const [value, down] of [[axis.high, depth(axis, axis.high)], [axis.low, depth(axis, axis.low)]])
        pen.fillText(short(value), places[number], down < TOP + 1 ? TOP - 6 : down + 16);
    const limits = state.limits[axis.name];
    if (limits) {
      pen.fillStyle = "rgba(213, 94, 0, 0.35)";
      const ends = [depth(axis, limits[0]), depth(axis, limits[1])];
      pen.fillRect(places[number] - 6, Math.min(...ends) - 3, 12, Math.abs(ends[0] - ends[1]) + 6);
    }
  });
}

function listenToParallel() {
  const canvas = $("parallel");
  const nearest = (x) => designs.axes.map((axis, number) => [Math.abs(axisPlace(number) - x), axis]).sort((a, b) => a[0] - b[0])[0];
  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = place(event, canvas), [far, axis] = nearest(x);
    if (far > 24) return;
    canvas.setPointerCapture(event.pointerId);
    axisDrag = { axis, from: y };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!axisDrag) return;
    const [, y] = place(event, canvas);
    if (Math.abs(y - axisDrag.from) < 4) return;
    const ends = [fromDepth(axisDrag.axis, axisDrag.from), fromDepth(axisDrag.axis, y)].sort((a, b) => a - b);
    limit(axisDrag.axis, ends[0], ends[1]);
  });
  canvas.addEventListener("pointerup", () => { axisDrag = null; });
  canvas.addEventListener("dblclick", (event) => {
    const [far, axis] = nearest(place(event, canvas)[0]);
    if (far <= 24) { delete state.limits[axis.name]; later(); }
  });
}

// -- sliders ----------------------------------------------------------------------------------------------------------------

const sliders = new Map();

function makeSliders() {
  const box = $("sliders");
  box.replaceChildren();
  sliders.clear();
  for (const axis of designs.axes) {
    const steps = axis.ticks ? axis.ticks.length - 1 : STEPS;
    if (!steps) continue; // a single choice
    const ends = ["from", "to"].map((which) => make("input", { type: "range", min: 0, max: steps, step: 1, ariaLabel: `${axis.title}, ${which}` }));
    const told = make("output");
    const value = (input) => axis.low + (axis.high - axis.low) * input.value / steps;
    for (const [number, input] of ends.entries())
      input.addEventListener("input", () => {
        const other = ends[1 - number];
        if (+ends[0].value > +ends[1].value) other.value = input.value;
        limit(axis, value(ends[0]), value(ends[1]));
      });
    box.append(make("fieldset", {}, make("legend", { textContent: axis.title }), ...ends, told));
    sliders.set(axis.name, { axis, ends, told, steps });
  }
}

function drawSliders() {
  for (const { axis, ends, told, steps } of sliders.values()) {
    const [low, high] = state.limits[axis.name] || [axis.low, axis.high];
    const places = [low, high].map((value) => Math.round(steps * (value - axis.low) / (axis.high - axis.low)));
    ends.forEach((input, number) => {
      if (+input.value !== places[number]) input.value = places[number];
      input.setAttribute("aria-valuetext", axis.ticks ? axis.ticks[places[number]] : short([low, high][number]));
    });
    const words = axis.ticks ? places.map((at) => axis.ticks[at]) : [short(low), short(high)];
    told.textContent = state.limits[axis.name] ? `${words[0]} to ${words[1]}` : "any";
    told.classList.toggle("limited", axis.name in state.limits);
  }
}

// -- the table and the chosen design -----------------------------------------------------------------------------------------

function listed() {
  const rows = state.all ? [...mask.keys()].filter((i) => mask[i]) : [...front];
  const axis = designs.axes.find((one) => one.name === state.sort) || designs.objectives[0];
  const sign = (state.sort ? (state.descending ? -1 : 1) : -axis.better);
  return rows.sort((a, b) => sign * (axis.values[a] - axis.values[b]) || a - b);
}

function cell(axis, i) {
  if (axis.ticks) return axis.ticks[axis.values[i]] ?? "-";
  return short(axis.values[i]);
}

function drawTable() {
  const rows = listed(), head = $("head"), body = $("body");
  head.replaceChildren(make("th", { scope: "col", textContent: "design" }), ...designs.axes.map((axis) => {
    const sorted = state.sort === axis.name;
    const button = make("button", { type: "button", textContent: axis.title + (sorted ? (state.descending ? " ▼" : " ▲") : "") });
    button.addEventListener("click", () => {
      const first = axis.better > 0; // best first
      [state.sort, state.descending] = sorted ? [axis.name, !state.descending] : [axis.name, first];
      later();
    });
    const header = make("th", { scope: "col" }, button);
    header.setAttribute("aria-sort", sorted ? (state.descending ? "descending" : "ascending") : "none");
    return header;
  }), make("th", { scope: "col", textContent: "found by", className: "words" }));
  const shown = rows.slice(0, ROWS);
  body.replaceChildren(...shown.map((i) => {
    const button = make("button", { type: "button", textContent: designs.label[i] });
    button.addEventListener("click", () => { state.chosen = state.chosen === designs.label[i] ? "" : designs.label[i]; later(); });
    button.setAttribute("aria-pressed", String(state.chosen === designs.label[i]));
    const found = designs.strategy[i] + (designs.derived[i] ? ", derived" : "");
    return make("tr", { className: state.chosen === designs.label[i] ? "chosen" : "" }, make("td", {}, button),
      ...designs.axes.map((axis) => make("td", { textContent: cell(axis, i) })), make("td", { textContent: found, className: "words" }));
  }));
  $("more").textContent = rows.length > ROWS ? `and ${rows.length - ROWS} more: the CSV has all of them` : "";
}

function drawChosen() {
  const box = $("chosen"), i = designs.label.indexOf(state.chosen);
  box.hidden = i < 0;
  if (i < 0) return;
  const terms = designs.axes.map((axis) => [axis.title, cell(axis, i)]);
  for (const bits of designs.bits || []) terms.push([bits.title, bits.values[i]]);
  if (designs.evaluation[i]) terms.push(["evaluation", designs.derived[i] ? `${designs.evaluation[i]}, whose training it shares` : String(designs.evaluation[i])]);
  const list = make("dl", {}, ...terms.flatMap(([term, text]) => [make("dt", { textContent: term }), make("dd", { textContent: text })]));
  box.replaceChildren(make("h3", { textContent: designs.label[i] }), list, ...breakdowns(designs.label[i]));
}

/** Where time, energy and area of a design go, as bars. */
function breakdowns(label) {
  const all = page.breakdown;
  if (!all) return [];
  const row = all.labels.indexOf(label);
  if (row < 0) return [make("p", { className: "quiet", textContent: `Where time, energy and area go is kept for the ${all.labels.length} designs of the front: rex plot STUDY --kind breakdown --design shows any other.` })];
  return [make("div", { className: "breakdowns" }, ...all.quantities.map((one) => {
    const values = one.values[row].map((value) => value / one.factor), largest = Math.max(...values, 1e-300);
    const parts = one.parts.map((part, number) => [part, values[number]]).filter(([, value]) => value > 0);
    if (one.by === "component") parts.sort((a, b) => b[1] - a[1]);
    return make("table", { className: "bars" }, make("caption", { textContent: one.title }), ...parts.map(([part, value]) => {
      const bar = make("span", { className: "bar" });
      bar.style.width = `${100 * value / largest}%`;
      return make("tr", {}, make("th", { scope: "row", textContent: part }), make("td", {}, bar), make("td", { textContent: short(value) }));
    }));
  }))];
}

// -- export -------------------------------------------------------------------------------------------------------------------

function csv() {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${String(text).replaceAll('"', '""')}"` : String(text));
  const axes = designs.axes.filter((axis) => !axis.counted), bits = designs.bits || [];
  const raw = (axis, i) => (axis.ticks ? axis.ticks[axis.values[i]] ?? "" : page.designs.axes.find((one) => one.name === axis.name).values[i] ?? "");
  const lines = [["design", ...axes.map((axis) => axis.name), ...bits.map((one) => one.name), "strategy", "derived", "evaluation"]];
  for (const i of listed()) lines.push([designs.label[i], ...axes.map((axis) => raw(axis, i)), ...bits.map((one) => one.values[i]), designs.strategy[i], designs.derived[i] ? 1 : 0, designs.evaluation[i]]);
  return lines.map((line) => line.map(quoted).join(",")).join("\n") + "\n";
}

function listenToControls() {
  $("export").addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    make("a", { href: address, download: `${page.name}.csv` }).click();
    URL.revokeObjectURL(address);
  });
  $("clear").addEventListener("click", () => { state.limits = {}; later(); });
  $("all").addEventListener("change", (event) => { state.all = event.target.checked; later(); });
  window.addEventListener("hashchange", () => { fromFragment(designs); $("all").checked = state.all; later(); });
  new ResizeObserver(later).observe($("pairs").parentElement);
}

// -- beginning ------------------------------------------------------------------------------------------------------------------

let page;

/** Show what a study holds, at first or when it has gone on. */
function show(found) {
  page = found;
  designs = new Designs(page.designs);
  $("summary").replaceChildren(...page.summary.map((text) => make("p", { textContent: text })));
  makeSliders();
  later();
}

/** Ask a server for what is new, and go on asking. */
async function follow() {
  let known = page.version;
  for (;;) {
    await new Promise((done) => setTimeout(done, page.poll_ms));
    const told = $("live");
    try {
      const answer = await fetch(`data.json?known=${encodeURIComponent(known)}`, { headers: page.token ? { Authorization: `Bearer ${page.token}` } : {} });
      if (answer.status === 204) { told.textContent = "live"; continue; }
      if (!answer.ok) throw new Error(`${answer.status}`);
      show(await answer.json());
      known = page.version;
      told.textContent = "live";
    } catch {
      told.textContent = "the server does not answer: what is shown stands still";
    }
  }
}

show(JSON.parse($("data").textContent));
fromFragment(designs);
$("all").checked = state.all;
listenToPairs();
listenToParallel();
listenToControls();
if (page.poll_ms) follow();
