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

/** Which sides of a box a handle moves: -1 the left or upper one, 1 the right or lower one, 0 neither. */
export type Handle = [across: -1 | 0 | 1, down: -1 | 0 | 1];
export const HANDLES: Handle[] = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];
export const LEAST = 6;

/** Where a handle of a box lies. */
export const handlePoint = (box: Box, [across, down]: Handle): [number, number] => [box[0] + (box[2] * (across + 1)) / 2, box[1] + (box[3] * (down + 1)) / 2];

/** The handle within reach of a point, the nearest; null where none is. Of a small box the corners win. */
export function handleAt(box: Box, x: number, y: number, reach: number): Handle | null {
  const near = HANDLES
    .map((handle) => ({ handle, away: Math.hypot(handlePoint(box, handle)[0] - x, handlePoint(box, handle)[1] - y) }))
    .filter((one) => one.away <= reach)
    .sort((a, b) => a.away - b.away || Math.abs(b.handle[0] * b.handle[1]) - Math.abs(a.handle[0] * a.handle[1]));
  return near[0]?.handle ?? null;
}

/** A box with the sides of a handle moved; never smaller than can be drawn, never beyond the picture. */
export function resized(box: Box, [across, down]: Handle, byX: number, byY: number, width: number, height: number): Box {
  const side = (low: number, size: number, which: -1 | 0 | 1, by: number, most: number): [number, number] => {
    let [from, to] = [low, low + size];
    if (which === -1) from = Math.max(0, Math.min(from + by, to - LEAST));
    if (which === 1) to = Math.min(most, Math.max(to + by, from + LEAST));
    return [from, to - from];
  };
  const [x, wide] = side(box[0], box[2], across, byX, width);
  const [y, high] = side(box[1], box[3], down, byY, height);
  return [x, y, wide, high];
}

/** A box moved as a whole; at least a corner of it stays in the picture. */
export function moved(box: Box, byX: number, byY: number, width: number, height: number): Box {
  const x = Math.max(LEAST - box[2], Math.min(width - LEAST, box[0] + byX));
  const y = Math.max(LEAST - box[3], Math.min(height - LEAST, box[1] + byY));
  return [x, y, box[2], box[3]];
}

/** The cover after this one (or before it) among those that cover a picture. */
export function neighbour(covers: Cover[], picture: number, chosen: string, by: 1 | -1): Cover | null {
  const here = covers.filter((one) => boxAt(one, picture));
  if (!here.length) return null;
  const place = here.findIndex((one) => one.id === chosen);
  return here[(place + by + (place === -1 && by === -1 ? 1 : 0) + here.length) % here.length]!;
}

export type Silence = [fromMs: number, toMs: number];

/** Stretches without sound with one more, those that touch made one. */
export function withSilence(silences: Silence[], more: Silence): Silence[] {
  const told: Silence[] = [];
  for (const [from, to] of [...silences, more].sort((a, b) => a[0] - b[0])) {
    const last = told.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else told.push([from, to]);
  }
  return told;
}

/** From the first of two pictures to the end of the last, in whole milliseconds outwards. */
export function silenceOf(one: number, other: number, pictures: number, rateMhz: number): Silence {
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  const whole = Math.ceil((pictures * 1e6) / rateMhz);
  return [Math.floor((first * 1e6) / rateMhz), Math.min(whole, Math.ceil(((last + 1) * 1e6) / rateMhz))];
}
