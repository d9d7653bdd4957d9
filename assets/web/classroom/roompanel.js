/**
 * The way into the room, for the projector: a button with the number of those who are here, and a
 * dialog with code, address and QR code that the last row can read.
 */
import { h, svg, write } from "../dom.js";
import { recall, remember } from "./storage.js";

const ICON = "M5.5 7a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zm5.2 0a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM1 13c0-2.6 2-4.6 4.5-4.6S10 10.400 10 13zm10 0c0-1.700-.6-3.200-1.600-4.300.4-.1.8-.2 1.300-.2 2 0 3.800 1.600 3.800 3.900V13z";
const ADDRESS = "facevis-room-address";

export class RoomPanel {
  /** @param {{base: string}} context */
  constructor({ base }) {
    this.base = base;
    this.number = h("span");
    const icon = svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: ICON }));
    this.button = h("button", { type: "button", class: "fv-button fv-quiet", onclick: () => this.toggle() }, icon, this.number);
    this.code = h("strong", { class: "fv-room-code" });
    this.address = h("span", { class: "fv-room-address" });
    this.choice = h("select", { class: "fv-menu" });
    this.choice.addEventListener("change", () => {
      remember(ADDRESS, this.choice.value);
      this.#show();
    });
    this.picture = h("img", { class: "fv-room-qr", width: 480, height: 480 });
    this.trouble = h("p", { class: "fv-trouble", role: "alert", hidden: true });
    this.joined = h("p", { role: "status" });
    this.sees = h("p");
    this.heading = h("h2");
    this.close = h("button", { type: "button", class: "fv-button", onclick: () => this.dialog.close() });
    this.dialog = h("dialog", { class: "fv-dialog fv-room-panel" },
      h("div", { class: "fv-room-words" }, this.heading, this.address, this.choice, this.code, this.trouble, this.joined, this.sees, this.close), this.picture);
    this.el = h("div", { class: "fv-share" }, this.button, this.dialog);
  }

  /**
   * @param {import("../words.js").Words} words @param {{addresses: string[], code: string}} room
   * @param {{joined: number, waiting: number, limit: number, trouble: string|null}|null} desk null: not reached
   * @param {string} sees what is on the students' screens; "" if it is not this lesson
   */
  show(words, room, desk, sees) {
    this.words = words;
    this.room = room;
    write(this.number, desk ? `${words("room")} · ${desk.joined}` : words("room"));
    this.button.title = words("room_title");
    this.dialog.setAttribute("aria-label", words("room_heading"));
    write(this.heading, words("room_heading"));
    write(this.close, words("lesson_close"));
    this.choice.setAttribute("aria-label", words("room_address"));
    const trouble = desk ? desk.trouble : words("room_unreached");
    this.trouble.hidden = !trouble && room.addresses.length > 0;
    write(this.trouble, trouble || (room.addresses.length ? "" : words("room_no_address")));
    const waiting = desk?.waiting ? ` ${words("room_waiting", { n: desk.waiting })}` : "";
    write(this.joined, desk ? `${words("room_joined", { n: desk.joined, limit: desk.limit })}${waiting}` : "");
    write(this.sees, sees ? words("room_sees", { what: sees }) : "");
    this.#show();
  }

  #show() {
    const { addresses, code } = this.room;
    const kept = recall(ADDRESS);
    const address = addresses.includes(kept) ? kept : addresses[0];
    if (this.listed !== addresses.join()) {
      this.listed = addresses.join();
      this.choice.replaceChildren(...addresses.map((text) => h("option", { value: text, text: bare(text) })));
    }
    this.choice.hidden = addresses.length < 2;
    this.choice.value = address ?? "";
    write(this.address, address ? bare(address) : "");
    write(this.code, code);
    this.code.setAttribute("aria-label", `${this.words("room_code")}: ${[...code].join(" ")}`);
    this.picture.hidden = !address;
    this.picture.alt = this.words("room_qr");
    const source = address ? `${this.base}/qr.svg?text=${encodeURIComponent(`${address}/#${code}`)}` : "";
    if (source && this.picture.getAttribute("src") !== source) this.picture.src = source;
  }

  get open() {
    return this.dialog.open;
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}

/** An address as one types it. @param {string} address */
function bare(address) {
  return address.replace(/^http:\/\//, "");
}
