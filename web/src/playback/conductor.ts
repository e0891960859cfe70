// Several cameras on one clock. `at` is the instant of the picture that is shown, not of a clock beside it: the first
// camera with a picture leads, the others keep in step, and who is still loading is waited for.
import type { Deck } from "./deck";
import { holding, skipTo, type Known } from "./timeline";

export type Shown = "shown" | "loading" | "stalled" | "broken" | "unplayable" | "nothing";

const WAIT_MOST_MS = 6_000;
const A_HOLE_MS = 3_000;
const BEHIND_NOW_MS = 1_500;

export class Conductor {
  playing = true;
  rate = 1;
  /** How it stands with each channel. */
  shown: Record<string, Shown> = {};
  private waited = 0;

  constructor(
    public at: number,
    private readonly decks: () => Deck[],
    private readonly known: () => Record<string, Known>,
  ) {}

  seek(to: number): void {
    this.at = Math.min(to, Date.now() - BEHIND_NOW_MS);
    this.waited = 0;
    for (const deck of this.decks()) deck.jump();
  }

  /** Stand, on the first instant of the picture that is shown. */
  pause(): void {
    this.playing = false;
    this.at = this.leader()?.snapped(this.at) ?? this.at;
  }

  /** One picture of the leading camera on or back; false where the next one is not here yet. */
  step(direction: 1 | -1): boolean {
    if (this.playing) this.pause();
    const next = (this.leader() ?? this.decks()[0])?.neighbour(this.at, direction) ?? null;
    if (next !== null) this.at = next;
    return next !== null;
  }

  /** Where the picture that is shown begins (`0`), or the next one does (`1`). */
  edge(which: 0 | 1): number {
    const leader = this.leader();
    return (which ? leader?.neighbour(this.at, 1) : leader?.snapped(this.at)) ?? this.at;
  }

  /** `passed` ms went by. */
  advance(passed: number, held = false): void {
    const decks = this.decks();
    for (const deck of decks) this.shown[deck.channel] = this.stateOf(deck);
    if (!this.playing || held) return this.stand(decks);
    const loading = decks.filter((deck) => this.shown[deck.channel] === "loading");
    this.waited = loading.length ? this.waited + passed : 0;
    const leader = this.leader();
    if (loading.length && (this.waited < WAIT_MOST_MS || !leader)) return this.stand(decks);
    if (!leader) return this.withoutPicture(passed, decks);
    for (const deck of decks) this.run(deck, deck === leader);
    this.at = Math.min(leader.ended ?? leader.now ?? this.at, Date.now() - BEHIND_NOW_MS);
  }

  private leader(): Deck | undefined {
    return this.decks().find((deck) => deck.ready(this.at));
  }

  private stateOf(deck: Deck): Shown {
    if (deck.ready(this.at)) return "shown";
    if (deck.broken(this.at)) return "broken";
    if (deck.unplayable(this.at)) return "unplayable";
    const known = this.known()[deck.channel];
    const empty = known !== undefined && known.from <= this.at && this.at < known.to && !holding(known.recorded, this.at);
    return empty || deck.idle(this.at) ? "nothing" : "loading";
  }

  private stand(decks: Deck[]): void {
    for (const deck of decks) deck.stand(this.at);
  }

  private run(deck: Deck, leads: boolean): void {
    if (!deck.ready(this.at)) deck.stand(this.at);
    else if (!deck.run(this.at, this.rate, leads)) this.shown[deck.channel] = "stalled";
  }

  /** No camera has a picture: time goes on over what cannot be shown, and jumps over what was not recorded. */
  private withoutPicture(passed: number, decks: Deck[]): void {
    this.stand(decks);
    const dark = decks.some((deck) => ["broken", "unplayable"].includes(this.shown[deck.channel] ?? ""));
    if (dark) {
      this.at = Math.min(this.at + passed * this.rate, Date.now() - BEHIND_NOW_MS);
      return;
    }
    const near = decks.map((deck) => deck.goesOn(this.at, A_HOLE_MS)).filter((start): start is number => start !== null);
    const next = near.length ? Math.min(...near) : skipTo(Object.values(this.known()), this.at, Date.now());
    if (next !== null) this.seek(next);
  }
}
