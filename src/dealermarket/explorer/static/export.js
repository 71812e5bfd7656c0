// What is on the page to take along: as TOML, as a command, as Python; and the run itself.

import { el, say } from "./dom.js";

const KINDS = [
  { name: "command", label: "Command" },
  { name: "toml", label: "TOML" },
  { name: "python", label: "Python" },
];

/** The dialog behind "Copy or download". `ask()` asks the server for the texts, `state()` is what is downloaded. */
export class Export {
  #texts = null;
  #kind = "command";

  constructor(dialog, { ask, state }) {
    this.dialog = dialog;
    this.state = state;
    this.ask = ask;
    this.tabs = KINDS.map(({ name, label }) => el("button", { type: "button", data: { copy: name }, on: { click: () => this.#show(name) } }, label));
    this.text = el("pre", { tabIndex: 0 });
    this.copy = el("button", { type: "button", className: "primary", id: "copy", on: { click: () => this.#copy() } }, "Copy");
    this.download = el("button", { type: "button", id: "download", on: { click: () => this.#download() } }, "Download the run");
    this.said = el("p", { role: "status", className: "muted" });
    const close = el("button", { type: "button", "aria-label": "Close", on: { click: () => dialog.close() } }, "✕");
    dialog.append(
      el("header", {}, el("h2", { id: "export-title" }, "Copy this market, or download its run"), close),
      el("div", { className: "tabs" }, ...this.tabs),
      this.text,
      el("footer", {}, this.copy, this.download, this.said),
      el("p", { className: "muted" }, "The download is a folder of a run as a ZIP file, with the replicas and the seed that are set: open it with ", el("code", {}, "dealermarket inspect"), ", ", el("code", {}, "plot"), " or pandas."),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  open() {
    this.#texts = null;
    say(this.said, "");
    this.#show(this.#kind);
    if (!this.ask()) say(this.text, "There is no connection to dealermarket.");
    this.dialog.showModal();
  }

  texts(message) {
    this.#texts = message;
    this.#show(this.#kind);
  }

  errors(lines) {
    say(this.text, lines.join("\n"));
  }

  #show(kind) {
    this.#kind = kind;
    this.tabs.forEach((tab) => tab.setAttribute("aria-pressed", tab.dataset.copy === kind));
    say(this.text, this.#texts?.[kind] ?? "…");
    this.copy.disabled = !this.#texts;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#texts[this.#kind]);
      say(this.said, "Copied.");
    } catch {
      getSelection().selectAllChildren(this.text);
      say(this.said, "The browser does not allow it: the text is selected, copy it with Ctrl+C.");
    }
  }

  async #download() {
    this.download.disabled = true;
    say(this.said, "Simulates and packs the run.");
    try {
      const answer = await fetch("run.zip", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(this.state()) });
      if (!answer.ok) throw new Error(await answer.text());
      const name = /filename="?([^";]+)/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "run.zip";
      const address = URL.createObjectURL(await answer.blob());
      el("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      say(this.said, `Downloaded as ${name}.`);
    } catch (error) {
      say(this.said, error instanceof TypeError ? "There is no connection to dealermarket." : error.message);
    }
    this.download.disabled = false;
  }
}
