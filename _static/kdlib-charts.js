/* Draws the book's charts.
 *
 * A chart is a <figure class="kdlib-chart"> with a Vega-Lite specification as JSON inside. Vega is
 * loaded from this site, once, when the first chart comes near the screen. Charts are made
 * narrower where the screen is; their sliders keep what the reader chose. Texts and lines are drawn
 * in `currentColor`, so that they follow the page's theme, and print, without being drawn again.
 */
(() => {
  "use strict";

  const PHONE = 520; // px: below this, charts side by side go one under another
  const AXIS = 70; // px: a first guess of what axes need beside the plot
  const LETTER = 7.6; // px: width of a letter in a title
  /* Marks that say nothing to a screen reader, such as the frame of a selection. */
  const UNNAMED = "[role='graphics-symbol']:not([aria-label]), [role='graphics-object']:not([aria-label])";

  // ---- pure functions on specifications --------------------------------------------------------

  const LISTS = ["hconcat", "vconcat", "concat", "layer"];

  /** The views directly inside a view. */
  const children = (view) =>
    [...LISTS.flatMap((name) => view[name] ?? []), ...(view.spec ? [view.spec] : [])];

  /** A copy of a view with `change(view, width)` applied to it and to every view inside it, where
   *  `width` is that of the plot which the view is drawn in. */
  function mapViews(view, change, outside = undefined) {
    const copy = { ...view };
    const width = typeof view.width === "number" ? view.width : outside;
    for (const name of LISTS) {
      if (copy[name]) copy[name] = copy[name].map((inner) => mapViews(inner, change, width));
    }
    if (copy.spec) copy.spec = mapViews(copy.spec, change, width);
    return change(copy, width);
  }

  /** Widest sum of plot widths side by side, in px. */
  function plotWidth(view) {
    const own = typeof view.width === "number" ? view.width : 0;
    const widths = children(view).map(plotWidth);
    const sideBySide = view.hconcat && widths.length;
    const inner = sideBySide ? widths.reduce((a, b) => a + b, 0) : Math.max(0, ...widths);
    return Math.max(own, inner);
  }

  /** Numeric widths and width steps times `factor`; heights stay. */
  function scaleWidths(spec, factor) {
    return mapViews(spec, (view) => {
      if (typeof view.width === "number") return { ...view, width: Math.round(view.width * factor) };
      if (view.width?.step) return { ...view, width: { step: view.width.step * factor } };
      return view;
    });
  }

  /** On a phone, charts side by side go one under another. */
  function stack(spec, available) {
    if (available >= PHONE) return spec;
    return mapViews(spec, (view) => {
      if (view.hconcat) {
        const { hconcat, ...rest } = view;
        return { ...rest, vconcat: hconcat };
      }
      return view.columns ? { ...view, columns: 1 } : view;
    });
  }

  /** `text` in lines of at most `most` letters, broken between words. */
  function wrap(text, most) {
    const lines = [""];
    for (const word of text.split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (longer.length <= most || lines.at(-1) === "") lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  /** A text in lines that fit into `room` px; what fits, or is no text, stays as it is. */
  function cut(text, room) {
    const most = Math.max(12, Math.floor(room / LETTER));
    return typeof text === "string" && text.length > most ? wrap(text, most) : text;
  }

  /** Titles of views in lines of `available` px, titles of horizontal axes in those of the plot. */
  function wrapTitles(spec, available) {
    return mapViews(spec, (view, width) => {
      const copy = { ...view };
      if (copy.title?.text) copy.title = { ...copy.title, text: cut(copy.title.text, available) };
      else copy.title = cut(copy.title, available);
      if (copy.title === undefined) delete copy.title;
      const x = copy.encoding?.x;
      if (x) copy.encoding = { ...copy.encoding, x: cutAxis(x, width ?? available) };
      return copy;
    });
  }

  function cutAxis(x, room) {
    const copy = { ...x };
    if (copy.title) copy.title = cut(copy.title, room);
    if (copy.axis?.title) copy.axis = { ...copy.axis, title: cut(copy.axis.title, room) };
    return copy;
  }

  /** The factor for the widths, given what the drawn chart measured with the current one. */
  function nextFactor(measured, plots, factor, available) {
    const beside = Math.max(0, measured - plots * factor);
    return Math.min(1, Math.max(0.15, (available - beside) / plots));
  }

  /** A copy of `spec` whose bound parameters start at `values[name]`. */
  function withValues(spec, values) {
    return mapViews(spec, (view) => {
      if (!view.params) return view;
      const params = view.params.map((one) =>
        one.name in values ? { ...one, value: values[one.name] } : one);
      return { ...view, params };
    });
  }

  /** Names of the parameters that sliders and lists set. */
  function boundNames(view) {
    const own = (view.params ?? []).filter((one) => one.bind && !one.select);
    return [...new Set([...own.map((one) => one.name), ...children(view).flatMap(boundNames)])];
  }

  /** Vega's configuration for the page: its font, its colours, no background. */
  function config(font, narrow) {
    const ink = { labelColor: "currentColor", titleColor: "currentColor" };
    const lines = { domainColor: "currentColor", tickColor: "currentColor", gridColor: "currentColor" };
    return {
      background: "transparent",
      font,
      view: { stroke: null },
      axis: {
        ...ink, ...lines, gridOpacity: 0.15, domainOpacity: 0.5, tickOpacity: 0.5,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
      },
      header: ink,
      legend: { ...ink, labelFontSize: 13, columns: narrow ? 2 : 0 },
      title: {
        color: "currentColor", subtitleColor: "currentColor",
        anchor: "start", fontSize: 14, offset: 10,
      },
      rule: { color: "currentColor" },
      text: { color: "currentColor" },
    };
  }

  /** The specification as it is drawn: fitted, with the page's configuration under its own. */
  function prepare(spec, { available, factor, font, values }) {
    const fitted = wrapTitles(scaleWidths(stack(spec, available), factor), available);
    const { config: own, ...rest } = withValues(fitted, values);
    const { view: _view, ...kept } = own ?? {};
    return { ...rest, config: { ...config(font, available < PHONE), ...kept } };
  }

  const pure = { boundNames, config, nextFactor, plotWidth, prepare, scaleWidths, stack, withValues,
    wrap, wrapTitles };
  if (typeof module !== "undefined") module.exports = pure;
  if (typeof document === "undefined") return;
  globalThis.kdlibCharts = pure;

  // ---- the page --------------------------------------------------------------------------------

  const root = () => document.documentElement.dataset.content_root ?? "./";
  const bundle = () => new URL(`${root()}_static/vega/vega-bundle.js`, document.baseURI).href;
  let loading = null;

  /** Vega, loaded once for all charts of the page. */
  function loadVega() {
    loading ??= new Promise((resolve, reject) => {
      if (globalThis.vegaEmbed) return resolve(globalThis.vegaEmbed);
      const script = document.createElement("script");
      script.src = bundle();
      script.onload = () => resolve(globalThis.vegaEmbed);
      script.onerror = () => reject(new Error(`${script.src} could not be loaded`));
      document.head.append(script);
    });
    return loading;
  }

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.place = figure.querySelector(".kdlib-chart-view");
      this.spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      this.result = null;
      this.drawnFor = 0;
      this.busy = Promise.resolve();
    }

    /** Draw, after any drawing under way; does nothing where the width is still the same. */
    draw() {
      this.busy = this.busy.then(() => this.drawNow()).catch((error) => this.explain(error));
      return this.busy;
    }

    async drawNow() {
      const available = Math.floor(this.place.clientWidth);
      if (available < 1 || Math.abs(available - this.drawnFor) < 8) return;
      await loadVega();
      const values = this.values();
      const plots = plotWidth(stack(this.spec, available)) || available;
      let factor = Math.min(1, (available - AXIS) / plots);
      for (let round = 0; round < 3; round += 1) {
        await this.embed({ available, factor, values });
        const better = nextFactor(this.measure(), plots, factor, available);
        if (Math.abs(better - factor) * plots < 6) break;
        factor = better;
      }
      this.drawnFor = available;
      this.figure.dataset.drawn = "true";
    }

    async embed({ available, factor, values }) {
      const font = getComputedStyle(this.figure).fontFamily;
      const spec = prepare(this.spec, { available, factor, font, values });
      this.result?.finalize();
      const options = { actions: false, renderer: "svg", mode: "vega-lite" };
      this.result = await globalThis.vegaEmbed(this.place, spec, options);
      this.place.querySelectorAll("form.vega-bindings").forEach(connect);
      this.place.querySelectorAll(UNNAMED).forEach((mark) => mark.setAttribute("aria-hidden", "true"));
    }

    /** The chart's own width, before the style sheet shrinks what is too wide. */
    measure() {
      return this.place.querySelector("svg")?.width.baseVal.value ?? 0;
    }

    /** What the reader chose so far, by parameter. */
    values() {
      if (!this.result) return {};
      const { view } = this.result;
      return Object.fromEntries(boundNames(this.spec).map((name) => [name, view.signal(name)]));
    }

    explain(error) {
      const line = document.createElement("p");
      line.textContent = `This chart could not be drawn (${error.message}). ${this.spec.description ?? ""}`;
      this.place.replaceChildren(line);
      console.error(error);
    }
  }

  /** Make a form of sliders usable: no reload on Enter, and names for groups of buttons. */
  function connect(form) {
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const row of form.querySelectorAll(".vega-bind")) {
      const group = row.querySelector(".vega-bind-radio");
      if (!group) continue;
      group.setAttribute("role", "radiogroup");
      group.setAttribute("aria-label", row.querySelector(".vega-bind-name").textContent.trim());
    }
  }

  function start() {
    const charts = [...document.querySelectorAll("figure.kdlib-chart")].map((one) => new Chart(one));
    const of = new Map(charts.map((chart) => [chart.figure, chart]));
    const resized = new ResizeObserver((all) => all.forEach(({ target }) => of.get(target).draw()));
    const seen = new IntersectionObserver((all) => {
      for (const { target, isIntersecting } of all) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        resized.observe(target); // reports once at the start, which draws the chart
      }
    }, { rootMargin: "600px 0px" });
    charts.forEach((chart) => seen.observe(chart.figure));
    /* For who prints by a program: resolves once every chart is drawn. */
    pure.drawAll = () => Promise.all(charts.map((chart) => chart.draw()));
    // What is not drawn by then is printed as its still picture (kdlib-charts.css).
    addEventListener("beforeprint", () => {
      document.querySelectorAll("details.deeper").forEach((part) => { part.open = true; });
    });
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
