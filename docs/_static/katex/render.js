// Sets every formula of the page, which stands in it as TeX.
document.addEventListener("DOMContentLoaded", () => {
  for (const formula of document.querySelectorAll(".math[data-display]")) {
    katex.render(formula.textContent, formula, { displayMode: formula.dataset.display === "true", throwOnError: false });
  }
});
