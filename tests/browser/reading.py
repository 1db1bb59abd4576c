"""What a page asks of its reader, measured in the browser: length, code, cuts, raw output."""

MEASURE = r"""() => {
  const all = (names, within = document) => [...within.querySelectorAll(names)];
  const seen = one => one.getClientRects().length > 0;
  // What is folded has rectangles all the same, and no innerText.
  const open = one => seen(one) && one.checkVisibility({visibilityProperty: true});
  const text = one => one.textContent.trim();
  const short = one => text(one).replace(/\s+/g, " ").slice(0, 80);
  const body = document.querySelector("article");
  const wider = one => one.scrollWidth > one.clientWidth + 1;
  const cells = all("article table tbody td, article table thead th").filter(seen);
  const figures = all("article figure.kdlib-chart, article .kdlib-explorable, article img");
  const bad = new RegExp("^(nan|none|<na>|nat)$", "i");
  const folded = all("details", body).filter(one => !one.open);
  folded.forEach(one => { one.open = true; });
  const everything = {
    code: all("article .cell_input pre, article div.highlight pre").filter(wider).map(short),
    tables: all("article table").filter(seen)
      .filter(one => one.scrollWidth > one.parentElement.clientWidth + 1).map(short),
    empty_rows: all("article table thead tr")
      .filter(row => all("th", row).every(one => text(one) === "")).length,
    not_a_number: all("article table td").filter(one => bad.test(text(one)))
      .map(one => short(one.parentElement)),
    raw_names: all("article table th")
      .filter(one => /[a-z0-9]_[a-z0-9]/.test(text(one))).map(short),
  };
  folded.forEach(one => { one.open = false; });
  const plain = all("article .output.text_plain").filter(seen);
  const repr = /^(['"\[<{]|\w[\w.]*\()/;
  return {
    height: Math.round(body.getBoundingClientRect().height),
    open_cells: all("article .cell_input").filter(open).length,
    first_figure: Math.round(Math.min(...figures.filter(open)
      .map(one => one.getBoundingClientRect().top + scrollY))),
    reprs: plain.filter(one => repr.test(text(one))).map(short),
    ...everything,
  };
}"""

OPEN_CELLS = 12
HEIGHT = 8000
FIRST_FIGURE = 1350


def faults(measured, *, chapter=True):
    """What passes a bar, one line per fault; an empty list where the page is fine.

    Length, open code and the first figure are asked of chapters alone.
    """
    found = [
        f"{name} {measured[name]}, at most {most}"
        for name, most in (
            ("open_cells", OPEN_CELLS), ("height", HEIGHT), ("first_figure", FIRST_FIGURE),
        )
        if chapter and (measured[name] is None or measured[name] > most)
    ]  # fmt: skip
    named = ("reprs", "code", "tables", "not_a_number", "raw_names")
    found += [f"{name}: {one}" for name in named for one in measured[name]]
    if measured["empty_rows"]:
        found.append(f"{measured['empty_rows']} empty header rows")
    return found
