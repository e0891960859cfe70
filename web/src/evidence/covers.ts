// Where covers lie: the same arithmetic as the film's maker, so that what is shown is what will be covered. Pure.
import type { Cover } from "./types";

export type Box = [x: number, y: number, width: number, height: number];
type Key = Cover["keys"][number];

/** Where a cover lies on a picture: on the straight line between two keys; null where it does not cover. */
export function boxAt(cover: Cover, picture: number): Box | null {
  if (cover.off || picture < cover.first || picture > cover.last) return null;
  const keys = cover.keys;
  const after = keys.findIndex((key) => key[0] > picture);
  const edge = after === -1 ? keys[keys.length - 1] : after === 0 ? keys[0] : undefined;
  if (edge) return [edge[1], edge[2], edge[3], edge[4]];
  const [one, other] = [keys[after - 1]!, keys[after]!];
  const part = (picture - one[0]) / (other[0] - one[0]);
  return [1, 2, 3, 4].map((n) => one[n]! + (other[n]! - one[n]!) * part) as Box;
}

/** The cover with its box on a picture set by hand; it reaches to that picture where it did not. */
export function withKey(cover: Cover, picture: number, box: Box): Cover {
  const key = [picture, ...box.map((n) => Math.round(n * 10) / 10)] as Key;
  const keys = [...cover.keys.filter((one) => one[0] !== picture), key].sort((a, b) => a[0] - b[0]);
  return { ...cover, keys, first: Math.min(cover.first, picture), last: Math.max(cover.last, picture) };
}

/** The cover without its key on a picture; the last key stays. */
export function withoutKey(cover: Cover, picture: number): Cover {
  const keys = cover.keys.filter((one) => one[0] !== picture);
  return keys.length ? { ...cover, keys } : cover;
}

/** The topmost cover under a point, the smallest first: what a finger means. */
export function under(covers: Cover[], picture: number, x: number, y: number): Cover | null {
  const hit = covers
    .map((cover) => ({ cover, box: boxAt(cover, picture) }))
    .filter((one): one is { cover: Cover; box: Box } => one.box !== null)
    .filter(({ box }) => x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3])
    .sort((a, b) => a.box[2] * a.box[3] - b.box[2] * b.box[3]);
  return hit[0]?.cover ?? null;
}

/** A box from two corners, within the picture. */
export function between(from: [number, number], to: [number, number], width: number, height: number): Box {
  const [left, right] = [Math.max(0, Math.min(from[0], to[0])), Math.min(width, Math.max(from[0], to[0]))];
  const [top, bottom] = [Math.max(0, Math.min(from[1], to[1])), Math.min(height, Math.max(from[1], to[1]))];
  return [left, top, right - left, bottom - top];
}
