// Talks to the gateway of this origin. The session's token lives in this module's memory only, for minutes.

// What an answer is shown with: on a narrow screen a drawing that fits it beside an axis, not a large one shrunk.
function shown() {
  const room = document.documentElement.clientWidth;
  return { explain: true, svg: true, ...(room < 640 && { width: Math.max(240, room - 130) }) };
}

/** An error of the gateway, in its one shape. */
export class Trouble extends Error {
  constructor(code, message, requestId = "", details = {}) {
    super(message);
    this.code = code;
    this.requestId = requestId;
    this.details = details;
  }
}

async function open(path, { method = "GET", body, token, signal, accept = "application/json" } = {}) {
  const headers = { accept };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  try {
    return await fetch(path, { method, headers, signal, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("offline", "the gateway cannot be reached");
  }
}

const unreadable = () => new Trouble("unreadable", "the gateway's answer cannot be read");

function parsed(text) {
  try { return JSON.parse(text); } catch { throw unreadable(); }
}

function refusal(answer, status) {
  const error = (answer && answer.error) || {};
  return new Trouble(error.code || `http_${status}`, error.message || "the request was not accepted",
    error.request_id, error.details || {});
}

async function read(response) {
  let answer = null;
  try {
    answer = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreadable();
  }
  if (response.ok) return answer;
  throw refusal(answer, response.status);
}

const send = async (path, options) => read(await open(path, options));

/** Read server-sent events: tell each step, and return the answer, or throw the error, that comes last. */
async function follow(path, { onStep, ...options }) {
  const response = await open(path, { ...options, accept: "text/event-stream" });
  if (!response.ok) return read(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Trouble("offline", "the connection to the gateway was lost");
    }
    if (part.done) throw new Trouble("offline", "the connection to the gateway was lost");
    waiting += part.value;
    const events = waiting.split("\n\n");
    waiting = events.pop();
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/u.exec(event) || [];
      if (name === "step") onStep(parsed(data));
      else if (name === "answer") return parsed(data);
      else if (name === "error") {
        const facts = parsed(data);
        throw refusal(facts, facts.status);
      }
    }
  }
}

/** The gateway as one tenant of the demo. */
export class Gateway {
  #token = null;
  #tenant = null;

  /** Tenants and example questions of the demo. */
  facts() { return send("/v1/demo"); }

  /** Become a tenant: forgets the other's token at once. */
  async enter(tenant) {
    this.#token = null;
    this.#tenant = tenant;
    const session = await send(`/v1/demo/session?tenant=${encodeURIComponent(tenant)}`);
    if (this.#tenant === tenant) this.#token = session.token;
  }

  ask(question, context, signal, onStep) {
    const body = { question, ...shown() };
    if (context) body.context = context;
    return this.#call(follow, "/v1/ask/events", { method: "POST", body, signal, onStep });
  }

  run(context, signal) {
    return this.#call(send, "/v1/run", { method: "POST", body: { context, ...shown() }, signal });
  }

  summary() { return this.#call(send, "/v1/summary"); }

  // A session lasts minutes: one that has run out is renewed once, and the request sent again.
  async #call(how, path, options = {}) {
    const tenant = this.#tenant;
    try {
      return await how(path, { ...options, token: this.#token });
    } catch (error) {
      if (error.code !== "unauthorized" || tenant !== this.#tenant) throw error;
      await this.enter(tenant);
      return how(path, { ...options, token: this.#token });
    }
  }
}
