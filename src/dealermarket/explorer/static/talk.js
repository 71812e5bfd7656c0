// The connection to the server. Of two kinds of questions ("ask" and "trace") at most one each waits for its first answer; what
// changes meanwhile is asked once that has come, the newest only.

const RETRY = [500, 1000, 2000, 4000];

/** Calls `on.connected`, `on.lost(reason)`, `on.message(message)`; the latter with answers of the newest question only. */
export class Talk {
  #socket = null;
  #id = 0;
  #tries = 0;
  #lanes = { ask: new Lane(), trace: new Lane() };

  constructor(on) {
    this.on = on;
  }

  connect() {
    const address = new URL("talk", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#tries = 0;
      this.on.connected();
    });
    socket.addEventListener("message", (event) => this.#hear(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.#lost(event.reason));
  }

  /** Sends a question that has no lane: open, texts, stop, load. Returns its id, null without a connection. */
  send(question) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return null;
    this.#id += 1;
    this.#socket.send(JSON.stringify({ id: this.#id, ...question }));
    return this.#id;
  }

  /** Sends a question of a lane now, or once the one before is answered; `make` is called when it is sent. */
  ask(lane, make) {
    this.#lanes[lane].next = make;
    this.#advance(this.#lanes[lane]);
  }

  /** Whether what is shown is of an older question than the newest. */
  behind(lane) {
    return this.#lanes[lane].waits !== null || this.#lanes[lane].next !== null;
  }

  #advance(lane) {
    if (lane.waits !== null || lane.next === null) return;
    const question = lane.next();
    lane.next = null;
    if (question === null) return;
    lane.latest = lane.waits = this.send(question);
  }

  #hear(message) {
    for (const lane of Object.values(this.#lanes)) {
      if (message.re === undefined || message.re !== lane.latest) continue;
      this.on.message(message);
      if (["answer", "errors", "trace", "refused"].includes(message.is)) {
        lane.waits = null;
        this.#advance(lane);
      }
      return;
    }
    if (message.is === "refused") this.#free(message.re);
    if (message.is !== "answer" && message.is !== "trace") this.on.message(message);
  }

  /** A refused frame is answered by nothing else. */
  #free(id) {
    for (const lane of Object.values(this.#lanes)) {
      if (id === undefined || id === lane.waits) lane.waits = null;
      this.#advance(lane);
    }
  }

  #lost(reason) {
    for (const lane of Object.values(this.#lanes)) lane.waits = lane.next = lane.latest = null;
    const wait = RETRY[Math.min(this.#tries, RETRY.length - 1)];
    this.#tries += 1;
    this.on.lost(reason);
    setTimeout(() => this.connect(), wait);
  }
}

class Lane {
  latest = null; // id of the newest question sent
  waits = null; // that id until its first answer
  next = null; // makes the question to be sent after it
}
