// The headers of a table become buttons that sort its rows: numbers by their unrounded values, the largest first, texts by
// their letters; cells without a number stay last. Without this script the table is read as it is.
for (const table of document.querySelectorAll("table[data-sorts]")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const first = numeric ? "descending" : "ascending", second = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      const sign = order === "ascending" ? 1 : -1;
      const key = (row) => (numeric ? parseFloat(row.cells[place].dataset.value ?? "nan") : row.cells[place].textContent);
      const compared = (a, b) => {
        if (!numeric) return sign * a.localeCompare(b, undefined, { numeric: true });
        return Number.isNaN(a) - Number.isNaN(b) || (Number.isNaN(a) ? 0 : sign * (a - b));
      };
      const rows = [...body.rows].map((row) => [key(row), row]);
      body.append(...rows.sort((a, b) => compared(a[0], b[0])).map(([, row]) => row));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
    });
  });
}
