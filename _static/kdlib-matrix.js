/* Filters the reproduction matrix. Without this script all of it can be unfolded and read. */
(() => {
  "use strict";

  /** Whether a row has every value that the lists ask for. */
  const fits = (row, asked) =>
    asked.every(([name, value]) =>
      value === "" || (row.dataset[name] ?? row.closest("details").dataset[name]) === value);

  /** On a phone a row is a card, and no table to a screen reader any more: roles and labels tell. */
  function label(table) {
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    for (const row of table.tBodies[0].rows) {
      row.setAttribute("role", "row");
      [...row.cells].forEach((cell, place) => {
        cell.setAttribute("role", "cell");
        cell.dataset.label = names[place];
      });
    }
  }

  /** Show the rows that fit; fold out the tables that have some, if anything is asked for. */
  function filter(matrix) {
    const lists = [...matrix.querySelectorAll("select[data-filter]")];
    const asked = lists.map((list) => [list.dataset.filter, list.value]);
    const any = asked.some(([, value]) => value !== "");
    const counts = new Map();
    let shown = 0;
    for (const section of matrix.querySelectorAll("details")) {
      const rows = [...section.querySelectorAll("tbody tr")];
      for (const row of rows) row.hidden = !fits(row, asked);
      const left = rows.filter((row) => !row.hidden);
      section.hidden = left.length === 0;
      section.open = any && left.length > 0;
      shown += left.length;
      for (const { dataset } of left) {
        counts.set(dataset.verdict, (counts.get(dataset.verdict) ?? 0) + 1);
      }
    }
    const all = matrix.querySelectorAll("tbody tr").length;
    const parts = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ");
    const text = `${shown} of ${all} numbers`;
    matrix.querySelector("output").textContent = parts ? `${text}: ${parts}.` : `${text}.`;
  }

  function start() {
    document.querySelectorAll(".kdlib-matrix table").forEach(label);
    for (const matrix of document.querySelectorAll(".kdlib-matrix")) {
      const form = matrix.querySelector("form");
      if (!form) continue; // the claims have no lists
      form.hidden = false;
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("change", () => filter(matrix));
      filter(matrix);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
