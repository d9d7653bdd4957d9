/**
 * What a lesson's question shows while the room votes: from the room's word to the page's three
 * phases. Pure.
 *
 * @typedef {Object} Vote  what the lesson page and its question are told
 * @property {"ask"|"locked"|"open"} phase
 * @property {"closed"|"open"|"locked"|"revealed"|"waiting"} state
 * @property {number|null} choice         the vote that counts, or is on its way
 * @property {string} [said]              key of the sentence below the options
 * @property {number[]|null} [counts]
 * @property {number} [total]
 * @property {number} [joined]
 * @property {{counts: number[], total: number}|null} [earlier]
 */

/**
 * A student's.
 * @param {import("./seat.js").Poll} poll @param {{choice: number, result?: string}|null} vote not counted yet, or refused
 * @param {boolean} withheld whether the page still lacks the answer
 * @returns {Vote}
 */
export function studentsVote(poll, vote, withheld) {
  const { phase: state, counts, total } = poll;
  const under = vote && !vote.result;
  const choice = poll.choice ?? (under ? vote.choice : null);
  const told = { state, choice, counts, total };
  if (state === "revealed") return withheld ? { ...told, phase: "locked", counts: null, said: "room_answer_coming" } : { ...told, phase: "open" };
  if (state === "closed") return { ...told, phase: "ask", said: "room_not_open" };
  if (state === "locked") {
    const without = vote?.result ? "room_too_late" : "room_is_locked_without";
    return { ...told, phase: "locked", said: poll.choice === null ? without : "room_is_locked" };
  }
  if (poll.choice !== null) return { ...told, phase: "locked", said: "room_counted" };
  if (under) return { ...told, phase: "locked", said: "room_sending" };
  return { ...told, phase: "ask", said: "room_is_open" };
}

/**
 * The lecturer's. What the desk says of another lesson does not count yet.
 * @param {number} lesson @param {any} desk its last message
 * @returns {Vote}
 */
export function lecturersVote(lesson, { poll, joined }) {
  if (poll?.lesson !== lesson) return { phase: "ask", state: "waiting", choice: null };
  const { phase: state, counts, total, earlier } = poll;
  const phase = state === "revealed" ? "open" : state === "locked" ? "locked" : "ask";
  return { phase, state, choice: null, counts, total, joined, earlier };
}

/** What the lecturer's next step is. @type {Record<string, string>} */
export const NEXT_ACT = { closed: "open", open: "lock", locked: "reveal" };
