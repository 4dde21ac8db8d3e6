/** The wait before the next try: 0.25 s, doubling to 8 s, randomised so that pages do not reconnect all at once. */
const FIRST = 250;
const LONGEST = 8000;

/** Returns the milliseconds to wait before try number `attempt` (0, 1, ...). `random` is in 0..1. */
export function delay(attempt: number, random: () => number = Math.random): number {
  const base = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16));
  return base * (0.75 + random() * 0.5);
}
