/** How a view comes to a run: by its own opener, or by the stream of a token. */
import { Connection } from "./connection.js";
import { socketAddress } from "./lasting.js";

/**
 * @param {any} data what the page says @param {string} token
 * @param {{message: (message: any) => void, frame: (buffer: ArrayBuffer) => void, lost: () => void}} handlers
 */
export function connect(data, token, handlers) {
  if (data.open) return data.open(handlers);
  const how = data.projection ? `?project=${encodeURIComponent(data.projection)}` : "";
  // Who only watches sits at another machine than the trainer.
  return new Connection(socketAddress(`${data.base}/stream/${token}${how}`), handlers, data.readonly === true);
}

/** A run's new token, for the next connection and for its pictures. @param {{url: string}} connection @param {any} run @param {string} from @param {string} to */
export function move(connection, run, from, to) {
  connection.url = connection.url.replace(from, to);
  if (run?.sprite) run.sprite.url = run.sprite.url.replace(from, to);
}
