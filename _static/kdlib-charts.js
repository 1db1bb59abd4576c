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
  const MARGINS = 14; // px: what Vega leaves free at the left and the right, and for rounding
  const AXIS = 70; // px: a first guess of what axes need beside the plot
  const LETTER = 7.6; // px: width of a letter in a title, where nothing measures it
  const TITLE = "bold 14px"; // as below in `config`
  const LABEL = 24; // letters: the longest line of a name beside a plot on a phone
  const SENTENCE = 11; // px: the letters of a sentence inside a plot on a phone
  const WORDS = 12; // letters: a longer text inside a plot is a sentence and no label
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
      if (view.facet?.column && !view.facet.row) return { ...view, facet: view.facet.column, columns: 1 };
      if (view.hconcat) {
        const { hconcat, ...rest } = view;
        return { ...rest, vconcat: hconcat };
      }
      return view.columns ? { ...view, columns: 1 } : view;
    });
  }

  /** `text` in lines of at most `most` letters, or px by `widthOf`, broken between words. */
  function wrap(text, most, widthOf = (line) => line.length) {
    const lines = [""];
    for (const word of text.split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (widthOf(longer) <= most || lines.at(-1) === "") lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  const guessed = (text) => LETTER * text.length;

  /** A text, or each of its lines, in lines that fit into `room` px; what fits stays as it is. */
  function cut(text, room, widthOf = guessed) {
    if (Array.isArray(text)) return text.flatMap((line) => cut(line, room, widthOf));
    const most = Math.max(12 * LETTER, room);
    return typeof text === "string" && widthOf(text) > most ? wrap(text, most, widthOf) : text;
  }

  /** Titles of views in lines of `available` px, titles of horizontal axes in those of the plot.
   *  `widthOf` measures a line of a view's title. */
  function wrapTitles(spec, available, widthOf = guessed) {
    return mapViews(spec, (view, width) => {
      const copy = { ...view };
      const fitted = (text) => cut(text, available - MARGINS, widthOf);
      if (copy.title?.text) copy.title = { ...copy.title, text: fitted(copy.title.text) };
      else copy.title = fitted(copy.title);
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

  const BROKEN = `regexp('(.{1,${LABEL}})( +|$)', 'g'), '$1\\n'`;

  /** On a phone, names beside a plot go into lines of at most LABEL letters, and words inside it
   *  that start at its left are no larger than SENTENCE. */
  function wrapLabels(spec, available) {
    if (available >= PHONE) return spec;
    return mapViews(spec, (view) => {
      if (view.mark?.type === "text" && view.mark.align === "left") {
        const fontSize = Math.min(view.mark.fontSize ?? SENTENCE, SENTENCE);
        return { ...view, mark: { ...view.mark, fontSize } };
      }
      const y = view.encoding?.y;
      const named = ["nominal", "ordinal"].includes(y?.type) && y.axis !== null;
      if (!named || y.axis?.labelExpr) return view;
      const labelExpr = `split(trim(replace(datum.label, ${BROKEN})), '\\n')`;
      return { ...view, encoding: { ...view.encoding, y: { ...y, axis: { ...y.axis, labelExpr } } } };
    });
  }

  /** The factor for the widths, given what the drawn chart measured with the current one; at most
   *  `most`, which is above 1 where plots that stood side by side stand one under another. */
  function nextFactor(measured, plots, factor, available, most = 1) {
    const beside = Math.max(0, measured - plots * factor);
    return Math.min(most, Math.max(0.15, (available - beside) / plots));
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
  function config(font, columns = 0) {
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
      legend: { ...ink, labelFontSize: 13, columns },
      title: {
        color: "currentColor", subtitleColor: "currentColor",
        anchor: "start", fontSize: 14, offset: 10,
      },
      rule: { color: "currentColor" },
      text: { color: "currentColor" },
    };
  }

  /** The specification as it is drawn: fitted, with the page's configuration under its own. */
  function prepare(spec, { available, factor, font, values, widthOf, columns }) {
    const fitted = wrapTitles(
      scaleWidths(wrapLabels(stack(spec, available), available), factor), available, widthOf);
    const { config: own, ...rest } = withValues(fitted, values);
    const { view: _view, ...kept } = own ?? {};
    const page = config(font, columns);
    return { ...rest, config: { ...page, ...kept, axis: { ...page.axis, ...kept.axis } } };
  }

  const pure = { boundNames, config, nextFactor, plotWidth, prepare, scaleWidths, stack, withValues,
    wrap, wrapLabels, wrapTitles };
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

  /** What measures a line of text in a font, in px. */
  function measurer(font) {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = font;
    return (line) => pen.measureText(line).width;
  }

  /** By what the style sheet has shrunk a drawing. */
  const shrinkage = (svg) => svg.getBoundingClientRect().width / svg.width.baseVal.value;

  const EXTENT = "path.background, text";
  const counts = (one) => !one.closest(".role-title, .role-legend")
    && !(one.closest(".role-mark") && one.textContent.length > WORDS);

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
      const most = Math.max(1, plotWidth(this.spec) / plots);
      let factor = Math.min(most, (available - AXIS) / plots);
      let columns = available < PHONE ? 2 : 0; // of legends; 0: all entries in a row
      for (let round = 0; round < 3; round += 1) {
        await this.embed({ available, factor, values, columns });
        const wide = columns > 1 && this.legendsEnd() > available;
        if (wide) columns = 1;
        const better = nextFactor(this.measure(), plots, factor, available, most);
        if (!wide && Math.abs(better - factor) * plots < 6) break;
        factor = better;
      }
      this.drawnFor = available;
      this.figure.dataset.drawn = "true";
    }

    async embed({ available, factor, values, columns }) {
      const font = getComputedStyle(this.figure).fontFamily;
      const widthOf = measurer(`${TITLE} ${font}`);
      const spec = prepare(this.spec, { available, factor, font, values, widthOf, columns });
      this.result?.finalize();
      const options = { actions: false, renderer: "svg", mode: "vega-lite" };
      this.result = await globalThis.vegaEmbed(this.place, spec, options);
      this.place.querySelectorAll("form.vega-bindings").forEach(connect);
      this.place.querySelectorAll(UNNAMED).forEach((mark) => mark.setAttribute("aria-hidden", "true"));
    }

    /** The width of plots, axes and labels, before the style sheet shrinks what is too wide.
     *  Titles, legends and sentences do not count: a narrower plot would not shorten them. */
    measure() {
      const svg = this.place.querySelector("svg");
      const boxes = [...svg.querySelectorAll(EXTENT)].filter(counts)
        .map((one) => one.getBoundingClientRect()).filter((box) => box.width > 0);
      if (!boxes.length) return svg.width.baseVal.value;
      const left = Math.min(...boxes.map((box) => box.left));
      const right = Math.max(...boxes.map((box) => box.right));
      return MARGINS + (right - left) / shrinkage(svg);
    }

    /** Where the widest legend ends, in px from the left. */
    legendsEnd() {
      const svg = this.place.querySelector("svg");
      const ends = [...svg.querySelectorAll(".role-legend")].map((one) => one.getBoundingClientRect().right);
      return (Math.max(0, ...ends) - svg.getBoundingClientRect().left) / shrinkage(svg);
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
