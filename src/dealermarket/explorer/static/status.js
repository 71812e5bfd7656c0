// What is said above the panels: how far an answer is, and what is wrong.

import { el, say } from "./dom.js";
import { count, number } from "./format.js";

export class Status {
  #bar = document.getElementById("progress");
  #text = document.getElementById("progress-text");
  #stop = document.getElementById("stop");
  #answered = null; // the question that has an answer
  #notices = document.getElementById("notices");

  /** How many replicas are shown, of how many asked for. */
  answered({ re, replicas, asked, final, stopped, seconds }) {
    this.#answered = re;
    this.#show(replicas / Math.max(asked, 1), { done: final, stop: !final });
    const amount = final && replicas === asked ? count(asked) : `${count(replicas)} of ${count(asked)}`;
    const time = seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${number(seconds, 2)} s`;
    say(this.#text, `${amount} ${asked === 1 ? "replica" : "replicas"}${stopped ? " until stopped" : ""} in ${time}`);
  }

  /** What the server does before the first answer to a question; later ones say how far it is. */
  busy({ re, what }) {
    if (re !== undefined && re === this.#answered) return;
    this.#show(0, { busy: true, stop: true });
    say(this.#text, what[0].toUpperCase() + what.slice(1));
  }

  /** At the first start of all, which takes longer. */
  compiles(seconds) {
    this.#show(0, { busy: true });
    say(this.#text, "Compiling");
    this.notice("compiling", `The first start compiles machine code: about ${seconds} s. Later ones are ready at once.`);
  }

  says(text) {
    this.#show(0, {});
    say(this.#text, text);
  }

  /** A notice of a kind, above the panels; without a text the one of that kind goes. */
  notice(kind, text) {
    const known = this.#notices.querySelector(`[data-notice="${kind}"]`);
    if (!text) known?.remove();
    else if (known) say(known, text);
    else this.#notices.append(el("p", { className: kind === "compiling" ? "notice" : "notice error", data: { notice: kind }, role: "alert" }, text));
  }

  #show(share, { done = false, stop = false, busy = false }) {
    this.#bar.classList.toggle("busy", busy);
    this.#bar.classList.toggle("done", done);
    this.#bar.querySelector(".track > span").style.transform = `scaleX(${share})`;
    this.#stop.classList.toggle("unseen", !stop);
    this.#stop.disabled = !stop;
  }
}
