// A SIP phone over WebSocket (RFC 7118) with WebRTC sound: one call at a time, to or from a host that asks for no password.
//
// Events, each with `detail`: "state" {state: idle|calling|ringing|talking}, "response" {status, reason, cseq},
// "sound" {stream}, "connection" {state}, "called" {from, sdp}, "ended" {reason}, "closed" {code}.
const CRLF = "\r\n";
const SDP = { "Content-Type": "application/sdp" };
const US = "browser.invalid";  // RFC 7118 section 5: a browser has no name that others reach
const token = () => crypto.getRandomValues(new Uint32Array(3)).reduce((text, one) => text + one.toString(36), "");

function parse(text) {
  const [head, ...rest] = text.split(CRLF + CRLF);
  const [first, ...lines] = head.split(CRLF);
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    (headers[line.slice(0, colon).trim().toLowerCase()] ||= []).push(line.slice(colon + 1).trim());
  }
  const response = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  const [number, method] = (headers.cseq?.[0] ?? "0 NONE").split(" ");
  return {
    headers, body: rest.join(CRLF + CRLF), number: Number(number), method,
    status: response ? Number(response[1]) : 0, reason: response ? response[2] : "",
  };
}

const uriOf = (header) => /<([^>]*)>/.exec(header)?.[1] ?? header.split(";")[0].trim();

export class Phone extends EventTarget {
  // `microphone()` gives the MediaStream that is sent, when a call begins; `user` is who calls.
  constructor({ url, user, domain, microphone }) {
    super();
    Object.assign(this, { url, user, domain, microphone });
    this.state = "idle";
    this.socket = this.peer = this.dialog = this.invite = this.incoming = this.givenUp = null;
    this.attempt = null;  // a call's own object: whoever waits for something sees by it that the call is another
    this.sequence = 0;
  }

  tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  set(state) {
    if (state === this.state) return;
    this.state = state;
    this.tell("state", { state });
  }

  async open() {
    if (this.socket?.readyState === WebSocket.OPEN) return;
    const socket = this.socket = new WebSocket(this.url, "sip");
    socket.addEventListener("message", async ({ data }) => {
      const message = parse(typeof data === "string" ? data : await data.text());
      if (message.status) this.respond(message); else this.take(message);
    });
    socket.addEventListener("close", ({ code }) => {
      this.tell("closed", { code });
      if (this.socket === socket && this.state !== "idle") this.end("the connection is lost");
    });
    await new Promise((done, fail) => {
      socket.addEventListener("open", done, { once: true });
      socket.addEventListener("close", () => fail(new Error(`no SIP server answers at ${this.url}`)), { once: true });
    });
  }

  // -- what is sent ---------------------------------------------------------------------------------------------

  send(first, headers, body = "") {
    const lines = Object.entries(headers).flatMap(([name, values]) => [values].flat().map((one) => `${name}: ${one}`));
    lines.push(`Content-Length: ${new TextEncoder().encode(body).length}`);
    this.socket.send([first, ...lines, "", body].join(CRLF));
  }

  get contact() {
    return `<sip:${this.user}@${US};transport=ws>`;
  }

  request(method, dialog, { number = ++this.sequence, branch = `z9hG4bK${token()}`, more = {}, body = "" } = {}) {
    this.send(`${method} ${dialog.target} SIP/2.0`, {
      Via: `SIP/2.0/WS ${US};branch=${branch}`, "Max-Forwards": 70, From: dialog.local, To: dialog.remote,
      "Call-ID": dialog.id, CSeq: `${number} ${method}`, Contact: this.contact, "User-Agent": "Moonline phone", ...more,
    }, body);
    return { dialog, number, branch };
  }

  reply(message, status, { more = {}, body = "", tag = "" } = {}) {
    const { via, from, to, cseq, "call-id": id } = message.headers;
    const tagged = tag && !/;tag=/.test(to[0]) ? `${to[0]};tag=${tag}` : to[0];
    this.send(`SIP/2.0 ${status}`, {
      Via: via, From: from, To: tagged, "Call-ID": id, CSeq: cseq, Contact: this.contact, ...more,
    }, body);
  }

  newDialog(target) {
    return {
      id: token(), target, remote: `<${target}>`, local: `<sip:${this.user}@${this.domain}>;tag=${token()}`,
    };
  }

  async register(seconds = 600) {
    await this.open();
    const dialog = this.newDialog(`sip:${this.domain}`);
    dialog.remote = `<sip:${this.user}@${this.domain}>`;
    this.request("REGISTER", dialog, { more: { Expires: seconds } });
  }

  async call(number) {
    if (this.state !== "idle") return;
    this.set("calling");
    const attempt = this.attempt = {};
    try {
      await this.open();
      if (!await this.prepare(attempt)) return;
      const { peer } = this;
      await peer.setLocalDescription(await peer.createOffer());
      const body = await this.described(peer);
      if (this.attempt !== attempt) return;
      this.dialog = this.newDialog(`sip:${encodeURIComponent(number)}@${this.domain}`);
      this.invite = this.request("INVITE", this.dialog, { more: SDP, body });
    } catch (error) {
      if (this.attempt === attempt) this.end(error.message);
    }
  }

  hangup(reason = "hung up") {
    if (this.state === "idle") return;
    if (this.state === "talking") {
      this.request("BYE", this.dialog);
    } else if (this.incoming) {
      this.decline("603 Decline", reason);
      return;
    } else if (this.invite) {
      const { dialog, number, branch } = this.givenUp = this.invite;
      this.request("CANCEL", dialog, { number, branch });
    }
    this.end(reason);
  }

  decline(status, reason) {
    const { message, tag } = this.incoming;
    this.reply(message, status, { tag });
    this.end(reason);
  }

  press(key) {
    const sender = this.peer?.getSenders().find((one) => one.dtmf);
    // What is inserted takes the place of keys that wait.
    if (this.state === "talking" && sender) sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + key, 120, 70);
  }

  // -- sound ----------------------------------------------------------------------------------------------------

  async prepare(attempt) {
    const stream = await this.microphone();
    if (this.attempt !== attempt) {  // given up while the browser asked for the microphone
      stream.getTracks().forEach((track) => track.stop());
      return false;
    }
    this.stream = stream;
    const peer = this.peer = new RTCPeerConnection();
    peer.addEventListener("connectionstatechange", () => this.tell("connection", { state: peer.connectionState }));
    peer.addEventListener("track", ({ streams, track }) => {
      this.tell("sound", { stream: streams[0] ?? new MediaStream([track]), named: streams.length > 0 });
    });
    for (const track of this.stream.getAudioTracks()) peer.addTrack(track, this.stream);
    return true;
  }

  async described(peer) {
    if (peer.iceGatheringState !== "complete") {
      await new Promise((done) => peer.addEventListener("icegatheringstatechange",
        () => peer.iceGatheringState === "complete" && done()));
    }
    return peer.localDescription.sdp;
  }

  end(reason) {
    this.peer?.close();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.peer = this.stream = this.dialog = this.invite = this.incoming = this.attempt = null;
    this.set("idle");
    this.tell("ended", { reason });
  }

  // -- what comes -----------------------------------------------------------------------------------------------

  async respond(message) {
    const { status, reason, headers, number, method } = message;
    this.tell("response", { status, reason, cseq: `${number} ${method}` });
    const isOf = (one) => one && number === one.number && headers["call-id"][0] === one.dialog.id;
    if (method !== "INVITE") return;
    if (isOf(this.givenUp)) {
      this.leave(message);
      return;
    }
    if (!isOf(this.invite)) return;
    const { dialog, branch } = this.invite;
    if (status < 200) {
      if (status > 100) this.set("ringing");
      if (message.body && !this.peer.remoteDescription) await this.hear(message.body);
    } else if (status < 300) {
      dialog.remote = headers.to[0];
      dialog.target = uriOf(headers.contact?.[0] ?? dialog.target);
      this.request("ACK", dialog, { number });
      this.set("talking");  // from now on it is ended by BYE
      if (!this.peer.remoteDescription) await this.hear(message.body);
    } else {
      this.request("ACK", { ...dialog, remote: headers.to[0] }, { number, branch });
      this.end(`${status} ${reason}`);
    }
  }

  // The call was given up: it is refused now, or has been answered meanwhile.
  leave({ status, headers, number }) {
    if (status < 200) return;
    const dialog = { ...this.givenUp.dialog, remote: headers.to[0] };
    if (status < 300) {
      dialog.target = uriOf(headers.contact?.[0] ?? dialog.target);
      this.request("ACK", dialog, { number });
      this.request("BYE", dialog);
    } else {
      this.request("ACK", dialog, { number, branch: this.givenUp.branch });
    }
  }

  async hear(sdp) {
    const { peer } = this;
    try {
      await peer.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      if (this.peer === peer) this.hangup(error.message);
    }
  }

  async take(message) {
    const { method, headers } = message;
    const ours = this.dialog !== null && headers["call-id"]?.[0] === this.dialog.id;
    if (method === "ACK") return;
    if (method === "BYE") {
      this.reply(message, ours ? "200 OK" : "481 Call/Transaction Does Not Exist");
      if (ours) this.end(/text="([^"]*)"/.exec(headers.reason?.[0] ?? "")?.[1] ?? "the other side has hung up");
    } else if (method === "INVITE") {
      await (ours ? this.renew(message) : this.answer(message));
    } else if (method === "CANCEL") {
      const pending = ours && this.incoming !== null;
      this.reply(message, pending ? "200 OK" : "481 Call/Transaction Does Not Exist");
      if (pending) this.decline("487 Request Terminated", "the other side has given up");
    } else {
      this.reply(message, ["OPTIONS", "INFO", "UPDATE", "NOTIFY", "MESSAGE"].includes(method) ? "200 OK" : "501 Not Implemented");
    }
  }

  async answer(message) {
    if (this.state !== "idle") {
      this.reply(message, "486 Busy Here", { tag: token() });
      return;
    }
    const tag = token(), attempt = this.attempt = {}, { from, to, contact, "call-id": id } = message.headers;
    this.incoming = { message, tag };
    this.set("ringing");
    this.reply(message, "180 Ringing", { tag });
    this.dialog = { id: id[0], target: uriOf(contact[0]), remote: from[0], local: `${to[0]};tag=${tag}` };
    try {
      if (!await this.prepare(attempt) || !await this.accept(message, tag)) return;
    } catch (error) {
      if (this.attempt === attempt) this.decline("480 Temporarily Unavailable", error.message);
      return;
    }
    this.incoming = null;
    this.set("talking");
    this.tell("called", { from: from[0], sdp: message.body });
  }

  // Another offer within the call; one that is not understood, or is none, leaves all as it was.
  async renew(message) {
    const { attempt } = this;
    try {
      await this.accept(message);
    } catch {
      if (this.attempt === attempt) this.reply(message, "488 Not Acceptable Here");
    }
  }

  // Returns whether the call was still there to be accepted.
  async accept(message, tag = "") {
    const { peer } = this;
    await peer.setRemoteDescription({ type: "offer", sdp: message.body });
    await peer.setLocalDescription(await peer.createAnswer());
    const body = await this.described(peer);
    if (this.peer !== peer) return false;
    this.reply(message, "200 OK", { tag, more: SDP, body });
    return true;
  }
}
