/** Whether the server will never take a request as it is. */
const isRefusal = (status) => status >= 400 && status < 500 && ![401, 408, 409, 412, 429].includes(status);

/** Answers to pages of questions that the server has not acknowledged: kept in this browser, so that a reload loses none. */
class Asked {
  constructor(store, { url, token }) {
    Object.assign(this, { store, url, token });
  }

  read(page) {
    return this.store.read(`questions:${page ?? ""}`, {});
  }

  write(page, answers) {
    const name = `questions:${page ?? ""}`;
    if (Object.keys(answers).length) this.store.write(name, answers);
    else this.store.remove(name);
  }

  /** Each request has a number: one that was given up here, and arrives after a later one, changes nothing. */
  post(page, answers, leave, more) {
    const number = this.store.read("number", 0) + 1;
    this.store.write("number", number);
    return fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Facenorm-Token": this.token },
      body: JSON.stringify({ page, answers, leave, number }),
      ...more,
    });
  }

  /** Another device has sent later numbers: what was passed over is to be sent again with a higher one. */
  async catchUp(reply) {
    const { newest } = await reply.json();
    this.store.write("number", Math.max(newest, this.store.read("number", 0)));
  }
}
