// Talks to the gateway of this origin. The session's token lives in this module's memory only, for minutes.

/** An error of the gateway, in its one shape. */
export class Trouble extends Error {
  constructor(code, message, requestId = "", details = {}) {
    super(message);
    this.code = code;
    this.requestId = requestId;
    this.details = details;
  }
}

async function send(path, { method = "GET", body, token, signal } = {}) {
  const headers = { accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("offline", "the gateway cannot be reached");
  }
  let answer = null;
  try {
    answer = await response.json();
  } catch {
    throw new Trouble("unreadable", "the gateway's answer cannot be read");
  }
  if (response.ok) return answer;
  const error = (answer && answer.error) || {};
  throw new Trouble(error.code || `http_${response.status}`, error.message || "the request was not accepted",
    error.request_id, error.details || {});
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

  ask(question, context, signal) {
    const body = { question, explain: true, svg: true };
    if (context) body.context = context;
    return this.#call("/v1/ask", { method: "POST", body, signal });
  }

  run(context, signal) {
    return this.#call("/v1/run", { method: "POST", body: { context, explain: true, svg: true }, signal });
  }

  summary() { return this.#call("/v1/summary"); }

  // A session lasts minutes: one that has run out is renewed once, and the request sent again.
  async #call(path, options = {}) {
    const tenant = this.#tenant;
    try {
      return await send(path, { ...options, token: this.#token });
    } catch (error) {
      if (error.code !== "unauthorized" || tenant !== this.#tenant) throw error;
      await this.enter(tenant);
      return send(path, { ...options, token: this.#token });
    }
  }
}
